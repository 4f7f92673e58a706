// Local sockets, as far as they differ from internet sockets: Unix domain sockets on POSIX
// (posix/local_socket.cc), named pipes on Windows (windows/pipe.cc). What is not here they share
// with all sockets (os/socket.h).
#ifndef COMPLETION_PORT_OS_LOCAL_SOCKET_H_
#define COMPLETION_PORT_OS_LOCAL_SOCKET_H_

#include <string>

#include "os/socket.h"

namespace completion_port::os {

// A named pipe is no socket. It cannot end one direction alone, is made by connecting, and stays
// with the completion port that its server made it for.
#ifdef _WIN32
inline constexpr bool kLocalSocketsArePipes = true;
#else
inline constexpr bool kLocalSocketsArePipes = false;
#endif

inline bool IsPipe(SocketKind kind) { return kLocalSocketsArePipes && kind == SocketKind::kLocal; }

// Binds and listens; what fails leaves nothing behind. On Windows *out is the first instance of the
// pipe, and no other server of that name may exist; the backlog means nothing there.
Error OpenLocalListener(const std::string& path, int backlog, NativeSocket* out);

// Who may connect besides the owner: the permission bits of the socket file become these, for
// everybody (0444, 0222 or 0666); the pipe's access list gets an entry for everybody.
Error SetLocalAccess(NativeSocket listener, const std::string& path, bool readable, bool writable);

// Takes away the name of a socket file. Names in the abstract namespace, and of pipes, go with the
// last descriptor.
void RemoveLocalPath(const std::string& path);

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_LOCAL_SOCKET_H_
