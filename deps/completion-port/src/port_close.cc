// The order of closing. FIN, not RST, unless the submitter asked for RST.
//
// Why there is an order at all. Closing a socket that has unread bytes makes the kernel send RST,
// and so does every byte that arrives after the close; an RST can destroy, at the peer, bytes that
// we sent before it (libuv#3034). So:
//
//   1. kClose stops the delivery of data. Sends that were submitted go on (kLingering). As long
//      as they do, what the peer sends is read and thrown away: it may not read before it has
//      written.
//   2. When they are done: FIN, unless it was sent already.
//   3. If the submitter had ended its side before closing (kShutdown, then kClose), the peer is
//      owed the whole stream: the throwing away goes on until it ends too.
//      Otherwise what has arrived is thrown away once, without waiting.
//   4. Every operation still under way is cancelled, and its packet is awaited (kCancelling): the
//      kernel owns it until then.
//   5. The socket is closed, kClose completes, the slot is free.
//
// A named pipe can neither send FIN nor be reset: its peer reads what is in the pipe, then the end.
// Steps 2 and 3 fall away.
//
// Steps 1 to 3 are bounded by PortOptions::linger_ms, and ended by a second kClose that resets.
// With kCloseReset, or before a connection exists, closing starts at step 4. With kCloseRelease the
// connection lives on in another handle: no FIN, and nothing is read and thrown away.
#include "os/local_socket.h"
#include "port_core.h"

namespace completion_port {

namespace {
// What step 3 throws away at most without waiting. A peer that has sent more gets RST.
constexpr std::size_t kDiscardBytes = std::size_t{4} * 1024 * 1024;

CloseMode ModeOf(const Submission& submission) {
  if ((submission.flags & kCloseReset) != 0) return CloseMode::kReset;
  return (submission.flags & kCloseRelease) != 0 ? CloseMode::kRelease : CloseMode::kFinish;
}
}  // namespace

void PortCore::Close(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kClose);
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr || connection->state == ConnectionState::kCancelling) {
    return;  // closed already: one kClose completion stands for all
  }
  const bool loses_patience = ModeOf(submission) == CloseMode::kReset;
  if (connection->state == ConnectionState::kLingering && !loses_patience) return;
  connection->credit = 0;
  connection->close_mode = ModeOf(submission);
  const bool exists = connection->state == ConnectionState::kOpen ||
                      connection->state == ConnectionState::kLingering;
  if (!exists) return CancelAndClose(*connection);
  if (connection->close_mode == CloseMode::kReset) {
    os::ResetOnClose(connection->socket);
    return CancelAndClose(*connection);
  }
  Linger(*connection);
}

void PortCore::Linger(Connection& connection) {
  const SocketId id = connection.id.load(std::memory_order_relaxed);
  connection.owes_drain =
      !os::IsPipe(connection.kind) && (connection.send_side == SendSide::kShutDown ||
                                       connection.send_side == SendSide::kShutdownQueued);
  connection.state = ConnectionState::kLingering;
  IssueSend(connection);
  ContinueClose(connection);
  if (connection.id.load(std::memory_order_relaxed) != id ||
      connection.state != ConnectionState::kLingering) {
    return;
  }
  Complete(Opcode::kLinger, id, 0);
  // One whose time is not noted would have no end: it has ended now.
  if (!lingering_.TryPush({id, os::NowMs() + options_.linger_ms})) CancelAndClose(connection);
}

// The next step of the order above that can be taken now. Called whenever an operation of a
// closing connection has come back.
void PortCore::ContinueClose(Connection& connection) {
  if (connection.state == ConnectionState::kCancelling) {
    if (!connection.InFlight()) FinishClose(connection);
    return;
  }
  const bool sending = !connection.sends.empty() || connection.send.state != OperationState::kIdle;
  const bool released = connection.close_mode == CloseMode::kRelease;
  const bool peer_may_send = !released && connection.receive_side == ReceiveSide::kOpen &&
                             connection.send_side != SendSide::kFailed;
  const bool drains = peer_may_send && (connection.owes_drain || sending);
  if (drains && connection.receive.state == OperationState::kIdle && !connection.starved) {
    backend_->SubmitReceive(connection, connection.chunk_class);
  }
  if (sending) return;
  const bool ended = connection.send_side == SendSide::kShutdownQueued;
  if (ended) {
    Complete(Opcode::kShutdown, connection.id.load(std::memory_order_relaxed), 0);
    connection.send_side = SendSide::kOpen;
  }
  if (connection.send_side == SendSide::kOpen && (ended || !released)) {
    connection.send_side = SendSide::kShutDown;
    if (!os::IsPipe(connection.kind)) os::ShutdownSend(connection.socket);
  }
  if (!drains) CancelAndClose(connection);
}

void PortCore::CancelAndClose(Connection& connection) {
  connection.state = ConnectionState::kCancelling;
  if (!connection.InFlight()) return FinishClose(connection);
  backend_->Cancel(connection);
}

void PortCore::FinishClose(Connection& connection) {
  const SocketId id = connection.id.load(std::memory_order_relaxed);
  FailSends(connection, Error::kCanceled);
  // Also where a receive has failed: not every failure is the connection's.
  if (connection.close_mode == CloseMode::kFinish &&
      connection.receive_side != ReceiveSide::kEnded && !os::IsPipe(connection.kind)) {
    os::DiscardReceived(connection.socket, kDiscardBytes);
  }
  backend_->Detach(connection);
  os::CloseSocket(connection.socket, connection.kind);
  connection.Recycle();
  connections_.Free(&connection);
  load_.fetch_sub(1, std::memory_order_relaxed);
  counters_.Set(Counter::kSocketsOpen, connections_.Live());
  Complete(Opcode::kClose, id, 0);
}

void PortCore::ExpireLingering() {
  if (lingering_.empty()) return;
  const std::uint64_t now_ms = os::NowMs();
  while (!lingering_.empty() && lingering_.Front().deadline_ms <= now_ms) {
    Connection* connection = connections_.Find(lingering_.Front().id);
    lingering_.PopFront();
    if (connection != nullptr && connection->state == ConnectionState::kLingering) {
      CancelAndClose(*connection);
    }
  }
}

}  // namespace completion_port
