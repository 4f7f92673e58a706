// The simulated consumer: the books, and what each completion must be. See consumer.h.
#include <algorithm>
#include <cstring>
#include <utility>

#include "consumer.h"
#include "pattern.h"

namespace completion_port::sim {

namespace {

constexpr std::uint8_t kPoisonBefore = 0xa5;
constexpr std::uint8_t kPoisonAfter = 0x5a;
constexpr std::size_t kSpentKept = 4;
constexpr std::uint32_t kNoChunkIndex = 0xffffffffu;

bool IsAll(const std::vector<std::uint8_t>& bytes, std::size_t from, std::uint8_t value) {
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                     [value](std::uint8_t byte) { return byte == value; });
}

}  // namespace

bool IsSpent(const PinnedMemory& memory) { return IsAll(memory.bytes, 0, kPoisonAfter); }

void Consumer::Expect(bool holds, const char* what) {
  if (!holds) kernel_->Violate(what);
}

std::uint32_t Sock::CreditAhead() const {
  std::uint32_t behind = 0;
  for (const PinnedMemory& memory : pinned) behind += memory.credit_behind;
  return credit > behind ? credit - behind : 0;
}

Sock* Consumer::Find(std::uint32_t port, SocketId id) {
  for (auto sock = socks_.rbegin(); sock != socks_.rend(); ++sock) {
    if (sock->id == id && sock->port == port && sock->ending != Ending::kClosed) return &*sock;
  }
  return nullptr;
}

Sock* Consumer::Find(const Socket& socket) {
  for (Sock& sock : socks_) {
    if (sock.socket == &socket) return &sock;
  }
  return nullptr;
}

void Consumer::Read(std::uint32_t most) {
  for (std::uint32_t port = 0; port < ends_.size(); ++port) {
    PortEnd& end = ends_[port];
    for (std::uint32_t left = most; left != 0 && end.completions.Available() != 0; --left) {
      const Completion completion = end.completions.Read(0);
      kernel_->Trace("completion", completion.opcode, completion.id, completion.result);
      OnCompletion(port, completion);
      end.completions.Advance(1);
    }
    // It holds something back for want of room: see layout.h.
    if (end.header.At(kCompletionOverflow).load() != 0 && !stopping_) end.port->Wake();
  }
}

void Consumer::OnCompletion(std::uint32_t port, const Completion& completion) {
  const auto opcode = static_cast<Opcode>(completion.opcode);
  if (opcode == Opcode::kAccept) return OnAccept(port, completion);
  if (opcode == Opcode::kCloseListener) {
    for (Listening& listening : listeners_) {
      if (listening.port != port || listening.id != completion.id) continue;
      if (listening.ending == Ending::kClosed) continue;
      Expect(listening.ending == Ending::kSubmitted || stopping_, "a listener closes unasked");
      listening.ending = Ending::kClosed;
      return;
    }
    return kernel_->Violate("kCloseListener for a listener that is not open");
  }
  Sock* sock = Find(port, completion.id);
  if (sock == nullptr) {
    if (stopping_) return;  // accepted, and closed by Stop()
    if (!OnStray(port, completion)) kernel_->Violate("a completion for an id that names nothing");
    return;
  }
  switch (opcode) {
    case Opcode::kConnect:
      return OnConnect(sock, completion.result);
    case Opcode::kReceive:
      return OnReceive(sock, completion);
    case Opcode::kSend:
      return OnSend(sock, completion);
    case Opcode::kShutdown:
      return OnShutdown(sock, completion.result);
    case Opcode::kLinger:
      Expect(sock->ending == Ending::kSubmitted && !sock->lingers, "kLinger out of place");
      sock->lingers = true;
      return;
    case Opcode::kClose:
      return OnClosed(sock);
    default:
      return kernel_->Violate("a completion that is none");
  }
}

bool Consumer::OnStray(std::uint32_t port, const Completion& completion) {
  for (auto stray = strays_.begin(); stray != strays_.end(); ++stray) {
    if (static_cast<std::uint32_t>(stray->opcode) != completion.opcode ||
        stray->id != completion.id || stray->port != port) {
      continue;
    }
    Expect(completion.result < 0, "an operation on nothing succeeds");
    strays_.erase(stray);
    return true;
  }
  return false;
}

