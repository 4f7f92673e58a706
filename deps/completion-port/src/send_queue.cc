// See send_queue.h.
#include "send_queue.h"

#include <algorithm>

namespace completion_port {

namespace {
// Sent buffers are forgotten in batches, so that a queue that never runs empty does not grow.
constexpr std::size_t kForgetAfter = 64;
}  // namespace

bool SendQueue::Push(const SendBuffer& buffer) {
  if (head_ >= kForgetAfter && head_ * 2 >= buffers_.size()) {
    buffers_.RemoveFront(head_);
    head_ = 0;
  }
  return buffers_.TryPush(buffer);
}

std::uint32_t SendQueue::Consume(std::size_t sent) {
  std::uint32_t ended = 0;
  while (!empty()) {
    SendBuffer& front = buffers_[head_];
    if (sent < front.length) {
      if (front.IsFile()) {
        front.offset += sent;
      } else {
        front.data += sent;
      }
      front.length -= static_cast<std::uint32_t>(sent);
      taken_of_first_ += sent;
      return ended;
    }
    sent -= front.length;
    taken_of_first_ += front.length;
    if (front.ends_request) {
      ++ended;
      taken_of_first_ = 0;
    }
    ++head_;
  }
  // An idle connection keeps room for a few buffers, not for the most it ever had.
  if (buffers_.capacity() > kForgetAfter) buffers_.Reset();
  buffers_.Clear();
  head_ = 0;
  return ended;
}

std::uint32_t SendQueue::Clear() {
  const auto ended =
      std::count_if(begin(), end(), [](const SendBuffer& b) { return b.ends_request; });
  buffers_.Reset();
  head_ = 0;
  taken_of_first_ = 0;
  return static_cast<std::uint32_t>(ended);
}

}  // namespace completion_port
