// The books of a client: what each completion must be, and how it all has to end.
#include <algorithm>
#include <cstring>

#include "chunk_pool.h"
#include "client.h"

namespace completion_port::test {
namespace {

constexpr std::size_t kSpentKept = 8;

Error ErrorOf(std::int32_t result) { return static_cast<Error>(-result); }

bool IsAll(const std::vector<std::uint8_t>& bytes, std::size_t from, std::uint8_t value) {
  return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end(),
                     [value](std::uint8_t byte) { return byte == value; });
}

}  // namespace

void Client::OnCompletion(std::uint32_t port, const Completion& completion) {
  const auto opcode = static_cast<Opcode>(completion.opcode);
  if (opcode == Opcode::kAccept) return OnAccepted(port, completion);
  const bool is_of_datagrams = opcode == Opcode::kAwaitReadable ||
                               opcode == Opcode::kAwaitWritable ||
                               opcode == Opcode::kCloseDatagrams;
  if (is_of_datagrams) {
    return datagram_events.push_back({opcode, completion.id, ErrorOf(completion.result)});
  }
  if (opcode == Opcode::kCloseListener) {
    for (Accepting& listener : listeners_) {
      if (listener.port != port || listener.id != completion.id || listener.closed) continue;
      CHECK(listener.close_submitted || stopped_);
      listener.closed = true;
      return;
    }
    return Fail(__FILE__, __LINE__, "kCloseListener for a listener that is not open");
  }
  const auto found = ends_[port]->socks.find(completion.id);
  if (found == ends_[port]->socks.end()) {
    if (OnStray(port, completion)) return;
    return Fail(__FILE__, __LINE__,
                "completion of opcode " + std::to_string(completion.opcode) + ", result " +
                    std::to_string(completion.result) + ", for an id that names nothing");
  }
  Sock* sock = found->second;
  switch (opcode) {
    case Opcode::kConnect:
      return OnConnected(sock, completion);
    case Opcode::kReceive:
      if (IsOfPinned(*sock, completion)) return OnReceivedPinned(sock, completion.result);
      return OnReceived(sock, completion);
    case Opcode::kSend:
      return OnSent(sock, completion);
    case Opcode::kShutdown:
      if (sock->shutdowns_pending == 0 && OnStray(port, completion)) return;
      CHECK(sock->shutdowns_pending != 0);
      // The FIN follows the sends submitted before it.
      if (completion.result == 0) CHECK(sock->send_results.size() >= sock->sends_before_shutdown);
      --sock->shutdowns_pending;
      sock->shutdown_results.push_back(ErrorOf(completion.result));
      return;
    case Opcode::kLinger:
      CHECK(sock->close_submitted && !sock->lingers);
      sock->lingers = true;
      return;
    case Opcode::kClose:
      CHECK(sock->close_submitted || stopped_);
      return OnClosed(sock);
    default:
      return Fail(__FILE__, __LINE__, "a completion that is none");
  }
}

// Operations submitted with Submit() on ids that name nothing, or whose books do not know them.
bool Client::OnStray(std::uint32_t, const Completion& completion) {
  if (strays.size() >= strays_expected) return false;
  const auto opcode = static_cast<Opcode>(completion.opcode);
  strays.push_back({opcode, completion.id, ErrorOf(completion.result)});
  return true;
}

void Client::OnAccepted(std::uint32_t port, const Completion& completion) {
  for (Accepting& listener : listeners_) {
    if (listener.port != completion.arg1 || listener.id != completion.id) continue;
    CHECK(listener.armed);
    if (completion.result != 0) {
      listener.errors.push_back(ErrorOf(completion.result));
      return;
    }
    Sock* sock = Adopt(port, completion.arg0);
    sock->credit = listener.credit;
    listener.accepted.push_back(sock);
    return;
  }
  Fail(__FILE__, __LINE__, "kAccept for a listener that does not exist");
}

void Client::OnConnected(Sock* sock, const Completion& completion) {
  if (!sock->connect_pending && OnStray(sock->port, completion)) return;
  CHECK(sock->connect_pending);
  CHECK(!sock->connected.has_value());
  CHECK_EQ(sock->receives, 0);
  sock->connect_pending = false;
  sock->connected = ErrorOf(completion.result);
}

// --- Receiving

void Client::Granted(Sock* sock, std::uint32_t credit) {
  if (credit == 0) return;
  sock->credit += credit;
  if (!sock->pinned.empty()) sock->pinned.back().credit_behind += credit;
}

std::uint32_t Sock::CreditAhead() const {
  std::uint32_t behind = 0;
  for (const PinnedMemory& memory : pinned) behind += memory.credit_behind;
  return credit - behind;
}

