// The Linux backend: the turn. How everything works is said in io_uring_backend.h.
#include "backend/io_uring.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "backend/io_uring_backend.h"

namespace completion_port {

namespace {

constexpr std::uint32_t kMostSubmissions = 1024;
constexpr std::uint32_t kCompletionsPerSubmission = 8;

bool IsConnect(const io_uring_cqe& packet) {
  return (packet.user_data & kTagMask) == kConnecting && packet.user_data > kTagMask;
}

}  // namespace

UringBackend::~UringBackend() {
  if (wake_fd_ >= 0) close(wake_fd_);
  if (datagram_set_fd_ >= 0) close(datagram_set_fd_);
}

Error UringBackend::Open(const BackendContext& context) {
  events_ = context.events;
  chunks_ = context.chunks;
  counters_ = context.counters;
  const std::uint32_t depth = std::clamp(context.queue_entries, 16u, kMostSubmissions);
  int error = ring_.Open(depth, depth * kCompletionsPerSubmission);
  if (error == 0) error = buffers_.Open(ring_, chunks_);
  if (error == 0) {
    wake_fd_ = eventfd(0, EFD_CLOEXEC);
    if (wake_fd_ < 0) error = -errno;
  }
  if (error != 0) return FromOsError(-error, Operating::kControl);
  PostWakePoll();
  spare_.TakeBack();
  return Error::kOk;
}

io_uring_sqe* UringBackend::NextRequest(std::uint8_t opcode, int fd, std::uint64_t user_data) {
  io_uring_sqe* request = ring_.Next();
  if (request == nullptr) {
    Flush();
    request = ring_.Next();
  }
  request->opcode = opcode;
  request->fd = fd;
  request->user_data = user_data;
  return request;
}

// Hands over everything, without waiting or reaping.
void UringBackend::Flush() {
  while (ring_.Unsubmitted() != 0) Enter(UringRing::Mode::kSubmit, 0);
}

void UringBackend::Enter(UringRing::Mode mode, int timeout_ms) {
  const std::uint32_t before = ring_.Unsubmitted();
  ring_.Enter(mode, timeout_ms);
  counters_->Add(Counter::kOsCalls);
  if (ring_.Unsubmitted() == 0) {
    staging_.Reset();
  } else if (ring_.Unsubmitted() == before) {
    // The kernel is out of memory for requests. Nothing may be dropped, so we go on asking.
    const timespec pause = {0, 1000000};
    nanosleep(&pause, nullptr);
  }
}

void UringBackend::Wait(int timeout_ms) {
  buffers_.Refill();
  must_gather_ = false;
  timeout_ms = shared_.UntilNextLook(timeout_ms);
  const bool ready = ring_.Ready() != 0 || !holding_.empty() || datagrams_.HasToReport();
  const bool must_wait = !ready && timeout_ms != 0;
  if (must_wait || ring_.Unsubmitted() != 0 || ring_.KernelHasWork()) {
    Enter(must_wait ? UringRing::Mode::kWait : UringRing::Mode::kGather, timeout_ms);
  }
  ReportHeld();
  Reap();
  datagrams_.Report();
  LookAtShared();
}

void UringBackend::Report() {
  if (std::exchange(must_gather_, false)) Enter(UringRing::Mode::kGather, 0);
  Flush();
  ReportHeld();
  Reap();
}

// The kernel puts bytes into chunks only while we are in it, because task work is deferred; what it
// has filled by then is in a completion that we have not read.
std::uint32_t UringBackend::TrimPosted() { return ring_.Ready() == 0 ? buffers_.Trim() : 0; }

void UringBackend::Reap() {
  // What is there now; what comes meanwhile belongs to the next turn.
  const std::uint32_t count = ring_.Ready();
  if (count == 0) return;
  counters_->Add(Counter::kBatches);
  counters_->Add(Counter::kPackets, count);
  std::uint32_t connects = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const io_uring_cqe& packet = ring_.At(i);
    if (IsConnect(packet)) {
      ++connects;
    } else {
      Report(packet);
    }
  }
  if (connects != 0) ReportConnects(count);
  ring_.Pop(count);
}

// Who listens is told of a connection before who connects, as where each is asked whether it is
// ready. The kernel connects a local socket while it takes the request, and gets on with the accept
// that waits for it after that, in the same call where that gathers completions.
void UringBackend::ReportConnects(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    if (IsConnect(ring_.At(i))) Report(ring_.At(i));
  }
}

void UringBackend::Report(const io_uring_cqe& packet) {
  const std::uint64_t data = packet.user_data;
  if (data == kWakeData) return ReportWake(packet);
  if (data == kDatagramData) return NoteDatagrams();
  if (data == kWatchData) {
    watch_posted_ = false;  // returning is all that was asked for
    return;
  }
  switch (data & kTagMask) {
    case kOperation:
    case kConnecting:
      return ReportOperation(*Untagged<Operation>(data), packet);
    case kCancel:
      return CheckCancel(*Untagged<Operation>(data), packet.res);
    case kAccepting:
      return ReportAccept(*Untagged<UringAccept>(data), packet);
    case kCancelAccept:
      return CheckCancel(*Untagged<UringAccept>(data), packet.res);
    case kHangup:
      return ReportHangup(*Untagged<Operation>(data)->connection);
    case kCancelHangup:
      return CheckCancelledHangup(*Untagged<Operation>(data)->connection, packet.res);
  }
}

// A poll that stays: every write of the eventfd is one packet. The number in the eventfd is never
// read; it would take centuries to fill.
void UringBackend::PostWakePoll() {
  io_uring_sqe* request = NextRequest(IORING_OP_POLL_ADD, wake_fd_, kWakeData);
  request->poll32_events = PollEvents(POLLIN);
  request->len = IORING_POLL_ADD_MULTI;
}

void UringBackend::ReportWake(const io_uring_cqe& packet) {
  counters_->Add(Counter::kPortWakeups);
  if ((packet.flags & IORING_CQE_F_MORE) == 0) PostWakePoll();
}

Error UringBackend::WatchDescriptor(std::intptr_t descriptor) {
  watched_fd_ = static_cast<int>(descriptor);
  return Error::kOk;
}

// Of one shot, and posted again: a poll that stays would tell of changes alone.
void UringBackend::WatchAgain() {
  if (watched_fd_ >= 0 && !watch_posted_) PostWatch();
}

void UringBackend::PostWatch() {
  io_uring_sqe* request = NextRequest(IORING_OP_POLL_ADD, watched_fd_, kWatchData);
  request->poll32_events = PollEvents(POLLIN);
  watch_posted_ = true;
}

void UringBackend::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the number is full, and then the packet is on its way.
  if (write(wake_fd_, &one, sizeof one) < 0) return;
}

std::unique_ptr<Backend> CreateIoUringBackend() { return TryMake<UringBackend>(); }

Error ProbeIoUring() {
  UringRing ring;
  UringBufferRing buffers;
  int error = ring.Open(4, 8);
  if (error == 0) error = buffers.Open(ring, 0, 1, 0);
  // A policy may allow making a ring and forbid using it.
  if (error == 0) error = std::min(0, ring.Enter(UringRing::Mode::kGather, 0));
  return FromOsError(-error, Operating::kControl);
}

}  // namespace completion_port
