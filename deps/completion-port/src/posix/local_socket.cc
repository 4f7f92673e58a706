// Unix domain sockets. See os/local_socket.h.
#include "os/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/sockaddr.h"

namespace completion_port::os {

namespace {

Error LastError() { return FromOsError(errno, Operating::kControl); }

Error BindPath(NativeSocket socket, const std::string& path) {
  Address address;
  address.family = Family::kLocal;
  address.path = path;
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(address, &storage);
  if (bind(socket, reinterpret_cast<const sockaddr*>(&storage), length) == 0) return Error::kOk;
  // A folder that does not exist: libuv says here what Windows says.
  return errno == ENOENT ? Error::kAccessDenied : LastError();
}

}  // namespace

Error OpenLocalListener(const std::string& path, int backlog, NativeSocket* out) {
  NativeSocket socket = kInvalidSocket;
  Error error = OpenStreamSocket(Family::kLocal, &socket);
  if (error != Error::kOk) return error;
  error = BindPath(socket, path);
  if (error == Error::kOk) {
    error = Listen(socket, backlog);
    if (error != Error::kOk) RemoveLocalPath(path);
  }
  if (error != Error::kOk) {
    CloseSocket(socket, SocketKind::kLocal);
    return error;
  }
  *out = socket;
  return Error::kOk;
}

Error SetLocalAccess(NativeSocket listener, const std::string& path, bool readable, bool writable) {
  mode_t mode = 0;
  if (readable) mode |= S_IRUSR | S_IRGRP | S_IROTH;
  if (writable) mode |= S_IWUSR | S_IWGRP | S_IWOTH;
  // The descriptor's own mode first, as libuv has it; some systems know none for sockets.
  if (fchmod(listener, mode) != 0 && errno != EINVAL && errno != EOPNOTSUPP) return LastError();
  return chmod(path.c_str(), mode) == 0 ? Error::kOk : LastError();
}

void RemoveLocalPath(const std::string& path) {
  if (!path.empty() && path.front() != '\0') unlink(path.c_str());
}

}  // namespace completion_port::os
