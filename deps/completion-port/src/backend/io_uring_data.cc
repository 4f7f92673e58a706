// Linux: connecting, sending, cancelling. See io_uring_backend.h.
#include <poll.h>

#include <cerrno>

#include "backend/io_uring_backend.h"
#include "backend/send_file_linux.h"
#include "os/sockaddr.h"

namespace completion_port {

void UringBackend::SubmitConnect(Connection& connection) {
  if (!staging_.HasRoom()) Flush();
  Operation& operation = connection.send;
  operation.connection = &connection;
  operation.kind = OperationKind::kConnect;
  operation.state = OperationState::kSubmitted;
  io_uring_sqe* request =
      NextRequest(IORING_OP_CONNECT, connection.socket, Tagged(&operation, kConnecting));
  sockaddr_storage& address = staging_.addresses[staging_.addresses_used++];
  must_gather_ = true;
  request->off = os::ToRemoteSockaddr(*connection.remote, &address);
  request->addr = reinterpret_cast<std::uintptr_t>(&address);
}

void UringBackend::SubmitSend(Connection& connection) {
  connection.send.connection = &connection;
  connection.send.kind = OperationKind::kSend;
  connection.send.state = OperationState::kSubmitted;
  if (connection.sends.FileIsFirst()) return AwaitRoomForFile(connection);
  PostSend(connection, false);
}

// An io_uring has no sendfile, and a splice would need a pipe for each connection and two requests
// for 64 KiB. So the call is ours, when the ring says that there is room.
void UringBackend::AwaitRoomForFile(Connection& connection) {
  io_uring_sqe* request =
      NextRequest(IORING_OP_POLL_ADD, connection.socket, Tagged(&connection.send, kOperation));
  request->poll32_events = PollEvents(POLLOUT);
}

void UringBackend::PostSend(Connection& connection, bool poll_first) {
  if (!staging_.HasRoom()) Flush();
  io_uring_sqe* request =
      NextRequest(IORING_OP_SEND, connection.socket, Tagged(&connection.send, kOperation));
  request->msg_flags = MSG_NOSIGNAL;
  if (poll_first) request->ioprio = IORING_RECVSEND_POLL_FIRST;
  iovec* first = &staging_.iovecs[staging_.iovecs_used];
  const Gathered gathered = Gather(connection.sends, first, kGatherBuffers);
  request->msg_flags |= static_cast<std::uint32_t>(gathered.flags);
  FillSend(request, first, gathered.count, &staging_.headers[staging_.headers_used]);
  if (gathered.count <= 1) return;
  staging_.iovecs_used += gathered.count;
  ++staging_.headers_used;
}

void UringBackend::Cancel(Connection& connection) {
  CancelReceive(connection);
  if (connection.send.state != OperationState::kSubmitted) return;
  connection.send.state = OperationState::kCancelling;
  PostCancel(connection.send);
}

void UringBackend::PostCancel(Operation& operation) {
  io_uring_sqe* request = NextRequest(IORING_OP_ASYNC_CANCEL, -1, Tagged(&operation, kCancel));
  const bool connects = operation.kind == OperationKind::kConnect;
  request->addr = Tagged(&operation, connects ? kConnecting : kOperation);
}

void UringBackend::CheckCancel(Operation& operation, int result) {
  const bool missed = result == -ENOENT || result == -EALREADY;
  const bool still_there = operation.kind == OperationKind::kReceive
                               ? operation.connection->uring.request == ReceiveRequest::kEnding
                               : operation.state == OperationState::kCancelling;
  if (missed && still_there) PostCancel(operation);
}

void UringBackend::ReportOperation(Operation& operation, const io_uring_cqe& packet) {
  Connection& connection = *operation.connection;
  if (operation.kind == OperationKind::kReceive) return ReportReceive(connection, packet);
  const bool cancelled = operation.state == OperationState::kCancelling;
  operation.state = OperationState::kIdle;
  switch (operation.kind) {
    case OperationKind::kSend:
      return ReportSend(connection, cancelled, packet.res);
    case OperationKind::kConnect:
      return events_->OnConnect(connection, FromOsError(-packet.res, Operating::kConnect));
    // LCOV_EXCL_START: has no such operation
    case OperationKind::kReceive:   // see above
    case OperationKind::kReadable:  // is a receive here, of another request
    case OperationKind::kShutdown:  // of pipes only
    case OperationKind::kAccept:    // has no Operation here
    case OperationKind::kLook:      // of Windows only
      return;
      // LCOV_EXCL_STOP
  }
}

void UringBackend::ReportSend(Connection& connection, bool cancelled, int result) {
  const bool is_file = connection.sends.FileIsFirst();
  // What came was the answer to the poll.
  if (is_file && result >= 0) {
    result = cancelled ? -ECANCELED : static_cast<int>(SendFileOnce(connection, counters_));
  }
  if (is_file && result == -EAGAIN) {
    connection.send.state = OperationState::kSubmitted;
    return AwaitRoomForFile(connection);
  }
  if ((result == -EAGAIN || result == -EINTR) && !cancelled) {
    // Somebody made the socket non-blocking.
    connection.send.state = OperationState::kSubmitted;
    return PostSend(connection, true);
  }
  if (result == -ECONNRESET) connection.uring.send_met_reset = true;
  events_->OnSend(connection,
                  result >= 0 ? result : ToResult(FromOsError(-result, Operating::kSend)));
}

}  // namespace completion_port