void Client::OnReceived(Sock* sock, const Completion& completion) {
  if (completion.result == ToResult(Error::kCanceled)) return OnWithdrawn(sock, completion.arg1);
  // Nothing comes beyond the credit, nor before the pinned ones submitted before it.
  CHECK(sock->CreditAhead() != 0);
  CHECK(!sock->ended.has_value());
  CHECK(!sock->lingers);
  CHECK(!sock->connect_pending);
  --sock->credit;
  if (completion.result <= 0) {
    sock->ended = ErrorOf(completion.result);
    return;
  }
  PortEnd& end = *ends_[sock->port];
  const auto length = static_cast<std::uint32_t>(completion.result);
  const HeldChunk chunk{completion.arg0, completion.arg1, length};
  CHECK_AT_MOST(std::uint64_t{chunk.offset} + length, options_.receive_slab_bytes);
  // Neither this chunk nor a byte of it is with us already.
  const auto after = end.chunks.lower_bound(chunk.offset);
  if (after != end.chunks.end()) CHECK_AT_MOST(chunk.offset + length, after->second.offset);
  if (after != end.chunks.begin()) {
    const HeldChunk& before = std::prev(after)->second;
    CHECK_AT_MOST(before.offset + before.length, chunk.offset);
  }
  for (const auto& held : end.chunks) CHECK(held.second.chunk != chunk.chunk);
  end.chunks[chunk.offset] = chunk;
  ++sock->receives;
  sock->largest = std::max(sock->largest, length);
  TakeBytes(sock, end.receive_slab + chunk.offset, length);
  sock->held.push_back(chunk);
  if (sock->gives_back) GiveBack(sock, sock->close_submitted ? 0 : sock->refill);
}

void Client::TakeBytes(Sock* sock, const std::uint8_t* bytes, std::uint32_t length) {
  sock->received += length;
  if (sock->sink) {
    sock->sink(bytes, length);
  } else {
    sock->data.insert(sock->data.end(), bytes, bytes + length);
  }
}

// Whose it is says the order: credit ahead of a pinned one is used up before it is looked at.
bool Client::IsOfPinned(const Sock& sock, const Completion& completion) {
  if (completion.arg0 != kNoChunk || completion.result > 0) return completion.arg0 == kNoChunk;
  const Error error = ErrorOf(completion.result);
  if (error == Error::kCanceled) return completion.arg1 == 0;
  if (error == Error::kTryAgain || error == Error::kBusy) return true;
  return !sock.pinned.empty() && sock.CreditAhead() == 0;
}

void Client::OnReceivedPinned(Sock* sock, std::int32_t result) {
  if (sock->pinned.empty()) return Fail(__FILE__, __LINE__, "a pinned receive that is none");
  PinnedMemory memory = std::move(sock->pinned.front());
  sock->pinned.pop_front();
  sock->pinned_results.push_back(result);
  const Error error = result > 0 ? Error::kOk : ErrorOf(result);
  if (error == Error::kCanceled) {
    CHECK(sock->withdrawals != 0);
  } else {
    CHECK(!sock->ended.has_value());
    if (error == Error::kTryAgain) CHECK(memory.at_once);
    if (error == Error::kBusy) {
      // Elsewhere the system may go on receiving for a while after the credit is used up.
      CHECK(sock->credit != 0 || setup_.backend != BackendKind::kEpoll || options_.may_lack_memory);
    } else if (error != Error::kTryAgain) {
      CHECK_EQ(sock->CreditAhead(), memory.credit_behind);
      if (result <= 0) sock->ended = error;
    }
  }
  CHECK(!sock->lingers);
  const std::size_t length = result > 0 ? static_cast<std::size_t>(result) : 0;
  CHECK_AT_MOST(length, memory.bytes.size());
  CHECK(IsAll(memory.bytes, std::min(length, memory.bytes.size()), kPoisonBefore));
  if (length != 0) {
    sock->received_pinned += length;
    TakeBytes(sock, memory.bytes.data(), static_cast<std::uint32_t>(length));
  }
  Spend(sock, std::move(memory));
}

void Client::OnWithdrawn(Sock* sock, std::uint32_t credit) {
  CHECK(sock->withdrawals != 0);
  CHECK_AT_MOST(credit, sock->CreditAhead());
  sock->credit -= std::min(credit, sock->credit);
  sock->withdrawn += credit;
}

// From here on nobody writes there.
void Client::Spend(Sock* sock, PinnedMemory memory) {
  std::fill(memory.bytes.begin(), memory.bytes.end(), kPoisonAfter);
  sock->spent.push_back(std::move(memory));
  while (sock->spent.size() > kSpentKept) {
    CHECK(IsAll(sock->spent.front().bytes, 0, kPoisonAfter));
    sock->spent.pop_front();
  }
}

