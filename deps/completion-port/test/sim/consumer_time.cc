// The simulated consumer: how it waits, what its peers do, and the end. See consumer.h.
#include <algorithm>

#include "consumer.h"
#include "pattern.h"

namespace completion_port::sim {

namespace {
constexpr int kRounds = 200;  // of the end, at most
constexpr int kRoundMs = 50;
constexpr int kGaugesMs = 2100;
constexpr std::uint32_t kEnoughToAccept = 8;  // completions that can be told of in a round
constexpr int kRoundsBehind = 30;
constexpr int kCloseListenersAt = 40;  // the round
}  // namespace

void Consumer::DoInTime(const Step& step) {
  Publish();
  switch (step.kind) {
    case StepKind::has_unread:
      if (Sock* sock = Pick(step.a)) ends_[sock->port].port->HasUnread(sock->id);
      return;
    case StepKind::submit:
      if (Sock* sock = Pick(step.a)) ends_[sock->port].port->Submit(sock->id);
      return;
    case StepKind::read:
      return Read(step.a);
    case StepKind::drive:
      return Drive(PickPort(step.a), static_cast<int>(step.b));
    case StepKind::sleep:
      return Sleep(step.a);
    default:
      return PeerActs(step);
  }
}

// --- Time

void Consumer::Drive(std::uint32_t port, int ms) {
  if (!DrivesItself()) return Sleep(static_cast<std::uint64_t>(ms) * 1000);
  const bool found = ends_[port].port->Drive(ms);
  Expect(found == (ends_[port].completions.Available() != 0), "Drive() says what is not so");
}

// Where it drives itself it is away.
void Consumer::Sleep(std::uint64_t us) {
  const std::uint64_t until_ns = kernel_->NowNs() + us * 1000;
  if (DrivesItself()) return kernel_->AdvanceTo(until_ns, Fibers::Stops::kByChance);
  for (PortEnd& end : ends_) {
    end.woken = false;
    end.port->ConsumerSleeps();
  }
  kernel_->AdvanceTo(until_ns, Fibers::Stops::kByChance);
  CheckWakes();
  for (PortEnd& end : ends_) end.header.StayAwake(kConsumerAsleep);
}

// Every thread waits: has anybody been left asleep?
void Consumer::CheckWakes() {
  if (!kernel_->fibers().AllWait()) return;
  for (PortEnd& end : ends_) {
    const bool asleep = end.header.At(kConsumerAsleep).load() != 0;
    Expect(!asleep || end.completions.Available() == 0, "completions are there, and nobody woke");
    const bool has_left =
        end.header.At(kSubmissionTail).load() != end.header.At(kSubmissionHead).load();
    Expect(!has_left, "the port sleeps over submissions");
  }
}

// --- Peers

Remote* Consumer::PickRemote(std::uint32_t number) {
  TakeRemote();
  return remotes_.empty() ? nullptr : &remotes_[number % remotes_.size()];
}

// What has connected to the peers' listener.
void Consumer::TakeRemote() {
  while (Socket* socket = kernel_->Accept(remote_listener_)) remotes_.push_back({socket});
}

// A duplicate is its holder's only when the port is done with it.
bool Consumer::IsFree(const Remote& remote) {
  if (remote.handle < 0) return true;
  const Sock* sock = Find(*remote.socket);
  return sock == nullptr || sock->ending == Ending::kClosed;
}

void Consumer::PeerActs(const Step& step) {
  if (step.kind == StepKind::peer_connect) {
    if (listeners_.empty()) return;
    const Listening& to = listeners_[step.a % listeners_.size()];
    for (std::uint32_t i = 0; i < step.b; ++i) {
      Socket* client = kernel_->NewSocket();
      if (kernel_->Connect(client, to.socket->port) == Error::kOk) remotes_.push_back({client});
    }
    return;
  }
  Remote* remote = PickRemote(step.a);
  if (remote == nullptr) return;
  Socket* socket = remote->socket;
  if (!IsFree(*remote)) return;
  switch (step.kind) {
    case StepKind::peer_send:
      return PeerSends(socket, step.b);
    case StepKind::peer_read:
      return PeerReads(socket, step.b);
    case StepKind::peer_end:
      kernel_->Shutdown(socket);
      return;
    case StepKind::peer_reset:
      socket->resets_on_close = true;
      [[fallthrough]];
    case StepKind::peer_close:
      if (socket->closed) return;
      if (remote->handle < 0) return kernel_->CloseSocket(socket);
      kernel_->Close(remote->handle);
      std::erase_if(remotes_, [socket](const Remote& one) { return one.socket == socket; });
      return;
    default:
      return;
  }
}

void Consumer::PeerSends(Socket* peer, std::uint32_t bytes) {
  if (peer->closed || peer->out.end_sent) return;
  const auto data = test::PatternBytes(peer->stream, peer->out.sent, bytes);
  kernel_->Send(peer, data.data(), data.size());
}

void Consumer::PeerReads(Socket* peer, std::uint64_t bytes) {
  if (peer->closed) return;
  std::uint8_t into[4096];
  while (bytes != 0) {
    const std::int32_t got = kernel_->Receive(peer, into, std::min<std::uint64_t>(bytes, 4096));
    if (got <= 0) return;
    bytes -= static_cast<std::uint64_t>(got);
  }
}

// --- The end

void Consumer::Pass(int ms) {
  Publish();
  if (DrivesItself()) {
    const int each_ms = ms / static_cast<int>(ends_.size());
    for (PortEnd& end : ends_) end.port->Drive(each_ms);
  } else {
    Sleep(static_cast<std::uint64_t>(ms) * 1000);
  }
  Read(~0u);
}

// The consumer and its peers do what lets everything come to its end.
void Consumer::Encourage(int round) {
  TakeRemote();
  for (std::size_t i = 0; i < remotes_.size(); ++i) {
    if (!IsFree(remotes_[i])) continue;
    PeerReads(remotes_[i].socket, ~std::uint64_t{0});
    if (!remotes_[i].socket->closed) kernel_->Shutdown(remotes_[i].socket);
  }
  // By index: a full ring is handed over meanwhile, but nothing is read.
  for (std::size_t i = 0; i < socks_.size(); ++i) {
    Sock* sock = &socks_[i];
    while (!sock->held.empty()) GiveBack(sock, 0);
    if (sock->ending != Ending::kOpen) continue;
    // It can send no end: that its stream is over the peer learns from its closing.
    if (sock->socket->met_end_of_file) {
      Close(sock, 0);
      continue;
    }
    Shutdown(sock);
    if (sock->ended.has_value() || sock->connecting) continue;
    if (sock->credit == 0 && sock->pinned.empty()) Grant(sock, 4);
  }
  CheckBacklogs();
  if (round < kCloseListenersAt) return;
  for (Listening& listening : listeners_) CloseListener(&listening);
}

// The consumer reads everything, so nothing holds an accept back for long.
void Consumer::CheckBacklogs() {
  if (config_.completion_entries < kEnoughToAccept) return;
  for (Listening& listening : listeners_) {
    if (listening.ending != Ending::kOpen || listening.has_failed) continue;
    const bool is_behind = !listening.socket->backlog.empty();
    listening.rounds_behind = is_behind ? listening.rounds_behind + 1 : 0;
    Expect(listening.rounds_behind < kRoundsBehind, "a connection is left in the backlog");
  }
}

bool Consumer::HasCome() const { return WhatIsMissing().empty(); }

std::string Consumer::WhatIsMissing() const {
  for (const Sock& sock : socks_) {
    if (sock.ending == Ending::kClosed) continue;
    const std::string which = " of stream " + std::to_string(sock.socket->stream);
    if (sock.ending == Ending::kSubmitted) return "the close" + which;
    if (sock.connecting) return "the connect" + which;
    if (!sock.sends.empty()) return "a send" + which;
    if (sock.shutdowns != 0) return "the shutdown" + which;
    if (!sock.ended.has_value()) return "the end" + which;
  }
  if (!strays_.empty()) return "an operation on nothing";
  for (const Listening& listening : listeners_) {
    if (listening.ending != Ending::kClosed) return "the close of a listener";
  }
  return "";
}

bool Consumer::AllClosed() {
  bool all = true;
  for (std::size_t i = 0; i < socks_.size(); ++i) {
    while (!socks_[i].held.empty()) GiveBack(&socks_[i], 0);
    if (socks_[i].ending == Ending::kOpen) Close(&socks_[i], 0);
    all = all && socks_[i].ending == Ending::kClosed;
  }
  return all;
}

void Consumer::Finish() {
  if (ends_.empty()) return;
  kernel_->choices().CalmDown();
  kernel_->LiftLimits(1 << 20);
  Read(~0u);
  int round = 0;
  for (; round < kRounds && kernel_->IsRight(); ++round) {
    Encourage(round);
    Pass(kRoundMs);
    if (round > kCloseListenersAt && HasCome()) break;
  }
  if (!kernel_->IsRight()) return;
  if (!HasCome()) return kernel_->Violate("it never comes: " + WhatIsMissing());
  for (round = 0; round < kRounds && !AllClosed() && kernel_->IsRight(); ++round) Pass(kRoundMs);
  if (!kernel_->IsRight()) return;
  if (!AllClosed()) return kernel_->Violate("it never comes: kClose");
  AllClosed();  // what came with the last kClose is given back
  // The gauges are true a second after the last chunk came back, at the latest.
  for (int ms = 0; ms < kGaugesMs; ms += kRoundMs) Pass(kRoundMs);
  stopping_ = true;
  group_->Stop();
  CheckBalance();
}

void Consumer::Stop() {
  if (ends_.empty()) return;
  Publish();
  stopping_ = true;
  group_->Stop();
  kernel_->choices().CalmDown();
  Read(~0u);
  std::uint32_t duplicates = 0;
  for (const Remote& remote : remotes_) duplicates += remote.handle >= 0 ? 1 : 0;
  Expect(kernel_->OpenHandles() == duplicates, "descriptors are left open by Stop()");
  for (const auto& socket : kernel_->sockets()) {
    Expect(socket->held == 0, "the system holds an operation after Stop()");
  }
}

std::uint64_t Consumer::Count(std::uint32_t port, Counter counter) const {
  const auto* counters =
      reinterpret_cast<const std::uint64_t*>(ends_[port].rings + kCountersOffset);
  return counters[static_cast<std::size_t>(counter)];
}

std::uint64_t Consumer::CountOf(Opcode opcode, std::uint32_t which) const {
  const auto counter = static_cast<Counter>(static_cast<std::uint32_t>(Counter::kPerOpcode) +
                                            2 * static_cast<std::uint32_t>(opcode) + which);
  std::uint64_t total = 0;
  for (std::uint32_t port = 0; port < ends_.size(); ++port) total += Count(port, counter);
  return total;
}

void Consumer::CheckBalance() {
  std::uint32_t duplicates = 0;
  for (const Remote& remote : remotes_) duplicates += remote.handle >= 0 ? 1 : 0;
  Expect(kernel_->OpenHandles() == duplicates, "a descriptor is left open");
  std::uint64_t received = 0;
  for (const Sock& sock : socks_) {
    received += sock.received;
    Expect(sock.held.empty(), "a chunk is left with the consumer");
    for (const PinnedMemory& memory : sock.spent) {
      Expect(IsSpent(memory), "pinned memory written late");
    }
  }
  std::uint64_t counted = 0;
  for (std::uint32_t port = 0; port < ends_.size(); ++port) {
    counted += Count(port, Counter::kBytesReceived);
    Expect(Count(port, Counter::kSocketsOpen) == 0, "kSocketsOpen is not 0");
    Expect(Count(port, Counter::kListenersOpen) == 0, "kListenersOpen is not 0");
    Expect(Count(port, Counter::kChunksInUse) == 0, "a chunk is lost");
  }
  Expect(counted == received, "kBytesReceived is not what was received");
  for (const Opcode opcode : {Opcode::kConnect, Opcode::kSend, Opcode::kShutdown}) {
    Expect(CountOf(opcode, 0) == CountOf(opcode, 1), "more was submitted than has completed");
  }
  Expect(CountOf(Opcode::kClose, 1) == socks_.size(), "as many kClose as sockets");
  Expect(CountOf(Opcode::kReceive, 1) <= CountOf(Opcode::kReceive, 0), "more receives than credit");
}

}  // namespace completion_port::sim
