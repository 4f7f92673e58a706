// The simulated consumer: what it submits. See consumer.h.
#include "consumer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "pattern.h"

namespace completion_port::sim {

namespace {

constexpr std::uint16_t kRemotePort = 1;
constexpr std::uint16_t kNobodysPort = 2;
constexpr std::uint32_t kBlockBytes = 1024;
constexpr std::uint32_t kBlocks = 64;
constexpr std::size_t kMostSlabBytes = 256 * 1024;
constexpr std::size_t kMostPorts = 2;
constexpr std::size_t kMostUnderWay = 24;  // sends of a socket

// The same in each scenario: what is in it does not matter.
struct Slabs {
  alignas(4096) std::uint8_t receive[kMostPorts][kMostSlabBytes];
  alignas(64) std::uint8_t send[kMostPorts][kBlocks * kBlockBytes];
};
Slabs slabs;

}  // namespace

Consumer::Consumer(Kernel* kernel, const Config& config)
    : kernel_(kernel), config_(config), group_(std::make_unique<PortGroup>()) {
  kernel_->SetJudge(this);
  remote_listener_ = kernel_->NewSocket();
  kernel_->Listen(remote_listener_, kRemotePort, 16);
  OpenPorts();
}

Consumer::~Consumer() {
  group_.reset();
  kernel_->SetJudge(nullptr);
  for (PortEnd& end : ends_) std::free(end.rings);
}

void Consumer::OpenPorts() {
  ends_.resize(std::min<std::size_t>(std::max(config_.ports, 1u), kMostPorts));
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    PortEnd& end = ends_[i];
    const std::size_t bytes =
        RingMemoryBytes(config_.submission_entries, config_.completion_entries);
    end.rings = static_cast<std::uint8_t*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64));
    std::memset(end.rings, 0, bytes);
    end.receive_slab = slabs.receive[i];
    end.send_slab = slabs.send[i];
    for (std::uint32_t block = 0; block < kBlocks; ++block) end.free_blocks.push_back(block);
    PortOptions options;
    constexpr BackendKind kKinds[] = {BackendKind::kEpoll, BackendKind::kIocp,
                                      BackendKind::kIoUring};
    options.backend = kKinds[config_.backend % std::size(kKinds)];
    options.ring_memory = end.rings;
    options.submission_entries = config_.submission_entries;
    options.completion_entries = config_.completion_entries;
    options.receive_slab = end.receive_slab;
    options.receive_slab_bytes =
        std::min<std::size_t>(std::size_t{config_.slab_kb} * 1024, kMostSlabBytes);
    options.send_slab = end.send_slab;
    options.send_slab_bytes = sizeof slabs.send[i];
    options.socket_capacity = config_.sockets;
    options.linger_ms = config_.linger_ms;
    options.driving = DrivesItself() ? Driving::kSubmitter : Driving::kThread;
    options.helper = config_.driving == 1;
    if (config_.saturates != 0) {
      options.helper_thresholds.found_work_ns = 1'000'000;
      options.helper_thresholds.saturated_after_ns = 0;
      options.helper_thresholds.many_completions = 1;
      options.helper_thresholds.few_completions = 1;
    }
    options.wake_consumer = [](void* context) { static_cast<PortEnd*>(context)->woken = true; };
    options.wake_context = &end;
    end.submissions.Use(end.rings, kSubmissionsOffset, config_.submission_entries);
    end.completions.Use(end.rings, CompletionsOffset(config_.submission_entries),
                        config_.completion_entries);
    end.header.Use(end.rings);
    const Error error = group_->Add(options, &end.port);
    if (error == Error::kOk) continue;
    // No thread was to be had.
    std::free(end.rings);
    ends_.resize(i);
    return;
  }
}

