// The few socket calls that are not operations: made at once, on whichever thread, never waiting.
// Implemented by posix/socket.cc and windows/socket.cc.
#ifndef COMPLETION_PORT_OS_SOCKET_H_
#define COMPLETION_PORT_OS_SOCKET_H_

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <winsock2.h>
// After winsock2.h, never before it:
#include <mswsock.h>
#include <windows.h>
#include <ws2tcpip.h>
#endif

#include <cstddef>
#include <cstdint>
#include <vector>

#include "completion_port/completion_port.h"

namespace completion_port {

#ifdef _WIN32
using NativeSocket = SOCKET;
inline constexpr NativeSocket kInvalidSocket = INVALID_SOCKET;
#else
using NativeSocket = int;
inline constexpr NativeSocket kInvalidSocket = -1;
#endif

// What a native socket is, and so which calls it takes.
enum class SocketKind : std::uint8_t {
  kTcp,
  kLocal,  // a Unix domain socket; on Windows the HANDLE of a named pipe
};

constexpr SocketKind KindOf(Family family) {
  return family == Family::kLocal ? SocketKind::kLocal : SocketKind::kTcp;
}

namespace os {

// WSAStartup, once per process; nothing on POSIX.
Error StartSockets();

// A stream socket, of TCP or (not on Windows) of the local kind, that no child process inherits.
// POSIX: blocking on purpose (io_uring answers EAGAIN on non-blocking descriptors instead of
// waiting). Windows: overlapped and FIONBIO, so that SendNow does not wait; overlapped calls do not
// mind.
Error OpenStreamSocket(Family family, NativeSocket* out);
Error BindSocket(NativeSocket socket, const Address& address);
// With the reuse and exclusivity options that libuv sets for a server on this system.
Error BindListener(NativeSocket socket, const ListenOptions& options);
Error Listen(NativeSocket socket, int backlog);

// A socket that was made elsewhere: checks that it is a stream socket of a family we know,
// connected or (for a listener) not, and gives it what OpenStreamSocket gives, but for the blocking
// mode on POSIX, which is shared with every duplicate of it.
Error PrepareAdoptedConnection(NativeSocket socket, Family* family);
Error PrepareAdoptedListener(NativeSocket socket, Family* family);
// Another handle to the same socket, which no child process inherits.
Error Duplicate(NativeSocket socket, NativeSocket* out);
// A token by which another process gets one; kNotSupported on POSIX.
Error Share(NativeSocket socket, std::uint32_t process_id, std::vector<std::uint8_t>* token);
Error TakeShared(const std::vector<std::uint8_t>& token, NativeSocket* out);

Error SetSocketOption(NativeSocket socket, int level, int name, const void* value,
                      std::size_t bytes);
Error SetNoDelay(NativeSocket socket, bool enable);
Error SetKeepAlive(NativeSocket socket, const KeepAlive& options);
// `family` is the socket's own, also where it serves IPv4 as IPv6.
Error SetTypeOfService(NativeSocket socket, Family family, int value);
Error TypeOfService(NativeSocket socket, Family family, int* out);
Error LocalAddress(NativeSocket socket, Address* out);
Error PeerAddress(NativeSocket socket, Address* out);

// Bytes taken without waiting, 0 when the OS would wait, or -Error. Never raises SIGPIPE.
std::int32_t SendNow(NativeSocket socket, const std::uint8_t* data, std::size_t length);

// Bytes that had arrived, 0 at the end of the stream, or -Error: -kTryAgain when there are none.
std::int32_t ReceiveNow(NativeSocket socket, std::uint8_t* data, std::size_t length);

// Whether a receive would not have to wait: bytes are there, the end or an error. Takes nothing.
bool HasUnread(NativeSocket socket, SocketKind kind);

// Reads and throws away what has arrived, without waiting, up to `limit` bytes. kTryAgain: nothing
// more now; kOk: the peer has ended; kMessageTooLong: more than limit; else the error.
Error DiscardReceived(NativeSocket socket, std::size_t limit);

Error ShutdownSend(NativeSocket socket);
void CloseSocket(NativeSocket socket, SocketKind kind = SocketKind::kTcp);
// The next close sends RST.
void ResetOnClose(NativeSocket socket);

// --- Threads and memory, in posix/platform.cc and windows/platform.cc

Error PinThisThread(int core);
void NameThisThread(const char* name);
std::uint64_t NowMs();  // monotonic
std::uint64_t NowNs();  // the same clock where it is fine: what takes how long
// Cores that this process may use.
int UsableCores();
// Tells the OS that the pages wholly inside [data, data + bytes) need not be kept. Their content is
// lost; the memory stays usable.
void DiscardPages(void* data, std::size_t bytes);

}  // namespace os
}  // namespace completion_port

#endif  // COMPLETION_PORT_OS_SOCKET_H_
