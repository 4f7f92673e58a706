// The simulated queue: connects, receives and sends. See sim_backend.h.
#include <algorithm>
#include <utility>

#include "pattern.h"
#include "sim_backend.h"

namespace completion_port::sim {

namespace {
constexpr std::size_t kGather = 64;
}

// --- Connect

void SimBackend::SubmitConnect(Connection& connection) {
  Pending pending{};
  pending.kind = OperationKind::kConnect;
  Submit(connection, connection.send, std::move(pending));
  pending_.back().due_ns = kernel_->NowNs() + kernel_->SomeDelayNs();
}

bool SimBackend::ReportConnect(Pending& pending) {
  Connection& connection = *pending.connection;
  const bool cancelled = connection.send.state == OperationState::kCancelling;
  Error error = Error::kCanceled;
  if (!cancelled || (HoldsBuffers() && kernel_->choices().OneIn(3))) {
    error = kernel_->Fault() ? Error::kTimedOut
                             : kernel_->Connect(pending.socket, connection.remote->port);
  }
  Finish(pending.number);
  events_->OnConnect(connection, error);
  return true;
}

// --- Receive

void SimBackend::SubmitReceive(Connection& connection, ChunkClass chunk_class) {
  Pending pending{};
  pending.kind = OperationKind::kReceive;
  pending.chunk_class = chunk_class;
  // A chunk goes along, or one is taken when there is something to read.
  if (HoldsBuffers() && kernel_->choices().OneIn(2)) pending.chunk = chunks_->Acquire(chunk_class);
  pending.looks_at_once = !HoldsBuffers() && kernel_->choices().OneIn(3);
  Submit(connection, connection.receive, std::move(pending));
}

void SimBackend::SubmitReadable(Connection& connection) {
  Pending pending{};
  pending.kind = OperationKind::kReadable;
  Submit(connection, connection.receive, std::move(pending));
}

bool SimBackend::Withdraw(Connection& connection) {
  for (const Pending& pending : pending_) {
    if (pending.connection != &connection || &OperationOf(pending) != &connection.receive) continue;
    if (HoldsBuffers()) return pending.kind == OperationKind::kReadable;
    Finish(pending.number);
    return true;
  }
  return true;
}

bool SimBackend::ReportReceive(Pending& pending) {
  Connection& connection = *pending.connection;
  const bool cancelled = connection.receive.state == OperationState::kCancelling;
  // What is cancelled may have been quicker.
  const bool receives = !cancelled || (HoldsBuffers() && Kernel::IsReadable(*pending.socket) &&
                                       kernel_->choices().OneIn(2));
  std::uint32_t chunk = pending.chunk;
  std::int32_t result = ToResult(Error::kCanceled);
  if (receives && chunk == kNoChunk) {
    if (!HoldsBuffers()) chunk = chunks_->Acquire(ChunkClass::kLarge);
    if (chunk == kNoChunk) chunk = chunks_->AcquireAny(pending.chunk_class);
    if (chunk == kNoChunk) result = ToResult(Error::kNoBufferSpace);
  }
  if (receives && chunk != kNoChunk) {
    const std::uint32_t room = chunks_->Bytes(chunk);
    result = kernel_->Receive(pending.socket, chunks_->Data(chunk), room);
    connection.likely_readable = result == static_cast<std::int32_t>(room);
  }
  if (chunk != kNoChunk && result <= 0) {
    if (result == ToResult(Error::kTryAgain) && pending.chunk != kNoChunk) return false;
    chunks_->Release(chunk);
    chunk = kNoChunk;
  }
  if (result == ToResult(Error::kTryAgain)) {
    pending.looks_at_once = false;
    return false;
  }
  if (cancelled && result == ToResult(Error::kNoBufferSpace)) result = ToResult(Error::kCanceled);
  Finish(pending.number);
  events_->OnReceive(connection, result, chunk);
  return true;
}

bool SimBackend::ReportReadable(Pending& pending) {
  Connection& connection = *pending.connection;
  const bool cancelled = connection.receive.state == OperationState::kCancelling;
  // Where receives are the system's, each one that is under way is told of the reset.
  const bool is_reset = HoldsBuffers() && pending.socket->state == SocketState::kReset;
  Finish(pending.number);
  if (cancelled) {
    events_->OnReceive(connection, ToResult(Error::kCanceled), kNoChunk);
  } else if (kernel_->Fault()) {
    events_->OnReadable(connection, Error::kNoMemory);
  } else {
    events_->OnReadable(connection, is_reset ? Error::kConnectionReset : Error::kOk);
  }
  return true;
}

// --- Send

void SimBackend::SubmitSend(Connection& connection) {
  Pending pending{};
  pending.kind = OperationKind::kSend;
  for (const SendBuffer& buffer : connection.sends) {
    if (pending.buffers.size() == kGather) break;
    // A file goes with what is around it, or by itself.
    const bool is_apart = buffer.IsFile() && kind_ != BackendKind::kIocp;
    if (is_apart && !pending.buffers.empty()) break;
    if (buffer.length != 0) pending.buffers.push_back(buffer);
    if (is_apart && !pending.buffers.empty()) break;
  }
  if (pending.buffers.empty()) kernel_->Violate("sends nothing");
  pending.file_has_ended = connection.sends.FileIsFirst() && kernel_->Fault();
  Submit(connection, connection.send, std::move(pending));
  // Where the call is ours it is made now, and reported later.
  if (!HoldsBuffers()) pending_.back().result = SendBuffers(pending_.back());
}

std::int32_t SimBackend::SendOne(Socket* socket, const SendBuffer& buffer) {
  if (!buffer.IsFile()) return kernel_->Send(socket, buffer.data, buffer.length);
  const auto stream = static_cast<std::uint64_t>(buffer.file);
  const auto bytes = test::PatternBytes(stream, buffer.offset, buffer.length);
  return kernel_->Send(socket, bytes.data(), bytes.size());
}

// Bytes, 0 (would wait) or -Error.
std::int32_t SimBackend::SendBuffers(const Pending& pending) {
  std::int32_t total = 0;
  if (pending.file_has_ended) return 0;
  for (const SendBuffer& buffer : pending.buffers) {
    const std::int32_t sent = SendOne(pending.socket, buffer);
    if (sent < 0) return total != 0 ? total : sent;
    total += sent;
    if (static_cast<std::uint32_t>(sent) < buffer.length) break;
  }
  return total;
}

bool SimBackend::ReportSend(Pending& pending) {
  Connection& connection = *pending.connection;
  const bool cancelled = connection.send.state == OperationState::kCancelling;
  const bool sends = !cancelled || (HoldsBuffers() && kernel_->choices().OneIn(2));
  if (pending.result == 0 && sends) pending.result = SendBuffers(pending);
  if (pending.result == 0 && cancelled) pending.result = ToResult(Error::kCanceled);
  if (pending.result == 0 && !pending.file_has_ended) return false;
  const std::int32_t result = pending.result;
  if (result == 0) pending.socket->met_end_of_file = true;
  Finish(pending.number);
  events_->OnSend(connection, result);
  return true;
}

void SimBackend::SubmitShutdown(Connection&) { kernel_->Violate("a shutdown that is for pipes"); }

}  // namespace completion_port::sim