// --- Sending and closing

void Client::OnSent(Sock* sock, const Completion& completion) {
  if (sock->sends.empty() && OnStray(sock->port, completion)) return;
  const std::uint32_t count = completion.arg0;
  CHECK(count != 0);
  if (count > sock->sends.size()) {
    return Fail(__FILE__, __LINE__, "more sends completed than were submitted");
  }
  const bool is_first_failure = completion.result < 0 && (sock->send_results.empty() ||
                                                          Last(sock->send_results) == Error::kOk);
  if (is_first_failure) sock->taken_of_failed = completion.arg1;
  for (std::uint32_t i = 0; i < count; ++i) {
    Overwrite(*ends_[sock->port], sock->sends.front());
    sock->sends.pop_front();
    sock->send_results.push_back(ErrorOf(completion.result));
  }
}

void Client::Overwrite(PortEnd& end, SendRequest& request) {
  for (auto& bytes : request.pinned) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0xdd});
  for (const auto& [offset, length] : request.in_slab) {
    std::memset(end.send_slab + offset, 0xdd, length);
    --end.send_slab_pieces;
  }
}

void Client::OnClosed(Sock* sock) {
  CHECK(!sock->connect_pending);
  CHECK_EQ(sock->sends.size(), 0);
  CHECK_EQ(sock->shutdowns_pending, 0);
  sock->closed = true;
  sock->credit = 0;
  for (; !sock->pinned.empty(); sock->pinned.pop_front()) {  // kClose stood for them
    CHECK(IsAll(sock->pinned.front().bytes, 0, kPoisonBefore));
    Spend(sock, std::move(sock->pinned.front()));
  }
  ends_[sock->port]->socks.erase(sock->id);
  open_requests_.erase(sock);
}

// --- The end

int Client::Stop() {
  Flush();
  stopped_ = true;
  const std::uint64_t started_ms = NowMs();
  group_.Stop();
  const int took_ms = static_cast<int>(NowMs() - started_ms);
  max_batch = ~0u;
  while (Drain() != 0) {
  }
  return took_ms;
}

void Client::Finish() {
  if (finished_) return;
  finished_ = true;
  if (!started() || stopped_) {
    if (!stopped_) group_.Stop();
    return;
  }
  max_batch = ~0u;
  Drain();
  for (Sock& sock : socks_) {
    while (!sock.held.empty()) GiveBack(&sock);
    sock.gives_back = true;
    if (!sock.closed && !sock.close_submitted) Close(&sock, true);
  }
  for (Accepting& listener : listeners_) {
    if (!listener.closed && !listener.close_submitted) CloseListener(&listener);
  }
  const auto all_closed = [&] {
    for (Sock& sock : socks_) {
      // Accepted while we were closing.
      if (!sock.closed && !sock.close_submitted) Close(&sock, true);
      if (!sock.closed) return Flush(), false;
    }
    return std::all_of(listeners_.begin(), listeners_.end(),
                       [](const Accepting& listener) { return listener.closed; }) &&
           strays.size() == strays_expected;
  };
  const bool closed = WaitUntil(all_closed, 5000);
  CHECK(closed);
  CHECK_AT_MOST(Stop(), Patience(1000));
  if (closed) CheckBalance();
}

void Client::CheckBalance() {
  for (const Sock& sock : socks_) {
    CHECK(sock.closed && sock.Idle());
    for (const PinnedMemory& memory : sock.spent) CHECK(IsAll(memory.bytes, 0, kPoisonAfter));
  }
  CHECK_EQ(strays.size(), strays_expected);
  for (const Opcode opcode : {Opcode::kConnect, Opcode::kSend, Opcode::kShutdown}) {
    CHECK_EQ(CountSubmitted(opcode), CountCompleted(opcode));
  }
  // The rest of these was cancelled, and kClose stood for it.
  CHECK_AT_MOST(CountCompleted(Opcode::kReceive), CountSubmitted(Opcode::kReceive));
  CHECK_EQ(CountCompleted(Opcode::kClose), socks_.size());
  for (std::uint32_t port = 0; port < ends_.size(); ++port) {
    CHECK_EQ(ends_[port]->chunks.size(), 0);
    CHECK_EQ(ends_[port]->socks.size(), 0);
    CHECK_EQ(Count(Counter::kSocketsOpen, port), 0);
    CHECK_EQ(Count(Counter::kListenersOpen, port), 0);
  }
}

}  // namespace completion_port::test
