// Linux: receiving. See io_uring_backend.h.
//
// Messages: on a connection that is in use, one multishot receive stays with the kernel and
// completes for each, so that a message costs no request of its own (7 % of the CPU of an echo).
// Bulk: a receive at a time, into large chunks. A connection changes over when its chunk class
// does: the multishot is cancelled, which loses nothing (what the kernel has taken from the socket
// is in a completion), and what it still brings comes first.
//
// The core asks for one receive at a time, and sometimes for none, because there is no credit. What
// a multishot brings unasked is held, in order, and the multishot is ended: so a paused socket
// holds what had arrived by then and no more.
//
// The watch. When bytes and the end that follows them wake the kernel's multishot together, it
// takes the bytes, waits for another wake-up, and misses the end for ever (seen on Linux 6.18: the
// stress test stands still within seconds; recent kernels know it as "multishot recv missing EOF on
// wakeup race"). So a poll for nothing but the end stands beside each multishot. When it fires, the
// multishot is ended, and single receives, which look before they wait, read the rest.
#include <poll.h>

#include <cerrno>

#include "backend/io_uring_backend.h"

namespace completion_port {

namespace {

// Messages after which a connection gets a multishot. A connection that serves one request and goes
// does not earn what it costs to set up and to cancel.
constexpr std::uint8_t kMultishotAfter = 8;

}  // namespace

void UringBackend::SubmitReceive(Connection& connection, ChunkClass chunk_class) {
  connection.receive.connection = &connection;
  connection.receive.kind = OperationKind::kReceive;
  connection.receive.state = OperationState::kSubmitted;
  UringNotes& notes = connection.uring;
  if (!notes.held.empty()) return holding_.push_back(&connection);
  if (notes.request == ReceiveRequest::kNone) {
    PostReceive(connection, chunk_class);
  } else if (notes.request == ReceiveRequest::kMultishot && chunk_class != ChunkClass::kSmall) {
    EndReceive(connection);  // and post the other when it has ended
  }
}

void UringBackend::SubmitReadable(Connection& connection) {
  connection.receive.connection = &connection;
  connection.receive.kind = OperationKind::kReceive;
  connection.receive.state = OperationState::kSubmitted;
  connection.uring.request = ReceiveRequest::kPoll;
  io_uring_sqe* request =
      NextRequest(IORING_OP_POLL_ADD, connection.socket, Tagged(&connection.receive, kOperation));
  request->poll32_events = PollEvents(POLLIN | POLLRDHUP);
}

void UringBackend::PostReceive(Connection& connection, ChunkClass chunk_class) {
  UringNotes& notes = connection.uring;
  io_uring_sqe* request =
      NextRequest(IORING_OP_RECV, connection.socket, Tagged(&connection.receive, kOperation));
  request->flags = IOSQE_BUFFER_SELECT;
  request->buf_group = UringBuffers::Group(chunk_class);
  // Saves the attempt that would find nothing.
  if (!connection.likely_readable) request->ioprio = IORING_RECVSEND_POLL_FIRST;
  notes.request = ReceiveRequest::kSingle;
  const bool gets_small_ones =
      chunk_class == ChunkClass::kSmall && connection.chunk_class == ChunkClass::kSmall;
  if (!gets_small_ones || notes.messages < kMultishotAfter || notes.hangup == HangupWatch::kSeen) {
    return;
  }
  request->ioprio |= IORING_RECV_MULTISHOT;
  notes.request = ReceiveRequest::kMultishot;
  if (notes.hangup == HangupWatch::kOff) PostHangupWatch(connection);
}

void UringBackend::EndReceive(Connection& connection) {
  connection.uring.request = ReceiveRequest::kEnding;
  PostCancel(connection.receive);
}

void UringBackend::PostHangupWatch(Connection& connection) {
  connection.uring.hangup = HangupWatch::kArmed;
  io_uring_sqe* request =
      NextRequest(IORING_OP_POLL_ADD, connection.socket, Tagged(&connection.receive, kHangup));
  request->poll32_events = PollEvents(POLLRDHUP);
}

void UringBackend::EndHangupWatch(Connection& connection) {
  connection.uring.hangup = HangupWatch::kEnding;
  io_uring_sqe* request =
      NextRequest(IORING_OP_ASYNC_CANCEL, -1, Tagged(&connection.receive, kCancelHangup));
  request->addr = Tagged(&connection.receive, kHangup);
}

// The connection closes. Its receive is back when everything is that stands for it.
void UringBackend::CancelReceive(Connection& connection) {
  UringNotes& notes = connection.uring;
  Operation& operation = connection.receive;
  const OperationState before = operation.state;
  if (before == OperationState::kCancelling) return;
  if (before == OperationState::kIdle && !notes.InFlight()) return;
  const bool waits_in_holding = before == OperationState::kSubmitted && !notes.held.empty();
  for (const UringNotes::Received& received : notes.held) {
    if (received.chunk != kNoChunk) chunks_->Release(received.chunk);
  }
  notes.held.clear();
  notes.end = ToResult(Error::kCanceled);
  operation.state = OperationState::kCancelling;
  if (notes.request != ReceiveRequest::kNone && notes.request != ReceiveRequest::kEnding) {
    EndReceive(connection);
  }
  if (notes.hangup == HangupWatch::kArmed) EndHangupWatch(connection);
  if (!notes.InFlight() && !waits_in_holding) holding_.push_back(&connection);
}

void UringBackend::CheckCancelledHangup(Connection& connection, int result) {
  const bool missed = result == -ENOENT || result == -EALREADY;
  if (missed && connection.uring.hangup == HangupWatch::kEnding) EndHangupWatch(connection);
}

// Before Linux 6.17 the flag is of TCP only: of a local socket a full chunk says as much.
bool UringBackend::LeftBytesBehind(const Connection& connection, const io_uring_cqe& packet,
                                   std::uint32_t chunk) const {
  if ((packet.flags & IORING_CQE_F_SOCK_NONEMPTY) != 0) return true;
  if (connection.kind == SocketKind::kTcp || chunk == kNoChunk || packet.res <= 0) return false;
  return static_cast<std::uint32_t>(packet.res) == chunks_->Bytes(chunk);
}

void UringBackend::ReportReceive(Connection& connection, const io_uring_cqe& packet) {
  std::uint32_t chunk = kNoChunk;
  if ((packet.flags & IORING_CQE_F_BUFFER) != 0) {
    chunk = buffers_.Take(static_cast<std::uint16_t>(packet.flags >> IORING_CQE_BUFFER_SHIFT));
  }
  connection.likely_readable = LeftBytesBehind(connection, packet, chunk);
  UringNotes& notes = connection.uring;
  const bool polled = notes.request == ReceiveRequest::kPoll;
  if ((packet.flags & IORING_CQE_F_MORE) == 0) notes.request = ReceiveRequest::kNone;
  const bool cancelled = connection.receive.state == OperationState::kCancelling;
  if (polled && !cancelled) return ReportReadable(connection, packet.res);
  if (chunk != kNoChunk && (packet.res <= 0 || cancelled)) chunks_->Release(chunk);
  if (cancelled) {
    // Nobody wants the bytes, but the end of the stream is of interest.
    if (packet.res == 0) notes.end = 0;
    return ReportCancelledReceive(connection);
  }
  if (packet.res <= 0) return ReportMissedReceive(connection, packet.res);
  if (notes.messages < kMultishotAfter) ++notes.messages;
  DeliverOrHold(connection, packet.res, chunk);
}

void UringBackend::ReportReadable(Connection& connection, int result) {
  connection.receive.state = OperationState::kIdle;
  const Error error = result < 0 ? FromOsError(-result, Operating::kReceive) : Error::kOk;
  events_->OnReadable(connection, error);
}

void UringBackend::ReportHangup(Connection& connection) {
  UringNotes& notes = connection.uring;
  notes.hangup = HangupWatch::kSeen;
  if (connection.receive.state == OperationState::kCancelling) {
    ReportCancelledReceive(connection);
  } else if (notes.request == ReceiveRequest::kMultishot) {
    EndReceive(connection);
  }
}

void UringBackend::ReportCancelledReceive(Connection& connection) {
  if (connection.uring.InFlight()) return;
  connection.receive.state = OperationState::kIdle;
  events_->OnReceive(connection, connection.uring.end, kNoChunk);
}

// No bytes: the end, an error, or only the end of this request.
void UringBackend::ReportMissedReceive(Connection& connection, std::int32_t result) {
  const bool ran_dry = result == -ENOBUFS;
  const bool again = ran_dry || result == -EAGAIN || result == -EINTR || result == -ECANCELED;
  if (!again) {
    // Who reads is to learn of a reset, as with epoll, whichever request the kernel has told.
    if (result == 0 && connection.uring.send_met_reset) result = -ECONNRESET;
    const std::int32_t end = result == 0 ? 0 : ToResult(FromOsError(-result, Operating::kReceive));
    return DeliverOrHold(connection, end, kNoChunk);
  }
  // Where the core has not asked, or is still to be told of what is held, it will ask again.
  const bool wanted = connection.receive.state == OperationState::kSubmitted;
  if (!wanted || !connection.uring.held.empty()) return;
  // Unless it was we who ended it, there was something to read, or may be.
  connection.likely_readable = ran_dry;
  if (ran_dry) return DeliverOrHold(connection, ToResult(Error::kNoBufferSpace), kNoChunk);
  PostReceive(connection, connection.chunk_class);
}

void UringBackend::DeliverOrHold(Connection& connection, std::int32_t result, std::uint32_t chunk) {
  UringNotes& notes = connection.uring;
  const bool wanted = connection.receive.state == OperationState::kSubmitted;
  if (wanted && notes.held.empty()) {
    connection.receive.state = OperationState::kIdle;
    return events_->OnReceive(connection, result, chunk);
  }
  notes.held.push_back({result, chunk});
  if (!wanted && notes.request == ReceiveRequest::kMultishot) EndReceive(connection);
}

// Grows while it is walked: a core that gets one chunk may ask for the next.
void UringBackend::ReportHeld() {
  for (std::size_t i = 0; i < holding_.size(); ++i) {
    Connection& connection = *holding_[i];
    if (connection.receive.state == OperationState::kCancelling) {
      ReportCancelledReceive(connection);
      continue;
    }
    UringNotes& notes = connection.uring;
    const UringNotes::Received received = notes.held.front();
    notes.held.erase(notes.held.begin());
    connection.receive.state = OperationState::kIdle;
    events_->OnReceive(connection, received.result, received.chunk);
  }
  holding_.clear();
}

}  // namespace completion_port