void Consumer::Do(const Step& step) {
  if (ends_.empty()) return;
  kernel_->Trace("step", static_cast<std::uint64_t>(step.kind), step.a, step.b);
  switch (step.kind) {
    case StepKind::listen:
      return Listen(PickPort(step.a));
    case StepKind::connect:
      return Connect(PickPort(step.a), step.b);
    case StepKind::adopt:
      return Adopt(PickPort(step.a));
    case StepKind::send:
      return Send(Pick(step.a), step.b, step.c);
    case StepKind::send_now:
      return SendNow(Pick(step.a), step.b);
    case StepKind::grant:
      return Grant(Pick(step.a), step.b);
    case StepKind::give_back:
      return GiveBack(Pick(step.a), step.b);
    case StepKind::pinned:
      return ReceivePinned(Pick(step.a), step.b, step.c != 0);
    case StepKind::withdraw:
      return Withdraw(Pick(step.a));
    case StepKind::shutdown:
      return Shutdown(Pick(step.a));
    case StepKind::close:
      return Close(Pick(step.a), step.b);
    case StepKind::close_again:
      return Close(Pick(step.a, Ending::kSubmitted), step.b);
    case StepKind::late:
      return Late(Pick(step.a, Ending::kClosed), step.b);
    case StepKind::close_listener:
      if (!listeners_.empty()) CloseListener(&listeners_[step.a % listeners_.size()]);
      return;
    default:
      return DoInTime(step);
  }
}

// --- Records

Sock* Consumer::Pick(std::uint32_t number, Ending ending) {
  std::vector<Sock*> those;
  for (Sock& sock : socks_) {
    if (sock.ending == ending) those.push_back(&sock);
  }
  return those.empty() ? nullptr : those[number % those.size()];
}

void Consumer::Write(std::uint32_t port, Opcode opcode, std::uint32_t id, std::uint32_t flags,
                     std::uint32_t arg0, std::uint32_t arg1, std::uint32_t arg2) {
  Write(port, Submission{static_cast<std::uint32_t>(opcode), flags, id, arg0, arg1, arg2, 0, 0});
}

void Consumer::Write(std::uint32_t port, const Submission& submission) {
  if (stopping_) return;  // nobody takes it any more
  PortEnd& end = ends_[port];
  for (int tries = 0; !end.submissions.Write(submission); ++tries) {
    if (tries == 1000) return kernel_->Violate("the submission ring stays full");
    HandOver(port);
    // A thread takes its time.
    if (!DrivesItself() || tries != 0)
      kernel_->AdvanceTo(kernel_->NowNs() + 1000, Fibers::Stops::kNever);
  }
}

void Consumer::HandOver(std::uint32_t port) {
  PortEnd& end = ends_[port];
  end.submissions.Publish();
  if (DrivesItself()) {
    end.port->Submit(0);
  } else if (end.header.TakeSleeper(kPortAsleep)) {
    end.port->Wake();
  }
}

// What is published when JavaScript comes to the end of what it does. Its next turn hands it over,
// or a thread takes it.
void Consumer::Publish() {
  for (PortEnd& end : ends_) {
    if (!end.submissions.Publish()) continue;
    const bool thread_drives =
        end.header.At(kDriver).load() == static_cast<std::uint32_t>(Driver::kThread);
    if (thread_drives && end.header.TakeSleeper(kPortAsleep)) end.port->Wake();
  }
}

// --- Sockets and listeners

void Consumer::Listen(std::uint32_t port) {
  ListenOptions options;
  options.address.family = Family::kIpv4;
  options.backlog = 64;
  ListenerId id = 0;
  if (ends_[port].port->PrepareListener(options, &id) != Error::kOk) return;
  Listening& listening = listeners_.emplace_back();
  listening.port = port;
  listening.id = id;
  listening.socket = kernel_->At(static_cast<int>(ends_[port].port->NativeListenerHandle(id)));
  Write(port, Opcode::kAccept, id, 0, config_.credit);
}

