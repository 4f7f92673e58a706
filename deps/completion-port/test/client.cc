#include "client.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <thread>

#include "peer.h"

namespace completion_port::test {
namespace {

constexpr std::size_t kPageBytes = 4096;

// clang-format off: it is of two minds about the space after `operator new`.
std::uint8_t* NewMemory(std::size_t bytes, std::size_t alignment) {
  return static_cast<std::uint8_t*>(::operator new(bytes, std::align_val_t{alignment}));
}
void DeleteMemory(void* memory, std::size_t alignment) {
  ::operator delete(memory, std::align_val_t{alignment});
}
// clang-format on

}  // namespace

Client::PortEnd::~PortEnd() {
  DeleteMemory(rings, kCacheLineBytes);
  DeleteMemory(receive_slab, kPageBytes);
  DeleteMemory(send_slab, kPageBytes);
}

Client::Client(const Setup& setup, const ClientOptions& options)
    : setup_(setup), options_(options) {
  for (std::uint32_t i = 0; i < options.ports; ++i) {
    auto end = std::make_unique<PortEnd>();
    const std::size_t bytes =
        RingMemoryBytes(options.submission_entries, options.completion_entries);
    end->rings = NewMemory(bytes, kCacheLineBytes);
    std::memset(end->rings, 0, bytes);
    end->receive_slab = NewMemory(options.receive_slab_bytes, kPageBytes);
    end->send_slab = NewMemory(options.send_slab_bytes, kPageBytes);
    end->header.Use(end->rings);
    end->submissions.Use(end->rings, kSubmissionsOffset, options.submission_entries);
    end->completions.Use(end->rings, CompletionsOffset(options.submission_entries),
                         options.completion_entries);
    PortOptions port;
    port.backend = setup.backend;
    port.driving = setup.driving;
    port.helper = setup.helper;
    port.helper_thresholds = options.helper_thresholds;
    port.batch_sends = options.batch_sends;
    port.ring_memory = end->rings;
    port.submission_entries = options.submission_entries;
    port.completion_entries = options.completion_entries;
    port.receive_slab = end->receive_slab;
    port.receive_slab_bytes = options.receive_slab_bytes;
    port.send_slab = end->send_slab;
    port.send_slab_bytes = options.send_slab_bytes;
    port.socket_capacity = options.socket_capacity;
    port.linger_ms = options.linger_ms;
    port.core = options.core;
    port.takes_accepted = i < options.ports_for_accepted;
    port.wake_consumer = OnWake;
    port.wake_context = this;
    const Error error = group_.Add(port, &end->port);
    ends_.push_back(std::move(end));
    open_error_ = error;
    if (!options.may_fail_to_open) CHECK_EQ(error, Error::kOk);
    if (error != Error::kOk) return;
  }
  if (setup.SubmitterDrives() && !setup.helper) BeginTurns();
}

Client::~Client() {
  Finish();
  EndTurns();
}

// --- Writing

bool Client::TryWrite(std::uint32_t port, const Submission& submission) {
  return ends_[port]->submissions.Write(submission);
}

void Client::Write(std::uint32_t port, const Submission& submission) {
  if (stopped_) return;  // chunks given back after the end
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(5000));
  while (!TryWrite(port, submission)) {
    Flush();
    if (setup_.SubmitterDrives()) ends_[port]->port->Submit(0);
    if (NowMs() > deadline_ms) return Fail(__FILE__, __LINE__, "the submission ring stays full");
    std::this_thread::yield();
  }
}

void Client::Submit(std::uint32_t port, Opcode opcode, std::uint32_t id, std::uint32_t arg0,
                    std::uint32_t arg1, std::uint32_t arg2, std::uint32_t flags) {
  Submission submission{};
  submission.opcode = static_cast<std::uint32_t>(opcode);
  submission.flags = flags;
  submission.id = id;
  submission.arg0 = arg0;
  submission.arg1 = arg1;
  submission.arg2 = arg2;
  Write(port, submission);
}

void Client::Flush() {
  for (auto& end : ends_) {
    if (!end->submissions.Publish()) continue;
    if (setup_.SubmitterDrives()) {
      end->port->Submit(0);
    } else if (end->header.TakeSleeper(kPortAsleep)) {
      end->port->Wake();
    }
  }
}

void Client::FlushQuietly() {
  for (auto& end : ends_) {
    if (!end->submissions.Publish() || end->header.At(kChunksWanted).load() == 0) continue;
    if (end->header.TakeSleeper(kPortAsleep)) end->port->Wake();
  }
}

Accepting* Client::Listen(const ListenOptions& options, std::uint32_t port, Error* error) {
  ListenerId id = 0;
  const Error result = ends_[port]->port->PrepareListener(options, &id);
  if (error != nullptr) *error = result;
  if (result != Error::kOk) return nullptr;
  Accepting* listener = &listeners_.emplace_back();
  listener->port = port;
  listener->id = id;
  CHECK_EQ(ends_[port]->port->ListenerAddress(id, &listener->address), Error::kOk);
  return listener;
}

