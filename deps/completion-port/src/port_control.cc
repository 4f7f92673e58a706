// The control plane: plain calls on the submitter's thread. They touch only what the I/O thread
// does not change while the submitter still holds the id: the socket of a connection that is not
// closed (the submitter itself is the one who closes it).
#include "port_core.h"

namespace completion_port {

Error PortCore::PrepareListener(const ListenOptions& options, ListenerId* id) {
  NativeSocket socket = kInvalidSocket;
  Error error = os::OpenStreamSocket(options.address.family, &socket);
  if (error != Error::kOk) return error;
  error = os::BindListener(socket, options);
  if (error == Error::kOk) error = os::Listen(socket, options.backlog);
  Listener* listener = error == Error::kOk ? listeners_.Allocate() : nullptr;
  if (listener == nullptr) {
    os::CloseSocket(socket);
    return error != Error::kOk ? error : Error::kTooManyFiles;
  }
  listener->socket = socket;
  listener->family = options.address.family;
  listener->state = ListenerState::kPrepared;
  *id = listener->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::PrepareConnect(const ConnectOptions& options, SocketId* id) {
  NativeSocket socket = kInvalidSocket;
  Error error = os::OpenStreamSocket(options.remote.family, &socket);
  if (error != Error::kOk) return error;
  if (options.local.family != Family::kNone) error = os::BindSocket(socket, options.local);
  Connection* connection = error == Error::kOk ? connections_.Allocate() : nullptr;
  if (connection == nullptr) {
    os::CloseSocket(socket);
    return error != Error::kOk ? error : Error::kTooManyFiles;
  }
  load_.fetch_add(1, std::memory_order_relaxed);
  connection->socket = socket;
  connection->remote = std::make_unique<Address>(options.remote);
  connection->state = ConnectionState::kPrepared;
  *id = connection->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::SetNoDelay(SocketId id, bool enable) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? Error::kBadDescriptor : os::SetNoDelay(connection->socket, enable);
}

Error PortCore::SetKeepAlive(SocketId id, const KeepAlive& options) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? Error::kBadDescriptor
                               : os::SetKeepAlive(connection->socket, options);
}

Error PortCore::LocalAddress(SocketId id, Address* out) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? Error::kBadDescriptor : os::LocalAddress(connection->socket, out);
}

Error PortCore::PeerAddress(SocketId id, Address* out) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? Error::kBadDescriptor : os::PeerAddress(connection->socket, out);
}

Error PortCore::ListenerAddress(ListenerId id, Address* out) {
  Listener* listener = listeners_.Find(id);
  return listener == nullptr ? Error::kBadDescriptor : os::LocalAddress(listener->socket, out);
}

std::intptr_t PortCore::NativeHandle(SocketId id) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? -1 : static_cast<std::intptr_t>(connection->socket);
}

std::intptr_t PortCore::NativeListenerHandle(ListenerId id) {
  Listener* listener = listeners_.Find(id);
  return listener == nullptr ? -1 : static_cast<std::intptr_t>(listener->socket);
}

std::int32_t PortCore::SendNow(SocketId id, const std::uint8_t* data, std::size_t length) {
  Connection* connection = connections_.Find(id);
  if (connection == nullptr) return ToResult(Error::kBadDescriptor);
  const std::int32_t sent = os::SendNow(connection->socket, data, length);
  counters_.Add(Counter::kDirectSends);
  if (sent > 0) counters_.Add(Counter::kDirectBytes, static_cast<std::uint64_t>(sent));
  return sent;
}

}  // namespace completion_port
