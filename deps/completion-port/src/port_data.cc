// The bytes: receives under credit, sends gathered per socket, and the half-close after them.
#include <algorithm>
#include <iterator>

#include "os/local_socket.h"
#include "port_core.h"

namespace completion_port {

namespace {
// Receives that a small chunk could have held, after which the next one gets such.
constexpr std::uint8_t kRoomyReceives = 4;

constexpr ChunkClass kEachClass[kChunkClasses] = {ChunkClass::kSmall, ChunkClass::kLarge};
}  // namespace

// --- Receive

void PortCore::Receive(const Submission& submission) {
  if ((submission.flags & kReceivePinned) != 0) return ReceivePinned(submission);
  if ((submission.flags & kReceiveWithdraw) != 0) return WithdrawReceives(submission.id);
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr) return;  // closed meanwhile: kClose stood for the credit
  counters_.AddSubmitted(Opcode::kReceive, submission.arg0);
  connection->credit += submission.arg0;
  IssueReceive(*connection);
}

void PortCore::WithdrawReceives(SocketId id) {
  Connection* connection = connections_.Find(id);
  if (connection == nullptr || connection->state != ConnectionState::kOpen) return;
  const bool stays = !backend_->Withdraw(*connection);
  while (!connection->pinned.empty()) CompletePinned(*connection, ToResult(Error::kCanceled));
  connection->starved = false;
  const std::uint32_t kept = stays ? std::min(connection->credit, 1u) : 0;
  const std::uint32_t taken = connection->credit - kept;
  connection->credit = kept;
  if (taken != 0) Complete(Opcode::kReceive, id, ToResult(Error::kCanceled), kNoChunk, taken);
}

void PortCore::Release(const Submission& submission) {
  if (!chunks_.IsDelivered(submission.arg0)) return;  // what lies with the OS is not theirs
  chunks_.Release(submission.arg0);
  PlanTrim();
  if (submission.arg1 == 0) return;
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr) return;
  counters_.AddSubmitted(Opcode::kReceive, submission.arg1);
  connection->credit += submission.arg1;
  IssueReceive(*connection);
}

void PortCore::IssueReceive(Connection& connection) {
  IssueReceive(connection, connection.chunk_class);
}

void PortCore::IssueReceive(Connection& connection, ChunkClass chunk_class) {
  if (connection.state != ConnectionState::kOpen || connection.credit == 0 ||
      connection.receive_side != ReceiveSide::kOpen || connection.starved ||
      connection.receive.state != OperationState::kIdle || !connection.pinned.empty()) {
    return;
  }
  backend_->SubmitReceive(connection, chunk_class);
}

void PortCore::OnReceive(Connection& connection, std::int32_t result, std::uint32_t chunk) {
  const bool wants_chunk = result == ToResult(Error::kNoBufferSpace);
  if (wants_chunk && !Starve(connection)) result = ToResult(Error::kNoMemory);
  // After our own cancel the side is as open as it was, and closing still has to discard; and who
  // waits for a chunk goes on when there is one.
  const bool stays_open =
      result == ToResult(Error::kNoBufferSpace) ||
      (result == ToResult(Error::kCanceled) && connection.state == ConnectionState::kCancelling);
  if (result <= 0 && !stays_open) {
    connection.receive_side = result == 0 ? ReceiveSide::kEnded : ReceiveSide::kFailed;
  }
  if (result > 0) {
    LearnChunkClass(connection, static_cast<std::uint32_t>(result), chunks_.Bytes(chunk));
  }
  if (connection.state != ConnectionState::kOpen) {
    if (result > 0) chunks_.Release(chunk);
    return ContinueClose(connection);
  }
  if (result > 0) return DeliverChunk(connection, result, chunk);
  if (connection.starved) return;
  --connection.credit;
  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, kNoChunk);
}

// It waits for a chunk, where it is not to end. False where there is no memory to note that.
bool PortCore::Starve(Connection& connection) {
  if (connection.state != ConnectionState::kOpen &&
      connection.state != ConnectionState::kLingering) {
    return true;
  }
  const SocketId id = connection.id.load(std::memory_order_relaxed);
  connection.starved = starved_[Index(connection.chunk_class)].waiting.TryPush(id);
  return connection.starved;
}

// Large chunks for who fills those it gets and has more to come, which a message of just a chunk's
// size has not (on Windows, who fills them is taken to have); small ones again for who has long
// needed no more.
void PortCore::LearnChunkClass(Connection& connection, std::uint32_t bytes, std::uint32_t room) {
  const bool is_more = bytes == room && connection.likely_readable;
  if (is_more || bytes > ChunkBytes(ChunkClass::kSmall)) {
    connection.roomy_receives = 0;
    connection.chunk_class = ChunkClass::kLarge;
  } else if (connection.chunk_class == ChunkClass::kLarge &&
             ++connection.roomy_receives == kRoomyReceives) {
    connection.chunk_class = ChunkClass::kSmall;
  }
}

