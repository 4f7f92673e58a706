// The simulated system: TCP. See kernel.h.
#include <algorithm>

#include "kernel.h"

namespace completion_port::sim {

Socket* Kernel::NewSocket() {
  sockets_.push_back(std::make_unique<Socket>());
  sockets_.back()->stream = static_cast<std::uint32_t>(sockets_.size());
  return sockets_.back().get();
}

Error Kernel::Listen(Socket* socket, std::uint16_t port, std::size_t backlog) {
  socket->state = SocketState::kListening;
  socket->port = port;
  socket->backlog_limit = std::max<std::size_t>(backlog, 1);
  return Error::kOk;
}

Socket* Kernel::ConnectedPair(Socket* socket) {
  Socket* peer = NewSocket();
  socket->peer = peer;
  peer->peer = socket;
  socket->state = peer->state = SocketState::kConnected;
  return peer;
}

Error Kernel::Connect(Socket* client, std::uint16_t port) {
  for (const auto& listener : sockets_) {
    if (listener->state != SocketState::kListening || listener->port != port) continue;
    if (listener->closed) continue;
    if (listener->backlog.size() >= listener->backlog_limit) return Error::kTimedOut;
    listener->backlog.push_back(ConnectedPair(client));
    client->port = FreePort();
    client->peer->port = port;
    Trace("connected", client->stream, client->peer->stream);
    return Error::kOk;
  }
  return Error::kConnectionRefused;
}

Socket* Kernel::Accept(Socket* listener) {
  if (listener->backlog.empty()) return nullptr;
  Socket* socket = listener->backlog.front();
  listener->backlog.pop_front();
  return socket;
}

// --- Sending

std::uint64_t Kernel::Room(const Socket& socket) const {
  if (socket.peer->closed) return limits_.window;  // nobody reads it; the answer will be RST
  const std::uint64_t kept = socket.out.sent - socket.out.read;
  return kept < limits_.window ? limits_.window - kept : 0;
}

bool Kernel::IsWritable(const Socket& socket) const {
  return socket.state != SocketState::kConnected || Room(socket) != 0;
}

std::int32_t Kernel::Send(Socket* socket, const std::uint8_t* data, std::size_t length) {
  if (socket->state == SocketState::kReset) return ToResult(Error::kBrokenPipe);
  if (socket->state != SocketState::kConnected) return ToResult(Error::kNotConnected);
  if (socket->out.end_sent) {
    Violate("sends after FIN");
    return ToResult(Error::kBrokenPipe);
  }
  std::uint64_t taken = std::min<std::uint64_t>(length, Room(*socket));
  if (taken > 1 && choices_->OneIn(4))
    taken = 1 + choices_->Below(static_cast<std::uint32_t>(taken));
  if (taken == 0) return 0;
  if (!content_->Take(*socket, data, taken)) {
    Violate("sends a byte twice, out of order, or that is no longer the port's");
  }
  socket->out.sent += taken;
  Trace("sent", socket->stream, taken, static_cast<std::int64_t>(length));
  PutOnWire(socket, Segment::kBytes, static_cast<std::uint32_t>(taken));
  return static_cast<std::int32_t>(taken);
}

Error Kernel::Shutdown(Socket* socket) {
  if (socket->state != SocketState::kConnected) return Error::kNotConnected;
  if (socket->out.end_sent) return Error::kOk;
  socket->out.end_sent = true;
  Trace("fin", socket->stream, socket->out.sent);
  PutOnWire(socket, Segment::kEnd, 0);
  return Error::kOk;
}

// --- The wire

void Kernel::PutOnWire(Socket* from, Segment what, std::uint32_t bytes) {
  std::uint64_t at_ns = now_ns_ + SomeDelayNs();
  if (what == Segment::kReset) from->has_reset = true;
  auto& wire = from->out.wire;
  if (!wire.empty()) at_ns = std::max(at_ns, wire.back().at_ns);
  wire.push_back({at_ns, what, bytes});
  Arrive();
}

void Kernel::Arrive() {
  for (std::size_t i = 0; i < sockets_.size(); ++i) {
    Socket* from = sockets_[i].get();
    auto& wire = from->out.wire;
    while (!wire.empty() && wire.front().at_ns <= now_ns_) {
      const OnTheWire segment = wire.front();
      wire.pop_front();
      Take(from, segment);
    }
  }
}

void Kernel::Take(Socket* from, const OnTheWire& segment) {
  Socket* to = from->peer;
  if (segment.what == Segment::kReset) return Break(to, Error::kConnectionReset);
  if (to->state == SocketState::kReset) return;
  if (segment.what == Segment::kEnd) {
    from->out.end_arrived = true;
    return;
  }
  from->out.arrived += segment.bytes;
  // Nobody is there any more: the answer is RST.
  if (to->closed && from->state == SocketState::kConnected) PutOnWire(to, Segment::kReset, 0);
}

void Kernel::Break(Socket* socket, Error error) {
  if (socket->state != SocketState::kConnected || socket->closed) return;
  Trace("broken", socket->stream);
  socket->state = SocketState::kReset;
  socket->error = error;
  // Some systems throw away what was not read by then.
  if (!choices_->OneIn(2)) socket->peer->out.read = socket->peer->out.arrived;
}

// --- Receiving

bool Kernel::IsReadable(const Socket& socket) {
  if (socket.state == SocketState::kReset) return true;
  if (socket.peer == nullptr) return false;
  return socket.peer->out.Unread() != 0 || socket.peer->out.end_arrived;
}

std::int32_t Kernel::Receive(Socket* socket, std::uint8_t* data, std::size_t room) {
  if (socket->peer == nullptr) return ToResult(Error::kNotConnected);
  Stream& in = socket->peer->out;
  std::uint64_t taken = std::min<std::uint64_t>(room, in.Unread());
  if (taken > 1 && choices_->OneIn(6))
    taken = 1 + choices_->Below(static_cast<std::uint32_t>(taken));
  if (taken != 0) {
    content_->Give(*socket->peer, in.read, data, taken);
    in.read += taken;
    Trace("received", socket->stream, taken);
    return static_cast<std::int32_t>(taken);
  }
  if (socket->error != Error::kOk) {
    const Error error = socket->error;
    socket->error = Error::kOk;
    return ToResult(error);
  }
  if (socket->state == SocketState::kReset || in.end_arrived) return 0;
  return ToResult(Error::kTryAgain);
}

// --- The end

void Kernel::Reset(Socket* socket) {
  if (socket->state != SocketState::kConnected) return;
  socket->out.wire.clear();
  PutOnWire(socket, Segment::kReset, 0);
  socket->state = SocketState::kReset;
}

void Kernel::CloseSocket(Socket* socket) {
  socket->closed = true;
  if (socket->state == SocketState::kListening) {
    for (Socket* waiting : socket->backlog) {
      Reset(waiting);
      waiting->closed = true;
    }
    socket->backlog.clear();
    return;
  }
  if (socket->state != SocketState::kConnected) return;
  if (socket->resets_on_close || socket->peer->out.Unread() != 0) return Reset(socket);
  if (socket->out.end_sent) return;
  socket->out.end_sent = true;
  PutOnWire(socket, Segment::kEnd, 0);
}

}  // namespace completion_port::sim
