// Sockets that were made elsewhere and come to live here, and the way out: duplicates that others
// take over. Control plane, on the submitter's thread (see port_control.cc).
#include "port_core.h"

namespace completion_port {

Error PortCore::AdoptConnection(std::intptr_t native, SocketId* id) {
  const auto socket = static_cast<NativeSocket>(native);
  Family family = Family::kNone;
  Error error = os::PrepareAdoptedConnection(socket, &family);
  if (error != Error::kOk) return error;
  Connection* connection = connections_.Allocate(&error);
  if (connection == nullptr) return error;
  load_.fetch_add(1, std::memory_order_relaxed);
  connection->socket = socket;
  connection->kind = KindOf(family);
  connection->adopted = true;
  connection->state = ConnectionState::kPrepared;  // `remote` stays empty: nothing to connect
  *id = connection->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::AdoptListener(std::intptr_t native, int backlog, ListenerId* id) {
  const auto socket = static_cast<NativeSocket>(native);
  Family family = Family::kNone;
  Error error = os::PrepareAdoptedListener(socket, &family);
  if (error == Error::kOk) error = os::Listen(socket, backlog);
  if (error != Error::kOk) return error;
  Listener* listener = listeners_.Allocate(&error);
  if (listener == nullptr) return error;
  listener->socket = socket;
  listener->family = family;  // and no path: its name, if it has one, is its maker's to remove
  listener->shared = true;
  listener->state = ListenerState::kPrepared;
  *id = listener->id.load(std::memory_order_relaxed);
  return Error::kOk;
}

Error PortCore::Duplicate(SocketId id, std::intptr_t* native) {
  Connection* connection = connections_.Find(id);
  if (connection == nullptr) return Error::kBadDescriptor;
  return DuplicateNative(static_cast<std::intptr_t>(connection->socket), native);
}

Error PortCore::DuplicateListener(ListenerId id, std::intptr_t* native) {
  Listener* listener = listeners_.Find(id);
  if (listener == nullptr) return Error::kBadDescriptor;
  return DuplicateNative(static_cast<std::intptr_t>(listener->socket), native);
}

Error DuplicateNative(std::intptr_t native, std::intptr_t* duplicate) {
  NativeSocket socket = kInvalidSocket;
  const Error error = os::Duplicate(static_cast<NativeSocket>(native), &socket);
  if (error == Error::kOk) *duplicate = static_cast<std::intptr_t>(socket);
  return error;
}

Error OpenNativeListener(const ListenOptions& options, std::intptr_t* native) {
  NativeSocket socket = kInvalidSocket;
  Error error = os::StartSockets();
  if (error == Error::kOk) error = os::OpenStreamSocket(options.address.family, &socket);
  if (error != Error::kOk) return error;
  error = os::BindListener(socket, options);
  if (error == Error::kOk) error = os::Listen(socket, options.backlog);
  if (error == Error::kOk)
    *native = static_cast<std::intptr_t>(socket);
  else
    os::CloseSocket(socket);
  return error;
}

Error ShareNative(std::intptr_t native, std::uint32_t process_id,
                  std::vector<std::uint8_t>* token) {
  return os::Share(static_cast<NativeSocket>(native), process_id, token);
}

Error TakeShared(const std::vector<std::uint8_t>& token, std::intptr_t* native) {
  NativeSocket socket = kInvalidSocket;
  const Error error = os::TakeShared(token, &socket);
  if (error == Error::kOk) *native = static_cast<std::intptr_t>(socket);
  return error;
}

void CloseNative(std::intptr_t native) { os::CloseSocket(static_cast<NativeSocket>(native)); }

}  // namespace completion_port