void Consumer::Connect(std::uint32_t port, std::uint32_t to) {
  ConnectOptions options;
  options.remote.family = Family::kIpv4;
  options.remote.port = to == 2 ? kNobodysPort : kRemotePort;
  if (to == 1 && !listeners_.empty()) options.remote.port = listeners_.back().socket->port;
  SocketId id = 0;
  if (ends_[port].port->PrepareConnect(options, &id) != Error::kOk) return;
  Sock& sock = socks_.emplace_back();
  sock.port = port;
  sock.id = id;
  sock.socket = kernel_->At(static_cast<int>(ends_[port].port->NativeHandle(id)));
  sock.connecting = true;
  Write(port, Opcode::kConnect, id);
}

void Consumer::Adopt(std::uint32_t port) {
  int handle = -1;
  if (kernel_->Open(&handle) != Error::kOk) return;
  Socket* socket = kernel_->At(handle);
  Socket* peer = kernel_->ConnectedPair(socket);
  SocketId id = 0;
  if (ends_[port].port->AdoptConnection(handle, &id) != Error::kOk) return kernel_->Close(handle);
  remotes_.push_back({peer});
  Sock& sock = socks_.emplace_back();
  sock.port = port;
  sock.id = id;
  sock.socket = socket;
  sock.connecting = true;
  Write(port, Opcode::kConnect, id);
}

void Consumer::CloseListener(Listening* listening) {
  if (listening->ending != Ending::kOpen) return;
  listening->ending = Ending::kSubmitted;
  Write(listening->port, Opcode::kCloseListener, listening->id);
}

// --- Sending

void Consumer::SendPiece(Sock* sock, SendRequest* request, std::uint32_t bytes, bool pinned,
                         bool more) {
  PortEnd& end = ends_[sock->port];
  pinned = pinned || bytes > kBlockBytes || end.free_blocks.empty();
  const std::uint64_t at = sock->submitted;
  if (!request->is_late) sock->submitted += bytes;
  std::uint32_t flags = more ? std::uint32_t{kSendMore} : 0;
  if (!pinned) {
    const std::uint32_t offset = end.free_blocks.back() * kBlockBytes;
    end.free_blocks.pop_back();
    test::FillPattern(sock->socket->stream, at, end.send_slab + offset, bytes);
    request->in_slab.push_back({offset, bytes});
    return Write(sock->port, Opcode::kSend, sock->id, flags, offset, bytes);
  }
  request->pinned.push_back(test::PatternBytes(sock->socket->stream, at, bytes));
  flags |= kSendPinned;
  const auto address =
      static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(request->pinned.back().data()));
  Write(sock->port, Opcode::kSend, sock->id, flags, static_cast<std::uint32_t>(address), bytes,
        static_cast<std::uint32_t>(address >> 32));
}

// The simulated files have the bytes of the streams, each file those of one.
void Consumer::SendFile(Sock* sock, std::uint32_t bytes) {
  const std::uint64_t at = sock->submitted;
  if (!sock->sends.back().is_late) sock->submitted += bytes;
  Write(sock->port, Submission{static_cast<std::uint32_t>(Opcode::kSend), kSendFile, sock->id,
                               static_cast<std::uint32_t>(at), bytes,
                               static_cast<std::uint32_t>(at >> 32), sock->socket->stream, 0});
}

void Consumer::Send(Sock* sock, std::uint32_t bytes, std::uint32_t how) {
  if (sock == nullptr || sock->sends.size() >= kMostUnderWay) return;
  // In the books first: a full ring is handed over while the request is written.
  SendRequest& request = sock->sends.emplace_back();
  request.is_late = sock->shutdown_submitted;
  request.pinned.reserve(2);
  if (how == 2) SendPiece(sock, &request, bytes / 2, true, true);
  if (how == 3) {
    SendFile(sock, bytes);
  } else {
    SendPiece(sock, &request, how == 2 ? bytes - bytes / 2 : bytes, how != 0, false);
  }
  request.end = sock->submitted;
}