void PortCore::DeliverChunk(Connection& connection, std::int32_t result, std::uint32_t chunk) {
  --connection.credit;
  PlanTrim();
  chunks_.Deliver(chunk);
  counters_.Add(Counter::kBytesReceived, static_cast<std::uint64_t>(result));
  if (chunks_.ClassOf(chunk) == ChunkClass::kLarge) counters_.Add(Counter::kLargeReceives);
  Complete(Opcode::kReceive, connection.id.load(std::memory_order_relaxed), result, chunk,
           chunks_.Offset(chunk));
  IssueReceive(connection);
}

// --- Receives that wait for a chunk

bool PortCore::IsAnyStarved() const {
  return std::any_of(std::begin(starved_), std::end(starved_),
                     [](const Starved& starved) { return !starved.waiting.empty(); });
}

// As many as there are chunks for: an attempt in vain costs a request and a completion, which with
// a thousand connections that wait for 32 chunks was most of the work. True if the turn must not
// sleep: one that was served may find nothing to read, and leave its chunk to the next.
bool PortCore::ServeStarved() {
  if (!IsAnyStarved()) return false;
  std::uint32_t usable[kChunkClasses];
  bool stands_in[kChunkClasses];
  for (const ChunkClass one : kEachClass) {
    usable[Index(one)] = backend_->UsableChunks(one);
    stands_in[Index(OtherClass(one))] = usable[Index(one)] == 0 && chunks_.OtherMayStandIn(one);
  }
  bool served = false;
  for (const ChunkClass wanted : kEachClass) {
    served |= ServeStarved(wanted, wanted, &usable[Index(wanted)]);
  }
  for (const ChunkClass given : kEachClass) {
    if (!stands_in[Index(given)]) continue;
    served |= ServeStarved(OtherClass(given), given, &usable[Index(given)]);
  }
  for (Starved& starved : starved_) {
    counters_.Add(Counter::kReceivesStarved, starved.waiting.size() - starved.counted);
    starved.counted = starved.waiting.size();
  }
  return served && IsAnyStarved();
}

bool PortCore::ServeStarved(ChunkClass wanted, ChunkClass given, std::uint32_t* usable) {
  Starved& starved = starved_[Index(wanted)];
  bool served = false;
  while (*usable != 0 && !starved.waiting.empty()) {
    const SocketId id = starved.waiting.Front();
    starved.waiting.PopFront();
    if (starved.counted != 0) --starved.counted;
    Connection* connection = connections_.Find(id);
    if (connection == nullptr || !connection->starved) continue;
    connection->starved = false;
    if (connection->state == ConnectionState::kOpen) {
      IssueReceive(*connection, given);
    } else {
      connection->chunk_class = given;  // what it drains into
      ContinueClose(*connection);
    }
    --*usable;
    served = true;
  }
  return served;
}

// --- Send

void PortCore::Send(const Submission& submission) {
  const bool ends_request = (submission.flags & kSendMore) == 0;
  if (ends_request) counters_.AddSubmitted(Opcode::kSend);
  Connection* connection = connections_.Find(submission.id);
  bool takes_bytes = connection != nullptr && connection->send_side == SendSide::kOpen &&
                     (connection->state == ConnectionState::kOpen ||
                      connection->state == ConnectionState::kPrepared ||
                      connection->state == ConnectionState::kConnecting);
  if (takes_bytes && !connection->sends.Push(BufferOf(submission))) {
    // Nor can what follows be sent then.
    connection->send_side = SendSide::kFailed;
    connection->refused_with = Error::kNoMemory;
    takes_bytes = false;
  }
  if (!takes_bytes) {
    if (!ends_request) return;
    if (connection != nullptr && !connection->sends.empty()) {
      ++connection->refused_sends;  // completes in its turn
      return;
    }
    const Error error = connection != nullptr ? connection->refused_with : Error::kBrokenPipe;
    return Complete(Opcode::kSend, submission.id, ToResult(error), 1);
  }
  // Issued after the whole batch was read, so that the writes of one tick leave in one gather.
  if (connection->send_listed) return;
  connection->send_listed = sends_to_issue_.TryPush(submission.id);
  if (!connection->send_listed) IssueSend(*connection);
}