void Consumer::OnAccept(std::uint32_t port, const Completion& completion) {
  const auto of = std::find_if(listeners_.begin(), listeners_.end(), [&](const Listening& one) {
    return one.port == completion.arg1 && one.id == completion.id;
  });
  if (of == listeners_.end()) return kernel_->Violate("kAccept for a listener that is not there");
  if (completion.result != 0) {
    of->has_failed = true;
    return;
  }
  Expect(Find(port, completion.arg0) == nullptr, "an accepted socket has the id of another");
  if (stopping_) return;  // closed already
  const auto handle = ends_[port].port->NativeHandle(completion.arg0);
  Socket* socket = kernel_->At(static_cast<int>(handle));
  if (socket == nullptr) return kernel_->Violate("an accepted socket that does not exist");
  ++accepted_;
  Sock& sock = socks_.emplace_back();
  sock.port = port;
  sock.id = completion.arg0;
  sock.socket = socket;
  sock.connected = true;
  sock.credit = config_.credit;
}

void Consumer::OnConnect(Sock* sock, std::int32_t result) {
  Expect(sock->connecting, "kConnect twice, or unasked");
  sock->connecting = false;
  if (result == 0) {
    sock->connected = true;
    return;
  }
  sock->send_failed = true;
  sock->ended = static_cast<Error>(-result);
}

// --- Receiving

void Consumer::CheckBytes(const Sock& sock, const std::uint8_t* data, std::size_t length,
                          std::uint64_t at) {
  if (sock.socket->peer == nullptr) return kernel_->Violate("bytes without a peer");
  const auto expected = test::PatternBytes(sock.socket->peer->stream, at, length);
  Expect(std::memcmp(expected.data(), data, length) == 0,
         "bytes that were not sent, or not here, or are overwritten");
}

void Consumer::OnReceive(Sock* sock, const Completion& completion) {
  const std::int32_t result = completion.result;
  Expect(!sock->connecting, "received before it is connected");
  Expect(!sock->lingers, "received after kLinger");
  if (result > 0 && completion.arg0 != kNoChunkIndex) return OnBytes(sock, completion);
  if (result == ToResult(Error::kCanceled) && completion.arg1 != 0) {
    return OnWithdrawn(sock, completion.arg1);
  }
  const bool is_of_pinned = result > 0 || result == ToResult(Error::kTryAgain) ||
                            result == ToResult(Error::kBusy) ||
                            result == ToResult(Error::kCanceled) || sock->CreditAhead() == 0;
  if (is_of_pinned) return OnPinned(sock, result);
  Expect(!sock->ended.has_value(), "ends twice");
  --sock->credit;
  sock->ended = static_cast<Error>(-result);
  if (result == 0 && sock->socket->state == SocketState::kConnected) {
    Expect(sock->received == sock->socket->peer->out.sent, "the end comes before the last byte");
  }
}

void Consumer::OnBytes(Sock* sock, const Completion& completion) {
  Expect(sock->CreditAhead() != 0, "received beyond the credit");
  Expect(!sock->ended.has_value(), "received after the end");
  const auto length = static_cast<std::uint32_t>(completion.result);
  for (const Sock& other : socks_) {
    if (other.port != sock->port) continue;
    for (const HeldChunk& held : other.held) {
      Expect(held.chunk != completion.arg0, "a chunk is delivered twice");
      const bool apart =
          held.offset + held.length <= completion.arg1 || completion.arg1 + length <= held.offset;
      Expect(apart, "two chunks overlap");
    }
  }
  sock->credit -= sock->credit != 0 ? 1 : 0;
  CheckBytes(*sock, ends_[sock->port].receive_slab + completion.arg1, length, sock->received);
  sock->held.push_back({completion.arg0, completion.arg1, length, sock->received});
  sock->received += length;
  if (config_.gives_back != 0) GiveBack(sock, 1);
}

void Consumer::OnPinned(Sock* sock, std::int32_t result) {
  if (sock->pinned.empty()) return kernel_->Violate("a receive completes that was not submitted");
  PinnedMemory memory = std::move(sock->pinned.front());
  sock->pinned.pop_front();
  const auto length = static_cast<std::size_t>(std::max(result, 0));
  if (length > memory.bytes.size()) return kernel_->Violate("more than there was room for");
  if (result > 0) {
    CheckBytes(*sock, memory.bytes.data(), length, sock->received);
    sock->received += length;
  } else if (result != ToResult(Error::kTryAgain) && result != ToResult(Error::kBusy) &&
             result != ToResult(Error::kCanceled)) {
    Expect(!sock->ended.has_value(), "ends twice");
    sock->ended = static_cast<Error>(-result);
  }
  Expect(IsAll(memory.bytes, length, kPoisonBefore), "pinned memory written beyond the bytes");
  Spend(sock, std::move(memory));
}

