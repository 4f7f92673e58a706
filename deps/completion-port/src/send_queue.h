// The bytes of one connection that wait to be sent, as a queue of borrowed buffers and of pieces of
// files.
#ifndef COMPLETION_PORT_SEND_QUEUE_H_
#define COMPLETION_PORT_SEND_QUEUE_H_

#include <cstddef>
#include <cstdint>

#include "growable.h"

namespace completion_port {

// A file descriptor or HANDLE.
using NativeFile = std::intptr_t;
inline constexpr NativeFile kNoFile = -1;

struct SendBuffer {
  const std::uint8_t* data = nullptr;  // null for a piece of a file
  std::uint32_t length = 0;
  bool ends_request = false;  // a request is one or more buffers; the last one ends it
  NativeFile file = kNoFile;
  std::uint64_t offset = 0;  // in the file

  bool IsFile() const { return file != kNoFile; }
};

class SendQueue {
 public:
  bool empty() const { return head_ == buffers_.size(); }
  // The buffers still to send, oldest first; the first one already advanced by what was sent of it.
  const SendBuffer* begin() const { return buffers_.begin() + head_; }
  const SendBuffer* end() const { return buffers_.end(); }

  // Whether a piece of a file is next, which is not gathered with anything.
  bool FileIsFirst() const { return !empty() && begin()->IsFile(); }
  // Bytes that the OS has taken of the first request that has not ended.
  std::uint64_t taken_of_first() const { return taken_of_first_; }

  // False where there is no memory for it: it is not in then.
  [[nodiscard]] bool Push(const SendBuffer& buffer);

  // The OS took `sent` bytes from the front. A zero-length buffer is done when it is reached.
  // Returns how many requests ended.
  std::uint32_t Consume(std::size_t sent);

  // Drops everything; returns how many requests were not ended.
  std::uint32_t Clear();

 private:
  GrowableArray<SendBuffer> buffers_;
  std::size_t head_ = 0;
  std::uint64_t taken_of_first_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_SEND_QUEUE_H_