SendBuffer PortCore::BufferOf(const Submission& submission) const {
  const std::uint64_t wide = static_cast<std::uint64_t>(submission.arg2) << 32 | submission.arg0;
  SendBuffer buffer;
  buffer.length = submission.arg1;
  buffer.ends_request = (submission.flags & kSendMore) == 0;
  if ((submission.flags & kSendFile) != 0) {
    buffer.file = static_cast<NativeFile>(static_cast<std::int32_t>(submission.arg3));
    buffer.offset = wide;
  } else if ((submission.flags & kSendPinned) != 0) {
    buffer.data = reinterpret_cast<const std::uint8_t*>(static_cast<std::uintptr_t>(wide));
  } else {
    buffer.data = options_.send_slab + submission.arg0;
  }
  return buffer;
}

void PortCore::IssueListedSends() {
  for (const SocketId id : sends_to_issue_) {
    Connection* connection = connections_.Find(id);
    if (connection == nullptr || !connection->send_listed) continue;
    connection->send_listed = false;
    IssueSend(*connection);
  }
  sends_to_issue_.Clear();
}

void PortCore::IssueSend(Connection& connection) {
  if (connection.state != ConnectionState::kOpen &&
      connection.state != ConnectionState::kLingering) {
    return;
  }
  if (connection.send.state != OperationState::kIdle) return;
  // Empty buffers at the front are done without the OS.
  const std::uint32_t empty_requests = connection.sends.Consume(0);
  if (empty_requests != 0) {
    Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, empty_requests);
  }
  if (connection.sends.empty()) {
    FinishShutdown(connection);
    return FinishRefusedSends(connection);
  }
  if (connection.sends.FileIsFirst() && os::IsPipe(connection.kind)) {
    return FailSends(connection, Error::kOperationNotSupported);  // LCOV_EXCL_LINE: of pipes
  }
  backend_->SubmitSend(connection);
}

void PortCore::OnSend(Connection& connection, std::int32_t result) {
  ++packet_sends_;
  if (result < 0) {
    FailSends(connection, static_cast<Error>(-result));
  } else if (result == 0 && connection.sends.FileIsFirst()) {
    FailSends(connection, Error::kEndOfFile);
  } else {
    counters_.Add(Counter::kBytesSent, static_cast<std::uint64_t>(result));
    const std::uint32_t ended = connection.sends.Consume(static_cast<std::size_t>(result));
    if (ended != 0) {
      Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed), 0, ended);
    }
    IssueSend(connection);
  }
  if (connection.state != ConnectionState::kOpen) ContinueClose(connection);
}

// Nothing more will be sent: every send that waits completes with the error, and so does the
// shutdown behind them.
void PortCore::FailSends(Connection& connection, Error error) {
  const SocketId id = connection.id.load(std::memory_order_relaxed);
  const auto taken = static_cast<std::uint32_t>(connection.sends.taken_of_first());
  const std::uint32_t dropped = connection.sends.Clear();
  if (dropped != 0) Complete(Opcode::kSend, id, ToResult(error), dropped, taken);
  if (connection.send_side == SendSide::kShutdownQueued) {
    Complete(Opcode::kShutdown, id, ToResult(error));
  }
  connection.send_side = SendSide::kFailed;
  FinishRefusedSends(connection);
}

void PortCore::FinishRefusedSends(Connection& connection) {
  if (connection.refused_sends == 0) return;
  Complete(Opcode::kSend, connection.id.load(std::memory_order_relaxed),
           ToResult(connection.refused_with), connection.refused_sends);
  connection.refused_sends = 0;
}

// --- Shutdown

void PortCore::Shutdown(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kShutdown);
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr || connection->state == ConnectionState::kLingering ||
      connection->state == ConnectionState::kCancelling) {
    return Complete(Opcode::kShutdown, submission.id, ToResult(Error::kCanceled));
  }
  if (connection->send_side != SendSide::kOpen) {
    return Complete(Opcode::kShutdown, submission.id, ToResult(Error::kNotConnected));
  }
  connection->send_side = SendSide::kShutdownQueued;
  if (connection->sends.empty()) FinishShutdown(*connection);
}

// Does the queued shutdown once nothing is left to send before it.
void PortCore::FinishShutdown(Connection& connection) {
  if (connection.state != ConnectionState::kOpen) return;
  if (connection.send_side != SendSide::kShutdownQueued) return;
  if (os::IsPipe(connection.kind)) {
    // LCOV_EXCL_START: of pipes
    if (connection.send.state == OperationState::kIdle) backend_->SubmitShutdown(connection);
    return;
    // LCOV_EXCL_STOP
  }
  counters_.Add(Counter::kOsCalls);
  OnShutdown(connection, os::ShutdownSend(connection.socket));
}

void PortCore::OnShutdown(Connection& connection, Error error) {
  if (connection.send_side == SendSide::kShutdownQueued) {
    connection.send_side = SendSide::kShutDown;
    Complete(Opcode::kShutdown, connection.id.load(std::memory_order_relaxed), ToResult(error));
  }
  if (connection.state != ConnectionState::kOpen) ContinueClose(connection);
}

}  // namespace completion_port
