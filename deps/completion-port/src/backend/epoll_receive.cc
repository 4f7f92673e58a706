// epoll: receiving. See epoll_backend.h.
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "backend/epoll_backend.h"
#include "os/socket.h"

namespace completion_port {

namespace {

// Chances that are left out at most where receiving ahead finds nothing. One try in so many costs
// nothing to speak of.
constexpr std::uint32_t kLongestAheadPause = 1023;

struct Received {
  ssize_t bytes;  // or -errno
  bool more;      // it stopped where something else than the end of the data was
};

Received ReceiveOnce(const Connection& connection, std::uint8_t* data, std::size_t room) {
  // A local socket also stops behind descriptors that came along, which nobody here takes: only
  // recvmsg says so.
  const bool is_plain = connection.kind == SocketKind::kTcp;
  iovec into = {data, room};
  msghdr header{};
  header.msg_iov = &into;
  header.msg_iovlen = 1;
  for (;;) {
    const ssize_t got = is_plain
                            ? recv(connection.socket, data, room, MSG_DONTWAIT)
                            : recvmsg(connection.socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0) return Received{got, !is_plain && (header.msg_flags & MSG_CTRUNC) != 0};
    if (errno != EINTR) return Received{-errno, false};
  }
}

}  // namespace

void EpollBackend::SubmitReceive(Connection& connection, ChunkClass chunk_class) {
  connection.epoll.chunk_class = chunk_class;
  StartReceive(connection, OperationKind::kReceive);
}

void EpollBackend::SubmitReadable(Connection& connection) {
  StartReceive(connection, OperationKind::kReadable);
}

void EpollBackend::StartReceive(Connection& connection, OperationKind kind) {
  connection.receive.connection = &connection;
  connection.receive.kind = kind;
  connection.receive.state = OperationState::kSubmitted;
  if (connection.epoll.readable == Readable::kNo) return AwaitReadable(connection);
  ready_.Add(&connection.receive);
}

bool EpollBackend::Withdraw(Connection& connection) {
  Operation& operation = connection.receive;
  if (operation.state == OperationState::kSubmitted) {
    operation.state = OperationState::kIdle;
    // Where it does not wait, it stands in ready_.
    if (connection.epoll.receive_waits != EpollWait::kEvent) ready_.Remove(&operation);
    connection.epoll.receive_waits = EpollWait::kNothing;
  }
  return operation.state == OperationState::kIdle;
}

void EpollBackend::AwaitReadable(Connection& connection) {
  EpollNotes& notes = connection.epoll;
  notes.readable = Readable::kNo;
  const int error = WatchReads(connection);
  if (error == 0) {
    notes.receive_waits = EpollWait::kEvent;
  } else {
    notes.receive_error = ToResult(FromOsError(error, Operating::kReceive));
    ready_.Add(&connection.receive);
  }
}

bool EpollBackend::ReportReceive(Connection& connection) {
  Operation& operation = connection.receive;
  const bool cancelled = operation.state == OperationState::kCancelling;
  const std::int32_t error =
      cancelled ? ToResult(Error::kCanceled) : connection.epoll.receive_error;
  if (operation.kind == OperationKind::kReadable && !cancelled) return ReportReadable(connection);
  if (error == 0) return TryReceive(connection);
  operation.state = OperationState::kIdle;
  events_->OnReceive(connection, error, kNoChunk);
  return true;
}

// What the core then receives, it receives without us.
bool EpollBackend::ReportReadable(Connection& connection) {
  EpollNotes& notes = connection.epoll;
  if (notes.receive_error == 0 && notes.readable == Readable::kMaybe) {
    CountCall();
    if (!os::HasUnread(connection.socket, connection.kind)) {
      AwaitReadable(connection);
      return false;
    }
  }
  notes.readable = Readable::kMaybe;
  connection.receive.state = OperationState::kIdle;
  events_->OnReadable(connection, static_cast<Error>(-notes.receive_error));
  return true;
}

bool EpollBackend::ReceiveAhead() {
  SendSubmitted();  // which Wait() would have made
  if (lone_ == nullptr) return false;
  const Operation& receive = lone_->receive;
  EpollNotes& notes = lone_->epoll;
  const bool waits = receive.state == OperationState::kSubmitted &&
                     receive.kind == OperationKind::kReceive &&
                     notes.receive_waits == EpollWait::kEvent;
  if (!waits) return false;
  if (ahead_pause_left_ != 0) {
    --ahead_pause_left_;
    return false;
  }
  notes.receive_waits = EpollWait::kNothing;
  const bool has_reported = TryReceive(*lone_);
  ahead_pause_ = has_reported ? 0 : std::min(2 * ahead_pause_ + 1, kLongestAheadPause);
  ahead_pause_left_ = ahead_pause_;
  return has_reported;
}

// False where nothing was there. Into a large chunk as long as there is one, whatever the message:
// so a piece of any size up to that comes whole, as it does under libuv. Chunks come back within
// the turn, and those that a turn uses are the same warm ones each time.
bool EpollBackend::TryReceive(Connection& connection) {
  EpollNotes& notes = connection.epoll;
  std::uint32_t chunk = chunks_->Acquire(ChunkClass::kLarge);
  if (chunk == kNoChunk) chunk = chunks_->AcquireAny(notes.chunk_class);
  if (chunk == kNoChunk) {
    connection.receive.state = OperationState::kIdle;
    events_->OnReceive(connection, ToResult(Error::kNoBufferSpace), kNoChunk);
    return true;
  }
  const std::uint32_t room = chunks_->Bytes(chunk);
  const Received received = ReceiveOnce(connection, chunks_->Data(chunk), room);
  CountCall();
  if (received.bytes <= 0) chunks_->Release(chunk);
  if (received.bytes == -EAGAIN) {
    AwaitReadable(connection);
    return false;
  }
  if (received.more) notes.short_receive = ShortReceive::kProvesNothing;
  const bool filled = received.bytes == static_cast<ssize_t>(room);
  const bool emptied = !filled && notes.short_receive == ShortReceive::kNothingLeft;
  notes.readable = emptied ? Readable::kNo : Readable::kMaybe;
  connection.likely_readable = filled;
  connection.receive.state = OperationState::kIdle;
  if (received.bytes > 0) {
    events_->OnReceive(connection, static_cast<std::int32_t>(received.bytes), chunk);
  } else {
    const Error error = FromOsError(static_cast<int>(-received.bytes), Operating::kReceive);
    events_->OnReceive(connection, ToResult(error), kNoChunk);
  }
  return true;
}

}  // namespace completion_port
