// The control plane: plain calls on the submitter's thread. They touch only what the driver
// does not change while the submitter still holds the id: the socket of a connection that is not
// closed (the submitter itself is the one who closes it).
#include <memory>
#include <utility>

#include "allocation.h"
#include "os/local_socket.h"
#include "port_core.h"

namespace completion_port {

namespace {

Error OpenListener(const ListenOptions& options, NativeSocket* out) {
  const Address& address = options.address;
  if (address.family == Family::kLocal) {
    return os::OpenLocalListener(address.path, options.backlog, out);
  }
  std::intptr_t native = -1;
  const Error error = OpenNativeListener(options, &native);
  if (error == Error::kOk) *out = static_cast<NativeSocket>(native);
  return error;
}

}  // namespace

Error PortCore::PrepareListener(const ListenOptions& options, ListenerId* id) {
  const Address& address = options.address;
  NativeSocket socket = kInvalidSocket;
  Error error = OpenListener(options, &socket);
  if (error != Error::kOk) return error;
  Listener* listener = listeners_.Allocate(&error);
  if (listener == nullptr) {
    os::RemoveLocalPath(address.path);
    os::CloseSocket(socket, KindOf(address.family));
    return error;
  }
  listener->socket = socket;
  listener->family = address.family;
  listener->path = address.path;
  listener->state = ListenerState::kPrepared;
  *id = listener->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::PrepareConnect(const ConnectOptions& options, SocketId* id) {
  const SocketKind kind = KindOf(options.remote.family);
  NativeSocket socket = kInvalidSocket;
  Error error = Error::kOk;
  // A pipe's handle comes into being by connecting.
  if (!os::IsPipe(kind)) error = os::OpenStreamSocket(options.remote.family, &socket);
  if (error != Error::kOk) return error;
  if (options.local.family != Family::kNone) error = os::BindSocket(socket, options.local);
  std::unique_ptr<Address> remote;
  if (error == Error::kOk) remote = TryMake<Address>(options.remote);
  if (error == Error::kOk && remote == nullptr) error = Error::kNoMemory;
  Connection* connection = error == Error::kOk ? connections_.Allocate(&error) : nullptr;
  if (connection == nullptr) {
    os::CloseSocket(socket, kind);
    return error;
  }
  load_.fetch_add(1, std::memory_order_relaxed);
  connection->socket = socket;
  connection->kind = kind;
  connection->remote = std::move(remote);
  connection->state = ConnectionState::kPrepared;
  *id = connection->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Connection* PortCore::FindTcp(SocketId id, Error* error) {
  Connection* connection = connections_.Find(id);
  *error = connection == nullptr ? Error::kBadDescriptor : Error::kOk;
  if (connection == nullptr || connection->kind == SocketKind::kTcp) return connection;
  *error = Error::kOperationNotSupported;
  return nullptr;
}

Error PortCore::SetNoDelay(SocketId id, bool enable) {
  Error error;
  Connection* connection = FindTcp(id, &error);
  return connection == nullptr ? error : os::SetNoDelay(connection->socket, enable);
}

Error PortCore::SetKeepAlive(SocketId id, const KeepAlive& options) {
  Error error;
  Connection* connection = FindTcp(id, &error);
  return connection == nullptr ? error : os::SetKeepAlive(connection->socket, options);
}

Error PortCore::SetTypeOfService(SocketId id, int value) {
  Error error = Error::kOk;
  Address local;
  const Connection* connection = FindTcp(id, &error);
  if (error == Error::kOk) error = os::LocalAddress(connection->socket, &local);
  if (error != Error::kOk) return error;
  return os::SetTypeOfService(connection->socket, local.family, value);
}

Error PortCore::TypeOfService(SocketId id, int* out) {
  Error error = Error::kOk;
  Address local;
  const Connection* connection = FindTcp(id, &error);
  if (error == Error::kOk) error = os::LocalAddress(connection->socket, &local);
  if (error != Error::kOk) return error;
  return os::TypeOfService(connection->socket, local.family, out);
}

Error PortCore::LocalAddress(SocketId id, Address* out) {
  Error error;
  Connection* connection = FindTcp(id, &error);
  return connection == nullptr ? error : os::LocalAddress(connection->socket, out);
}

Error PortCore::PeerAddress(SocketId id, Address* out) {
  Error error;
  Connection* connection = FindTcp(id, &error);
  return connection == nullptr ? error : os::PeerAddress(connection->socket, out);
}

Error PortCore::ListenerAddress(ListenerId id, Address* out) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return Error::kBadDescriptor;
  if (listener->Kind() == SocketKind::kTcp) return os::LocalAddress(listener->socket, out);
  *out = Address();
  out->family = Family::kLocal;
  out->path = listener->path;
  return Error::kOk;
}

Error PortCore::SetListenerAccess(ListenerId id, bool readable, bool writable) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return Error::kBadDescriptor;
  if (listener->Kind() != SocketKind::kLocal) return Error::kOperationNotSupported;
  return os::SetLocalAccess(listener->socket, listener->path, readable, writable);
}

Error PortCore::UnlinkListener(ListenerId id) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return Error::kBadDescriptor;
  if (listener->Kind() != SocketKind::kLocal) return Error::kOperationNotSupported;
  // A pipe's name goes with its last instance, and the driver reads it to make them.
  if (os::IsPipe(listener->Kind())) return Error::kOk;
  os::RemoveLocalPath(listener->path);
  listener->path.clear();
  return Error::kOk;
}

std::intptr_t PortCore::NativeHandle(SocketId id) {
  Connection* connection = connections_.Find(id);
  return connection == nullptr ? -1 : static_cast<std::intptr_t>(connection->socket);
}

std::intptr_t PortCore::NativeListenerHandle(ListenerId id) {
  Listener* listener = listeners_.Find(id);
  return listener == nullptr ? -1 : static_cast<std::intptr_t>(listener->socket);
}

Error PortCore::WatchDescriptor(std::intptr_t descriptor) {
  return backend_->WatchDescriptor(descriptor);
}

std::int32_t PortCore::SendNow(SocketId id, const std::uint8_t* data, std::size_t length) {
  Connection* connection = connections_.Find(id);
  if (connection == nullptr) return ToResult(Error::kBadDescriptor);
  if (os::IsPipe(connection->kind)) return 0;  // overlapped: would wait, always
  const std::int32_t sent = os::SendNow(connection->socket, data, length);
  counters_.Add(Counter::kDirectSends);
  if (sent > 0) counters_.Add(Counter::kDirectBytesSent, static_cast<std::uint64_t>(sent));
  return sent;
}

bool PortCore::HasUnread(SocketId id) {
  const Connection* connection = connections_.Find(id);
  if (connection == nullptr) return false;
  if (os::HasUnread(connection->socket, connection->kind)) return true;
  // An io_uring takes bytes of itself. With epoll nobody has, and on Windows those of an idle
  // connection stay where they are.
  if (backend_->BelongsToOneThread()) Drive(0);
  return false;
}

}  // namespace completion_port