void Consumer::SendNow(Sock* sock, std::uint32_t bytes) {
  const bool may = sock != nullptr && sock->connected && sock->sends.empty() &&
                   !sock->send_failed && !sock->shutdown_submitted && bytes != 0;
  if (!may) return;
  const auto data = test::PatternBytes(sock->socket->stream, sock->submitted, bytes);
  const std::int32_t sent = ends_[sock->port].port->SendNow(sock->id, data.data(), data.size());
  if (sent > 0) sock->submitted += static_cast<std::uint32_t>(sent);
  if (sent < 0) sock->send_failed = true;
}

void Consumer::Shutdown(Sock* sock) {
  if (sock == nullptr || sock->shutdown_submitted) return;
  sock->shutdown_submitted = true;
  ++sock->shutdowns;
  Write(sock->port, Opcode::kShutdown, sock->id);
}

// --- Receiving

void Consumer::Grant(Sock* sock, std::uint32_t credit) {
  if (sock == nullptr || credit == 0) return;
  sock->credit += credit;
  if (!sock->pinned.empty()) sock->pinned.back().credit_behind += credit;
  Write(sock->port, Opcode::kReceive, sock->id, 0, credit);
}

void Consumer::GiveBack(Sock* sock, std::uint32_t credit) {
  if (sock == nullptr || sock->held.empty()) return;
  const HeldChunk chunk = sock->held.front();
  sock->held.pop_front();
  std::uint8_t* data = ends_[sock->port].receive_slab + chunk.offset;
  CheckBytes(*sock, data, chunk.length, chunk.at);
  std::memset(data, 0xdb, chunk.length);
  if (sock->ending != Ending::kOpen) credit = 0;
  sock->credit += credit;
  if (!sock->pinned.empty()) sock->pinned.back().credit_behind += credit;
  Write(sock->port, Opcode::kRelease, sock->id, 0, chunk.chunk, credit);
}

void Consumer::ReceivePinned(Sock* sock, std::uint32_t bytes, bool at_once) {
  if (sock == nullptr || bytes == 0 || sock->pinned.size() >= 4) return;
  PinnedMemory& memory = sock->pinned.emplace_back();
  memory.bytes.assign(bytes, 0xa5);
  const auto address =
      static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(memory.bytes.data()));
  Write(sock->port, Opcode::kReceive, sock->id,
        kReceivePinned | (at_once ? std::uint32_t{kReceiveAtOnce} : 0),
        static_cast<std::uint32_t>(address), bytes, static_cast<std::uint32_t>(address >> 32));
}

void Consumer::Withdraw(Sock* sock) {
  if (sock == nullptr) return;
  ++sock->withdrawals;
  Write(sock->port, Opcode::kReceive, sock->id, kReceiveWithdraw);
}

// --- Closing

void Consumer::Close(Sock* sock, std::uint32_t mode) {
  if (sock == nullptr) return;
  if (mode == 2 && (!sock->connected || sock->ending != Ending::kOpen)) mode = 0;
  if (mode == 2) {
    std::intptr_t duplicate = -1;
    if (ends_[sock->port].port->Duplicate(sock->id, &duplicate) != Error::kOk) return;
    remotes_.push_back({sock->socket, static_cast<int>(duplicate)});
  }
  if (sock->ending == Ending::kOpen) {
    sock->closed_at_ns = kernel_->NowNs();
    sock->close_mode = mode;
  } else if (mode == 1) {
    sock->close_mode = 1;
  }
  sock->ending = Ending::kSubmitted;
  constexpr std::uint32_t kFlags[] = {0, kCloseReset, kCloseRelease};
  Write(sock->port, Opcode::kClose, sock->id, kFlags[mode]);
}

// The id is nobody's, or will be somebody else's only much later.
void Consumer::Late(Sock* sock, std::uint32_t which) {
  if (sock == nullptr) return;
  constexpr Opcode kWhich[] = {Opcode::kSend, Opcode::kShutdown, Opcode::kConnect, Opcode::kClose};
  const Opcode opcode = kWhich[which % std::size(kWhich)];
  if (opcode != Opcode::kClose) strays_.push_back({opcode, sock->id, sock->port});
  Write(sock->port, opcode, sock->id);
}

}  // namespace completion_port::sim
