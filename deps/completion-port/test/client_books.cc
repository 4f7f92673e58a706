// The books of a client: what each completion must be, and how it all has to end.
#include <algorithm>
#include <cstring>

#include "client.h"

namespace completion_port::test {
namespace {

Error ErrorOf(std::int32_t result) { return static_cast<Error>(-result); }

}  // namespace

void Client::OnCompletion(std::uint32_t port, const Completion& completion) {
  const auto opcode = static_cast<Opcode>(completion.opcode);
  if (opcode == Opcode::kAccept) return OnAccepted(port, completion);
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
      return OnReceived(sock, completion);
    case Opcode::kReadable:
      return OnReadable(sock, completion);
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
  if (sock->readable == Readable::kAwaited) {
    sock->credit_behind_readable += credit;
  } else {
    sock->readable = Readable::kUnknown;
  }
}

void Client::OnReceived(Sock* sock, const Completion& completion) {
  // Nothing comes beyond the credit, nor on such as has to wait for a kReadable.
  CHECK(sock->credit > sock->credit_behind_readable);
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

void Client::OnReadable(Sock* sock, const Completion& completion) {
  if (sock->readable != Readable::kAwaited && OnStray(sock->port, completion)) return;
  CHECK(sock->readable == Readable::kAwaited);
  CHECK(!sock->lingers);
  CHECK(!sock->connect_pending || completion.result != 0);
  const Error error = ErrorOf(completion.result);
  sock->readable_results.push_back(error);
  sock->readable = Readable::kUnknown;
  if (error == Error::kOk) {
    // What was granted before it is used up, or the system would have had a receive as well.
    CHECK_EQ(sock->credit, sock->credit_behind_readable);
    if (sock->credit == 0) sock->readable = Readable::kYes;
  } else if (error != Error::kBusy && error != Error::kNotConnected) {
    // It may have come on the last credit already: who asks after that is told again.
    if (!sock->ended) sock->ended = error;
  }
  sock->credit_behind_readable = 0;
}

std::int32_t Client::ReceiveDirectly(Sock* sock, std::size_t limit) {
  CHECK(sock->readable == Readable::kYes && !sock->close_submitted);
  std::vector<std::uint8_t> memory(limit);
  const std::int32_t result = port(sock->port)->ReceiveNow(sock->id, memory.data(), limit);
  if (result > 0) {
    const auto length = static_cast<std::uint32_t>(result);
    CHECK_AT_MOST(length, limit);
    CHECK(!sock->ended.has_value());
    sock->received_directly += length;
    TakeBytes(sock, memory.data(), length);
  } else if (result != ToResult(Error::kTryAgain)) {
    sock->ended = ErrorOf(result);
  }
  return result;
}

// --- Sending and closing

void Client::OnSent(Sock* sock, const Completion& completion) {
  if (sock->sends.empty() && OnStray(sock->port, completion)) return;
  const std::uint32_t count = completion.arg0;
  CHECK(count != 0);
  if (count > sock->sends.size()) {
    return Fail(__FILE__, __LINE__, "more sends completed than were submitted");
  }
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
  sock->credit = sock->credit_behind_readable = 0;
  sock->readable = Readable::kUnknown;  // kClose stood for it
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
  for (const Sock& sock : socks_) CHECK(sock.closed && sock.Idle());
  CHECK_EQ(strays.size(), strays_expected);
  for (const Opcode opcode : {Opcode::kConnect, Opcode::kSend, Opcode::kShutdown}) {
    CHECK_EQ(CountSubmitted(opcode), CountCompleted(opcode));
  }
  // The rest of these was cancelled, and kClose stood for it.
  for (const Opcode opcode : {Opcode::kReceive, Opcode::kReadable}) {
    CHECK_AT_MOST(CountCompleted(opcode), CountSubmitted(opcode));
  }
  CHECK_EQ(CountCompleted(Opcode::kClose), socks_.size());
  for (std::uint32_t port = 0; port < ends_.size(); ++port) {
    CHECK_EQ(ends_[port]->chunks.size(), 0);
    CHECK_EQ(ends_[port]->socks.size(), 0);
    CHECK_EQ(Count(Counter::kSocketsOpen, port), 0);
    CHECK_EQ(Count(Counter::kListenersOpen, port), 0);
  }
}

}  // namespace completion_port::test
