// epoll: connecting and sending. See epoll_backend.h.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "backend/epoll_backend.h"
#include "backend/gather_linux.h"
#include "backend/send_file_linux.h"
#include "os/sockaddr.h"

namespace completion_port {

namespace {

// Before a send for which the system had no memory is tried again. Nothing tells when it has.
constexpr int kSendPauseMs = 10;

}  // namespace

void EpollBackend::StartSend(Connection& connection, OperationKind kind) {
  connection.send.connection = &connection;
  connection.send.kind = kind;
  connection.send.state = OperationState::kSubmitted;
}

void EpollBackend::FinishSend(Connection& connection, std::int32_t result) {
  const bool is_listed = connection.epoll.send_waits == EpollWait::kReceive;
  connection.epoll.send_result = result;
  connection.epoll.send_waits = EpollWait::kNothing;
  if (!is_listed) ready_.Add(&connection.send);
}

void EpollBackend::AwaitWritable(Connection& connection) {
  const int error = WatchWrites(connection);
  if (error != 0) return FinishSend(connection, ToResult(FromOsError(error, Operating::kSend)));
  connection.epoll.send_waits = EpollWait::kEvent;
}

void EpollBackend::Continue(Connection& connection) {
  if (connection.send.kind == OperationKind::kConnect) return CheckConnect(connection);
  TrySend(connection);
}

void EpollBackend::ReportSend(Connection& connection) {
  if (connection.epoll.send_waits == EpollWait::kReceive) {
    connection.epoll.send_waits = EpollWait::kNothing;
    return Continue(connection);
  }
  const std::int32_t result = connection.epoll.send_result;
  connection.send.state = OperationState::kIdle;
  if (connection.send.kind == OperationKind::kSend) return events_->OnSend(connection, result);
  events_->OnConnect(connection, static_cast<Error>(-result));
}

// --- Connecting

// Node has its sockets non-blocking, too, so whoever gets a duplicate of this one expects it.
void EpollBackend::SubmitConnect(Connection& connection) {
  StartSend(connection, OperationKind::kConnect);
  sockaddr_storage address;
  const socklen_t length = os::ToRemoteSockaddr(*connection.remote, &address);
  CountCall();
  int error = fcntl(connection.socket, F_SETFL, O_NONBLOCK) == 0 ? 0 : errno;
  if (error == 0) {
    CountCall();
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    error = connect(connection.socket, name, length) == 0 ? 0 : errno;
  }
  // To a local listener that is done at once. Its event all the same comes after that of the
  // listener, who is to have the connection first.
  const bool is_on_its_way = error == 0 || error == EINPROGRESS || error == EINTR;
  if (is_on_its_way) return AwaitWritable(connection);
  // EAGAIN: the backlog of a local listener is full. libuv does not wait, either.
  FinishSend(connection, ToResult(FromOsError(error, Operating::kConnect)));
}

void EpollBackend::CheckConnect(Connection& connection) {
  int error = 0;
  socklen_t length = sizeof error;
  CountCall();
  if (getsockopt(connection.socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  if (error == EINPROGRESS) return;
  // It has been watched since before it was connected, or since then, and epoll tells a newcomer's
  // state: so an event would have said.
  if (connection.epoll.readable == Readable::kMaybe) connection.epoll.readable = Readable::kNo;
  FinishSend(connection, ToResult(FromOsError(error, Operating::kConnect)));
}

// --- Sending

void EpollBackend::SubmitSend(Connection& connection) {
  StartSend(connection, OperationKind::kSend);
  connection.epoll.send_waits = EpollWait::kOthers;
  const bool is_file = connection.sends.FileIsFirst();
  (is_file ? submitted_files_ : submitted_sends_).push_back(&connection);
}

// Calls no event of the core, so that nothing is submitted meanwhile.
void EpollBackend::SendAllSubmitted() {
  for (Connection* connection : submitted_files_) TrySend(*connection);
  submitted_files_.clear();
  Connection* const* next = submitted_sends_.data();
  std::size_t left = submitted_sends_.size();
  while (left >= SendBatch::kFewest && batch_sends_.IsUsable()) {
    const std::size_t count = std::min(left, SendBatch::kMost);
    SendTogether(next, count);
    next += count;
    left -= count;
  }
  for (; left != 0; --left) TrySend(**next++);
  submitted_sends_.clear();
}

void EpollBackend::SendTogether(Connection* const* connections, std::size_t count) {
  ssize_t results[SendBatch::kMost];
  counters_->Add(Counter::kOsCalls, batch_sends_.Send(connections, count, results));
  for (std::size_t i = 0; i < count; ++i) Sent(*connections[i], results[i]);
}

void EpollBackend::TrySend(Connection& connection) {
  iovec buffers[kGatherBuffers];
  if (connection.sends.FileIsFirst()) return Sent(connection, SendFileOnce(connection, counters_));
  const Gathered gathered = Gather(connection.sends, buffers, kGatherBuffers);
  CountCall();
  Sent(connection, SendOnce(connection.socket, buffers, gathered));
}

// Bytes or -errno; 0 where a file has ended.
void EpollBackend::Sent(Connection& connection, ssize_t sent) {
  if (sent == -EAGAIN) return AwaitWritable(connection);
  if (sent == -ENOBUFS || sent == -ENOMEM) return Pause(connection);
  FinishSend(connection, sent >= 0
                             ? static_cast<std::int32_t>(sent)
                             : ToResult(FromOsError(static_cast<int>(-sent), Operating::kSend)));
}

void EpollBackend::Pause(Connection& connection) {
  if (paused_sends_.empty()) next_sends_ms_ = os::NowMs() + kSendPauseMs;
  connection.epoll.send_waits = EpollWait::kPause;
  paused_sends_.push_back(&connection);
}

void EpollBackend::TrySendsAgain() {
  if (paused_sends_.empty() || os::NowMs() < next_sends_ms_) return;
  std::vector<Connection*> paused;
  paused.swap(paused_sends_);
  for (Connection* connection : paused) TrySend(*connection);
}

}  // namespace completion_port
