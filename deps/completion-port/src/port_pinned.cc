// Receives into memory of the submitter's.
//
// Bulk is received where it is wanted, which saves a copy. Such a receive waits for the socket to
// be readable, like any, but then the core itself makes the call: nothing is ever with the system
// that points to this memory. It belongs to the turn, so that what it brings comes with other
// completions and not in between (Submit).
#include "port_core.h"

namespace completion_port {

void PortCore::ReceivePinned(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kReceive);
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr) return;  // closed meanwhile: kClose stood for it
  const auto address = static_cast<std::uintptr_t>(
      static_cast<std::uint64_t>(submission.arg2) << 32 | submission.arg0);
  const PinnedReceive into{reinterpret_cast<std::uint8_t*>(address), submission.arg1,
                           (submission.flags & kReceiveAtOnce) != 0};
  if (connection->pinned.TryPush(into)) return ListPinned(*connection);
  RefusePinned(*connection);
  counters_.Add(Counter::kPinnedReceives);
  Complete(Opcode::kReceive, submission.id, ToResult(Error::kBusy), kNoChunk);
}

// There is no memory to note one, but there are chunks. They complete in their order, so those
// before it are refused as well.
void PortCore::RefusePinned(Connection& connection) {
  while (!connection.pinned.empty()) CompletePinned(connection, ToResult(Error::kBusy));
}

void PortCore::ListPinned(Connection& connection) {
  if (connection.pinned.empty() || connection.pinned_listed) return;
  connection.pinned_listed =
      pinned_to_serve_.TryPush(connection.id.load(std::memory_order_relaxed));
  if (!connection.pinned_listed) RefusePinned(connection);
}

void PortCore::ServeListedPinned() {
  GrowableArray<SocketId> listed;
  listed.Swap(pinned_to_serve_);
  for (const SocketId id : listed) {
    Connection* connection = connections_.Find(id);
    if (connection == nullptr || !connection->pinned_listed) continue;
    connection->pinned_listed = false;
    if (connection->pinned.empty() || WaitsForReadable(*connection)) continue;
    ServePinned(*connection);
    IssueReceive(*connection);  // credit that was granted behind them
  }
}

// The oldest is served when the backend says so.
bool PortCore::WaitsForReadable(const Connection& connection) const {
  return connection.receive.state != OperationState::kIdle && connection.credit == 0 &&
         !connection.pinned[0].at_once;
}

// Until nothing more is there.
void PortCore::ServePinned(Connection& connection) {
  bool is_empty = false;
  while (!connection.pinned.empty()) {
    if (connection.state != ConnectionState::kOpen ||
        connection.receive_side != ReceiveSide::kOpen) {
      return;
    }
    const PinnedReceive into = connection.pinned[0];
    std::int32_t result = ToResult(Error::kTryAgain);
    if (connection.credit != 0 || backend_->IsReceiving(connection)) {
      result = ToResult(Error::kBusy);
    } else if (!is_empty) {
      counters_.Add(Counter::kOsCalls);
      result = os::ReceiveNow(connection.socket, into.data, into.length);
      is_empty = result < static_cast<std::int32_t>(into.length);
    }
    if (result == ToResult(Error::kTryAgain) && !into.at_once) {
      // One may be under way for such as were withdrawn.
      if (connection.receive.state == OperationState::kIdle) backend_->SubmitReadable(connection);
      return;
    }
    CompletePinned(connection, result);
  }
}

void PortCore::CompletePinned(Connection& connection, std::int32_t result) {
  connection.pinned.RemoveFront(1);
  counters_.Add(Counter::kPinnedReceives);
  if (result > 0) counters_.Add(Counter::kBytesReceived, static_cast<std::uint64_t>(result));
  const bool is_end = result <= 0 && result != ToResult(Error::kTryAgain) &&
                      result != ToResult(Error::kBusy) && result != ToResult(Error::kCanceled);
  if (is_end) connection.receive_side = result == 0 ? ReceiveSide::kEnded : ReceiveSide::kFailed;
  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, kNoChunk);
}

void PortCore::OnReadable(Connection& connection, Error error) {
  if (connection.state != ConnectionState::kOpen) {
    if (error != Error::kOk) connection.receive_side = ReceiveSide::kFailed;
    return ContinueClose(connection);
  }
  // One that did not wait may have found the end meanwhile.
  if (connection.receive_side != ReceiveSide::kOpen) return;
  if (error != Error::kOk && !connection.pinned.empty()) {
    return CompletePinned(connection, ToResult(error));
  }
  ServePinned(connection);
  IssueReceive(connection);  // credit that was granted behind them
}

}  // namespace completion_port