void Client::Accept(Accepting* listener, std::uint32_t credit) {
  listener->armed = true;
  listener->credit = credit;
  Submit(listener->port, Opcode::kAccept, listener->id, credit);
}

Sock* Client::Adopt(std::uint32_t port, SocketId id) {
  CHECK(id != 0);
  CHECK(ends_[port]->socks.count(id) == 0);  // else two sockets have one id
  Sock* sock = &socks_.emplace_back();
  sock->port = port;
  sock->id = id;
  ends_[port]->socks[id] = sock;
  return sock;
}

Sock* Client::Prepare(const ConnectOptions& options, std::uint32_t port, Error* error) {
  SocketId id = 0;
  const Error result = ends_[port]->port->PrepareConnect(options, &id);
  if (error != nullptr) *error = result;
  return result == Error::kOk ? Adopt(port, id) : nullptr;
}

Sock* Client::AdoptNative(std::intptr_t native, std::uint32_t port, Error* error) {
  SocketId id = 0;
  const Error result = ends_[port]->port->AdoptConnection(native, &id);
  if (error != nullptr) *error = result;
  return result == Error::kOk ? Adopt(port, id) : nullptr;
}

Accepting* Client::AdoptNativeListener(std::intptr_t native, std::uint32_t port, Error* error) {
  ListenerId id = 0;
  const Error result = ends_[port]->port->AdoptListener(native, 128, &id);
  if (error != nullptr) *error = result;
  if (result != Error::kOk) return nullptr;
  Accepting* listener = &listeners_.emplace_back();
  listener->port = port;
  listener->id = id;
  CHECK_EQ(ends_[port]->port->ListenerAddress(id, &listener->address), Error::kOk);
  return listener;
}

void Client::Connect(Sock* sock) {
  sock->connect_pending = true;
  Submit(sock->port, Opcode::kConnect, sock->id);
}

void Client::Grant(Sock* sock, std::uint32_t credit) {
  Granted(sock, credit);
  Submit(sock->port, Opcode::kReceive, sock->id, credit);
}

void Client::GiveBack(Sock* sock, std::uint32_t credit) {
  const HeldChunk held = sock->held.front();
  sock->held.pop_front();
  // Whoever reads it after this reads nonsense.
  std::memset(ends_[sock->port]->receive_slab + held.offset, 0xee, held.length);
  ends_[sock->port]->chunks.erase(held.offset);
  Granted(sock, credit);
  Submit(sock->port, Opcode::kRelease, sock->id, held.chunk, credit);
}

void Client::ReceivePinned(Sock* sock, std::size_t length, bool at_once) {
  std::vector<std::uint8_t> bytes(length, kPoisonBefore);
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(bytes.data()));
  sock->pinned.push_back({std::move(bytes), at_once});
  Submit(sock->port, Opcode::kReceive, sock->id, static_cast<std::uint32_t>(address),
         static_cast<std::uint32_t>(length), static_cast<std::uint32_t>(address >> 32),
         at_once ? kReceivePinned | kReceiveAtOnce : std::uint32_t{kReceivePinned});
}

void Client::Withdraw(Sock* sock) {
  ++sock->withdrawals;
  Submit(sock->port, Opcode::kReceive, sock->id, 0, 0, 0, kReceiveWithdraw);
}

void Client::Send(Sock* sock, const std::string& text) {
  PortEnd& end = *ends_[sock->port];
  if (end.send_slab_pieces == 0) end.send_slab_used = 0;
  if (end.send_slab_used + text.size() > options_.send_slab_bytes) {
    return Send(sock, {std::vector<std::uint8_t>(text.begin(), text.end())});
  }
  const auto offset = static_cast<std::uint32_t>(end.send_slab_used);
  const auto length = static_cast<std::uint32_t>(text.size());
  if (length != 0) std::memcpy(end.send_slab + offset, text.data(), length);
  end.send_slab_used += length;
  ++end.send_slab_pieces;
  SendRequest request = std::move(open_requests_[sock]);
  open_requests_.erase(sock);
  request.in_slab.push_back({offset, length});
  sock->sends.push_back(std::move(request));
  Submit(sock->port, Opcode::kSend, sock->id, offset, length);
}

void Client::SendPart(Sock* sock, std::vector<std::uint8_t> pinned) {
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(pinned.data()));
  const auto length = static_cast<std::uint32_t>(pinned.size());
  open_requests_[sock].pinned.push_back(std::move(pinned));
  Submit(sock->port, Opcode::kSend, sock->id, static_cast<std::uint32_t>(address), length,
         static_cast<std::uint32_t>(address >> 32), kSendPinned | kSendMore);
}

void Client::Send(Sock* sock, std::vector<std::vector<std::uint8_t>> pinned_parts) {
  SendRequest request = std::move(open_requests_[sock]);
  open_requests_.erase(sock);
  std::vector<Submission> records;
  for (auto& part : pinned_parts) {
    const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(part.data()));
    Submission record{};
    record.opcode = static_cast<std::uint32_t>(Opcode::kSend);
    record.flags = kSendPinned | kSendMore;
    record.id = sock->id;
    record.arg0 = static_cast<std::uint32_t>(address);
    record.arg1 = static_cast<std::uint32_t>(part.size());
    record.arg2 = static_cast<std::uint32_t>(address >> 32);
    records.push_back(record);
    request.pinned.push_back(std::move(part));
  }
  records.back().flags = kSendPinned;
  sock->sends.push_back(std::move(request));
  for (const Submission& record : records) Write(sock->port, record);
}