// Nobody may write there any more.
void Consumer::Spend(Sock* sock, PinnedMemory memory) {
  std::fill(memory.bytes.begin(), memory.bytes.end(), kPoisonAfter);
  sock->spent.push_back(std::move(memory));
  if (sock->spent.size() <= kSpentKept) return;
  Expect(IsSpent(sock->spent.front()), "pinned memory written late");
  sock->spent.pop_front();
}

void Consumer::OnWithdrawn(Sock* sock, std::uint32_t credit) {
  Expect(sock->withdrawals != 0, "credit comes back unasked");
  Expect(credit <= sock->credit, "more credit comes back than was granted");
  // The pinned ones that it took back have said so before. What is behind others was granted later.
  sock->credit -= std::min(credit, sock->credit);
}

// --- Sending

// The port no longer looks at it.
void Consumer::Forget(std::uint32_t port, SendRequest* request) {
  for (auto& bytes : request->pinned) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xee});
  for (const auto& [offset, length] : request->in_slab) {
    std::memset(ends_[port].send_slab + offset, 0xee, length);
    ends_[port].free_blocks.push_back(offset / 1024);
  }
}

void Consumer::OnSend(Sock* sock, const Completion& completion) {
  Expect(completion.arg0 != 0, "a send completion of nothing");
  for (std::uint32_t i = 0; i < completion.arg0; ++i) {
    if (sock->sends.empty()) return kernel_->Violate("more sends complete than were submitted");
    SendRequest& request = sock->sends.front();
    if (completion.result == 0) {
      Expect(!request.is_late, "a send behind the end succeeds");
      Expect(sock->socket->out.sent >= request.end, "a send is done of which bytes are left");
    } else if (!request.is_late) {
      sock->send_failed = true;
    }
    Forget(sock->port, &request);
    sock->sends.pop_front();
  }
}

void Consumer::OnShutdown(Sock* sock, std::int32_t result) {
  Expect(sock->shutdowns != 0, "kShutdown twice, or unasked");
  sock->shutdowns -= sock->shutdowns != 0 ? 1 : 0;
  if (result != 0) return;
  const bool is_done = sock->socket->out.end_sent || sock->socket->state == SocketState::kReset;
  Expect(is_done, "kShutdown without FIN");
}

// --- Closing

void Consumer::OnClosed(Sock* sock) {
  Expect(sock->ending == Ending::kSubmitted || stopping_, "closes unasked");
  Expect(!sock->connecting, "closed before kConnect");
  Expect(sock->sends.empty(), "closed with a send that did not complete");
  Expect(sock->shutdowns == 0, "closed with a shutdown that did not complete");
  sock->ending = Ending::kClosed;
  sock->credit = 0;
  for (; !sock->pinned.empty(); sock->pinned.pop_front()) {
    Expect(IsAll(sock->pinned.front().bytes, 0, kPoisonBefore), "written, and not said");
    Spend(sock, std::move(sock->pinned.front()));
  }
}

void Consumer::OnEnd(const Socket& socket) {
  const Sock* sock = Find(socket);
  if (sock == nullptr) return;
  const bool is_asked = sock->shutdown_submitted || sock->ending != Ending::kOpen || stopping_;
  Expect(is_asked, "FIN that nobody asked for");
  Expect(socket.out.sent == sock->submitted, "FIN before the last byte");
  const bool is_released = sock->ending != Ending::kOpen && sock->close_mode == 2;
  Expect(!is_released || sock->shutdown_submitted, "FIN on a connection that goes on elsewhere");
}

void Consumer::OnClose(const Socket& socket) {
  const Sock* sock = Find(socket);
  const bool is_polite = sock != nullptr && sock->connected && sock->close_mode == 0 &&
                         sock->ending == Ending::kSubmitted && !stopping_ &&
                         socket.state == SocketState::kConnected;
  if (!is_polite) return;
  Expect(socket.peer->out.Unread() == 0, "a polite close resets");
  const std::uint64_t linger_ns = std::uint64_t{config_.linger_ms} * 1'000'000;
  constexpr std::uint64_t kRoundingNs = 1'000'000;  // the port counts whole milliseconds
  const bool is_patient = kernel_->NowNs() + kRoundingNs >= sock->closed_at_ns + linger_ns;
  const bool has_failed = sock->send_failed || socket.met_end_of_file;
  Expect(is_patient || has_failed || socket.out.sent == sock->submitted,
         "closed before its sends were done");
}

}  // namespace completion_port::sim
