// See send_batch_linux.h.
#include "backend/send_batch_linux.h"

#include <algorithm>
#include <cerrno>

namespace completion_port {

namespace {

// Of a request that the kernel has not taken.
constexpr ssize_t kUnanswered = -EINPROGRESS;

}  // namespace

ssize_t SendOnce(int socket, const iovec* buffers, Gathered gathered) {
  const int flags = MSG_DONTWAIT | MSG_NOSIGNAL | gathered.flags;
  msghdr header{};
  header.msg_iov = const_cast<iovec*>(buffers);
  header.msg_iovlen = gathered.count;
  for (;;) {
    const ssize_t sent = gathered.count == 1
                             ? send(socket, buffers->iov_base, buffers->iov_len, flags)
                             : sendmsg(socket, &header, flags);
    if (sent >= 0) return sent;
    if (errno != EINTR) return -errno;
  }
}

bool SendBatch::IsUsable() {
  if (state_ == State::kUntried) {
    requests_ = TryMake<Requests>();
    const bool is_open = requests_ != nullptr && requests_->ring.OpenForAll(kMost, 2 * kMost) == 0;
    state_ = is_open ? State::kUsable : State::kRefused;
    if (!is_open) requests_.reset();
  }
  return state_ == State::kUsable;
}

std::uint32_t SendBatch::Send(Connection* const* connections, std::size_t count, ssize_t* results) {
  iovec* next = requests_->buffers;
  const iovec* const end = std::end(requests_->buffers);
  for (std::size_t i = 0; i < count; ++i) {
    // One is left for each that follows; who has more to send goes on later.
    const auto room = static_cast<std::size_t>(end - next) - (count - 1 - i);
    const Gathered gathered = Gather(connections[i]->sends, next, std::min(kGatherBuffers, room));
    Write(connections[i]->socket, i, next, gathered);
    next += gathered.count;
  }
  Enter(count, results);
  std::uint32_t calls = 1;
  for (std::size_t i = 0; i < count; ++i) {
    if (results[i] != kUnanswered && results[i] != -EINTR) continue;
    const Gathered gathered = Gather(connections[i]->sends, requests_->buffers, kGatherBuffers);
    results[i] = SendOnce(connections[i]->socket, requests_->buffers, gathered);
    ++calls;
  }
  return calls;
}

// All that the kernel takes it also answers within the call. For others it had no memory, or it may
// refuse the call: a policy can allow making an io_uring and forbid using it.
void SendBatch::Enter(std::size_t count, ssize_t* results) {
  std::fill_n(results, count, kUnanswered);
  UringRing& ring = requests_->ring;
  const int taken = ring.Enter(UringRing::Mode::kSubmit, 0);
  const bool may_pass = taken >= 0 || taken == -EAGAIN || taken == -EBUSY || taken == -EINTR;
  if (!may_pass) Forbid();
  ring.TakeBack();
  const std::uint32_t answers = ring.Ready();
  for (std::uint32_t i = 0; i < answers; ++i) results[ring.At(i).user_data] = ring.At(i).res;
  ring.Pop(answers);
}

void SendBatch::Write(NativeSocket socket, std::size_t index, iovec* first, Gathered gathered) {
  io_uring_sqe* request = requests_->ring.Next();
  request->fd = socket;
  request->user_data = index;
  request->msg_flags = static_cast<std::uint32_t>(MSG_DONTWAIT | MSG_NOSIGNAL | gathered.flags);
  FillSend(request, first, gathered.count, &requests_->headers[index]);
}

}  // namespace completion_port
