// io_uring: datagram sockets. See io_uring_backend.h.
#include <poll.h>
#include <sys/epoll.h>

#include <cerrno>

#include "backend/io_uring_backend.h"

namespace completion_port {

namespace {

constexpr int kEventsAtOnce = 64;

}  // namespace

Error UringBackend::Attach(DatagramSocket& datagrams) {
  if (datagram_set_fd_ < 0) {
    datagram_set_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (datagram_set_fd_ < 0) return FromOsError(errno, Operating::kControl);
    datagrams_.Use(datagram_set_fd_, 0, events_, counters_);
    PostDatagramPoll();
  }
  return datagrams_.Attach(datagrams);
}

// Of one shot: it is posted again when the set has been read.
void UringBackend::PostDatagramPoll() {
  io_uring_sqe* request = NextRequest(IORING_OP_POLL_ADD, datagram_set_fd_, kDatagramData);
  request->poll32_events = PollEvents(POLLIN);
}

// What does not fit is there at the next look: the poll sees it at once.
void UringBackend::NoteDatagrams() {
  epoll_event events[kEventsAtOnce];
  const int count = epoll_wait(datagram_set_fd_, events, kEventsAtOnce, 0);
  counters_->Add(Counter::kOsCalls);
  for (int i = 0; i < count; ++i) {
    datagrams_.Note(*static_cast<DatagramSocket*>(events[i].data.ptr), events[i].events);
  }
  PostDatagramPoll();
}

}  // namespace completion_port