void Client::SendFile(Sock* sock, std::intptr_t file, std::uint64_t offset, std::uint32_t length) {
  Submission record{};
  record.opcode = static_cast<std::uint32_t>(Opcode::kSend);
  record.flags = kSendFile;
  record.id = sock->id;
  record.arg0 = static_cast<std::uint32_t>(offset);
  record.arg1 = length;
  record.arg2 = static_cast<std::uint32_t>(offset >> 32);
  record.arg3 = static_cast<std::uint32_t>(file);
  sock->sends.emplace_back();
  Write(sock->port, record);
}

void Client::Shutdown(Sock* sock) {
  if (++sock->shutdowns_pending == 1) {
    sock->sends_before_shutdown = sock->send_results.size() + sock->sends.size();
  }
  Submit(sock->port, Opcode::kShutdown, sock->id);
}

void Client::Close(Sock* sock, bool reset) {
  sock->close_submitted = true;
  Submit(sock->port, Opcode::kClose, sock->id, 0, 0, 0, reset ? std::uint32_t{kCloseReset} : 0u);
}

void Client::Release(Sock* sock) {
  sock->close_submitted = true;
  Submit(sock->port, Opcode::kClose, sock->id, 0, 0, 0, std::uint32_t{kCloseRelease});
}

void Client::CloseListener(Accepting* listener) {
  listener->close_submitted = true;
  Submit(listener->port, Opcode::kCloseListener, listener->id);
}

// --- Reading

std::size_t Client::Drain() {
  std::size_t total = 0;
  for (std::uint32_t port = 0; port < ends_.size(); ++port) {
    PortEnd& end = *ends_[port];
    const std::uint32_t count = std::min(end.completions.Available(), max_batch);
    if (count == 0) continue;
    std::vector<Completion> batch;
    for (std::uint32_t i = 0; i < count; ++i) batch.push_back(end.completions.Read(i));
    end.completions.Advance(count);
    const bool is_wanted = end.header.At(kCompletionOverflow).load() == 1;
    if (is_wanted && !setup_.SubmitterDrives()) end.port->Wake();
    for (const Completion& completion : batch) OnCompletion(port, completion);
    total += count;
  }
  if (total != 0) Flush();
  return total;
}

// --- Short cuts

Accepting* Client::ListenOnLoopback(std::uint32_t port, Family family) {
  ListenOptions options;
  options.address = Loopback(family, 0);
  Error error = Error::kOk;
  Accepting* listener = Listen(options, port, &error);
  CHECK_EQ(error, Error::kOk);
  return listener;
}

Accepting* Client::ListenAndAccept(std::uint32_t credit, std::uint32_t port, Family family) {
  Accepting* listener = ListenOnLoopback(port, family);
  if (listener == nullptr) return nullptr;
  Accept(listener, credit);
  Flush();
  return listener;
}

Sock* Client::WaitAccepted(Accepting* listener, std::size_t index) {
  const bool came = WaitUntil([&] { return listener->accepted.size() > index; });
  CHECK(came);
  return came ? listener->accepted[index] : nullptr;
}

Sock* Client::ConnectTo(const Address& remote, std::uint32_t port) {
  ConnectOptions options;
  options.remote = remote;
  Sock* sock = Prepare(options, port);
  CHECK(sock != nullptr);
  if (sock == nullptr) return nullptr;
  Connect(sock);
  CHECK(WaitUntil([&] { return !sock->connect_pending; }));
  CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
  return sock->connected == Error::kOk ? sock : nullptr;
}

std::uint64_t Client::Count(Counter counter, std::uint32_t port) const {
  auto* memory = static_cast<std::uint8_t*>(ends_[port]->rings) + kCountersOffset;
  auto* values = reinterpret_cast<std::uint64_t*>(memory);
  return std::atomic_ref<std::uint64_t>(values[static_cast<std::size_t>(counter)]).load();
}

std::uint64_t Client::CountSubmitted(Opcode opcode) const {
  const auto counter = static_cast<Counter>(static_cast<std::uint32_t>(Counter::kPerOpcode) +
                                            2 * static_cast<std::uint32_t>(opcode));
  std::uint64_t sum = 0;
  for (std::uint32_t port = 0; port < ends_.size(); ++port) sum += Count(counter, port);
  return sum;
}

std::uint64_t Client::CountCompleted(Opcode opcode) const {
  const auto counter = static_cast<Counter>(static_cast<std::uint32_t>(Counter::kPerOpcode) +
                                            2 * static_cast<std::uint32_t>(opcode) + 1);
  std::uint64_t sum = 0;
  for (std::uint32_t port = 0; port < ends_.size(); ++port) sum += Count(counter, port);
  return sum;
}

RingHeader Client::header(std::uint32_t port) const { return ends_[port]->header; }

}  // namespace completion_port::test
