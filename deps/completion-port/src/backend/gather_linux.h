// What waits to be sent, as one gathered send takes it.
#ifndef COMPLETION_PORT_BACKEND_GATHER_LINUX_H_
#define COMPLETION_PORT_BACKEND_GATHER_LINUX_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "send_queue.h"

namespace completion_port {

// Buffers of one gathered send.
inline constexpr std::size_t kGatherBuffers = 64;

struct Gathered {
  std::size_t count = 0;  // of iovecs
  int flags = 0;          // MSG_MORE before a file, so that it shares a packet with its head
};

// Writes at most `most` iovecs for the front of the queue, up to a file. Buffers that touch become
// one: the small writes of one tick lie side by side in the send slab.
inline Gathered Gather(const SendQueue& sends, iovec* first, std::size_t most) {
  std::uint32_t room = 1u << 30;  // the result is an int32_t
  std::size_t count = 0;
  for (const SendBuffer& buffer : sends) {
    if (buffer.length == 0) continue;
    if (buffer.IsFile()) return {count, MSG_MORE};
    if (room == 0) break;
    const std::uint32_t length = std::min(buffer.length, room);
    iovec* last = count == 0 ? nullptr : first + count - 1;
    if (last != nullptr &&
        static_cast<std::uint8_t*>(last->iov_base) + last->iov_len == buffer.data) {
      last->iov_len += length;
    } else {
      if (count == most) break;
      first[count++] = {const_cast<std::uint8_t*>(buffer.data), length};
    }
    room -= length;
  }
  return {count, 0};
}

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_GATHER_LINUX_H_
