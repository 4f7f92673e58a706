// The bytes of one connection that wait to be sent, as a queue of borrowed buffers.
#ifndef COMPLETION_PORT_SEND_QUEUE_H_
#define COMPLETION_PORT_SEND_QUEUE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace completion_port {

struct SendBuffer {
  const std::uint8_t* data;
  std::uint32_t length;
  bool ends_request;  // a request is one or more buffers; the last one ends it
};

class SendQueue {
 public:
  bool empty() const { return head_ == buffers_.size(); }
  // The buffers still to send, oldest first; the first one already advanced by what was sent of it.
  const SendBuffer* begin() const { return buffers_.data() + head_; }
  const SendBuffer* end() const { return buffers_.data() + buffers_.size(); }

  void Push(const SendBuffer& buffer);

  // The OS took `sent` bytes from the front. A zero-length buffer is done when it is reached.
  // Returns how many requests ended.
  std::uint32_t Consume(std::size_t sent);

  // Drops everything; returns how many requests were not ended.
  std::uint32_t Clear();

 private:
  std::vector<SendBuffer> buffers_;
  std::size_t head_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_SEND_QUEUE_H_
