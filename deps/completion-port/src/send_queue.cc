// See send_queue.h.
#include "send_queue.h"

#include <algorithm>

namespace completion_port {

namespace {
// Sent buffers are forgotten in batches, so that a queue that never runs empty does not grow.
constexpr std::size_t kForgetAfter = 64;
}  // namespace

void SendQueue::Push(const SendBuffer& buffer) {
  if (head_ >= kForgetAfter && head_ * 2 >= buffers_.size()) {
    buffers_.erase(buffers_.begin(), buffers_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  buffers_.push_back(buffer);
}

std::uint32_t SendQueue::Consume(std::size_t sent) {
  std::uint32_t ended = 0;
  while (!empty()) {
    SendBuffer& front = buffers_[head_];
    if (sent < front.length) {
      front.data += sent;
      front.length -= static_cast<std::uint32_t>(sent);
      return ended;
    }
    sent -= front.length;
    if (front.ends_request) ++ended;
    ++head_;
  }
  // An idle connection keeps room for a few buffers, not for the most it ever had.
  if (buffers_.capacity() > kForgetAfter) buffers_ = {};
  buffers_.clear();
  head_ = 0;
  return ended;
}

std::uint32_t SendQueue::Clear() {
  const auto ended =
      std::count_if(begin(), end(), [](const SendBuffer& b) { return b.ends_request; });
  buffers_ = {};
  head_ = 0;
  return static_cast<std::uint32_t>(ended);
}

}  // namespace completion_port
