// The socket calls that are not operations, for Windows. Each is made at once and never waits: the
// sockets are non-blocking (FIONBIO), which overlapped calls do not mind.
#include "os/socket.h"

#include <algorithm>
#include <climits>
#include <cstring>

#include "os/local_socket.h"
#include "os/sockaddr.h"

// After winsock2.h:
#include <mstcpip.h>

namespace completion_port::os {

namespace {

// Options of IPPROTO_TCP that older SDK headers lack. Windows 10 version 1709 and later.
constexpr int kTcpKeepIdle = 3;
constexpr int kTcpKeepCount = 16;
constexpr int kTcpKeepInterval = 17;

// Between probes and before giving up, once a delay is chosen: what Node uses.
constexpr std::uint32_t kDefaultInterval_s = 1;
constexpr std::uint32_t kDefaultCount = 10;

Error LastError(Operating operating = Operating::kControl) {
  return FromOsError(WSAGetLastError(), operating);
}

Error Checked(int result, Operating operating = Operating::kControl) {
  return result == 0 ? Error::kOk : LastError(operating);
}

int SetOption(NativeSocket socket, int level, int option, DWORD value) {
  return setsockopt(socket, level, option, reinterpret_cast<const char*>(&value), sizeof(value));
}

// Winsock is started once and never stopped: other code of the process uses it too, and closing
// sockets at exit is the kernel's work.
int StartWinsock() {
  WSADATA data;
  return WSAStartup(MAKEWORD(2, 2), &data);
}

}  // namespace

Error StartSockets() {
  static const int os_error = StartWinsock();
  return os_error == 0 ? Error::kOk : FromOsError(os_error, Operating::kControl);
}

Error OpenStreamSocket(Family family, NativeSocket* out) {
  const NativeSocket socket =
      WSASocketW(family == Family::kIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                 WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastError();
  u_long non_blocking = 1;
  if (ioctlsocket(socket, FIONBIO, &non_blocking) != 0) {
    const Error error = LastError();
    closesocket(socket);
    return error;
  }
  *out = socket;
  return Error::kOk;
}

Error PrepareAdoptedListener(NativeSocket socket, Family* family) {
  int type = 0;
  int length = sizeof(type);
  if (getsockopt(socket, SOL_SOCKET, SO_TYPE, reinterpret_cast<char*>(&type), &length) != 0) {
    return LastError();
  }
  sockaddr_storage name{};
  length = sizeof(name);
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) != 0) return LastError();
  const bool known = name.ss_family == AF_INET || name.ss_family == AF_INET6;
  if (type != SOCK_STREAM || !known) return Error::kInvalidArgument;
  *family = name.ss_family == AF_INET ? Family::kIpv4 : Family::kIpv6;
  SetHandleInformation(reinterpret_cast<HANDLE>(socket), HANDLE_FLAG_INHERIT, 0);
  u_long non_blocking = 1;
  return Checked(ioctlsocket(socket, FIONBIO, &non_blocking));
}

Error PrepareAdoptedConnection(NativeSocket socket, Family* family) {
  const Error error = PrepareAdoptedListener(socket, family);
  if (error != Error::kOk) return error;
  DWORD listens = 0;
  int length = sizeof(listens);
  if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, reinterpret_cast<char*>(&listens), &length) ==
          0 &&
      listens != 0) {
    return Error::kInvalidArgument;
  }
  sockaddr_storage name{};
  length = sizeof(name);
  return Checked(getpeername(socket, reinterpret_cast<sockaddr*>(&name), &length));
}

Error Share(NativeSocket socket, std::uint32_t process_id, std::vector<std::uint8_t>* token) {
  WSAPROTOCOL_INFOW info{};
  if (WSADuplicateSocketW(socket, process_id, &info) != 0) return LastError();
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&info);
  token->assign(bytes, bytes + sizeof(info));
  return Error::kOk;
}

Error TakeShared(const std::vector<std::uint8_t>& token, NativeSocket* out) {
  WSAPROTOCOL_INFOW info{};
  if (token.size() != sizeof(info)) return Error::kInvalidArgument;
  std::memcpy(&info, token.data(), sizeof(info));
  const NativeSocket socket =
      WSASocketW(FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, FROM_PROTOCOL_INFO, &info, 0,
                 WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastError();
  *out = socket;
  return Error::kOk;
}

Error Duplicate(NativeSocket socket, NativeSocket* out) {
  std::vector<std::uint8_t> token;
  const Error error = Share(socket, GetCurrentProcessId(), &token);
  return error == Error::kOk ? TakeShared(token, out) : error;
}

Error BindSocket(NativeSocket socket, const Address& address) {
  sockaddr_storage storage;
  const int length = static_cast<int>(ToSockaddr(address, &storage));
  return Checked(bind(socket, reinterpret_cast<const sockaddr*>(&storage), length));
}

// As Node, neither of the two reuse options. SO_REUSEADDR on Windows lets a socket take over a port
// that another one is serving. SO_EXCLUSIVEADDRUSE refuses a port as long as old connections of it
// linger, so that a server could not be restarted. With neither, a port that is served is refused
// (EADDRINUSE) and one that is not is granted.
Error BindListener(NativeSocket socket, const ListenOptions& options) {
  if (options.reuse_port) return Error::kOperationNotSupported;  // no such thing on Windows
  if (options.address.family == Family::kIpv6) {
    // Said in both cases, for the default differs between systems. Where there is no IPv4 at all
    // the socket cannot be opened to it; it serves IPv6 then.
    const int result =
        SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? TRUE : FALSE);
    if (result != 0 && options.ipv6_only) return LastError();
  }
  return BindSocket(socket, options.address);
}

Error Listen(NativeSocket socket, int backlog) { return Checked(listen(socket, backlog)); }

Error SetSocketOption(NativeSocket socket, int level, int name, const void* value,
                      std::size_t bytes) {
  return Checked(
      setsockopt(socket, level, name, static_cast<const char*>(value), static_cast<int>(bytes)));
}

Error SetNoDelay(NativeSocket socket, bool enable) {
  return Checked(SetOption(socket, IPPROTO_TCP, TCP_NODELAY, enable ? TRUE : FALSE));
}

namespace {

Error SetKeepAliveTimes(NativeSocket socket, std::uint32_t delay_s, std::uint32_t interval_s,
                        std::uint32_t count) {
  const struct {
    int option;
    std::uint32_t value;
  } rows[] = {{kTcpKeepIdle, delay_s}, {kTcpKeepInterval, interval_s}, {kTcpKeepCount, count}};
  for (const auto& row : rows) {
    if (row.value == 0) continue;
    if (SetOption(socket, IPPROTO_TCP, row.option, row.value) != 0) return LastError();
  }
  return Error::kOk;
}

// Before version 1709: milliseconds, both times at once, and a count that cannot be changed.
Error SetKeepAliveTimesOld(NativeSocket socket, std::uint32_t delay_s, std::uint32_t interval_s) {
  constexpr std::uint32_t kLongest_s = ULONG_MAX / 1000;
  tcp_keepalive values;
  values.onoff = 1;
  values.keepalivetime = std::min(delay_s, kLongest_s) * 1000;
  values.keepaliveinterval = std::min(interval_s, kLongest_s) * 1000;
  DWORD bytes = 0;
  return Checked(WSAIoctl(socket, SIO_KEEPALIVE_VALS, &values, sizeof(values), nullptr, 0, &bytes,
                          nullptr, nullptr));
}

}  // namespace

Error SetKeepAlive(NativeSocket socket, const KeepAlive& options) {
  if (SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, options.enable ? TRUE : FALSE) != 0) {
    return LastError();
  }
  if (!options.enable) return Error::kOk;
  std::uint32_t interval_s = options.interval_s;
  std::uint32_t count = options.count;
  if (options.delay_s != 0) {
    if (interval_s == 0) interval_s = kDefaultInterval_s;
    if (count == 0) count = kDefaultCount;
  }
  const Error error = SetKeepAliveTimes(socket, options.delay_s, interval_s, count);
  const bool unknown = error == Error::kNoProtocolOption || error == Error::kInvalidArgument;
  if (!unknown || options.delay_s == 0) return error;
  return SetKeepAliveTimesOld(socket, options.delay_s, interval_s);
}

namespace {
using NameCall = int(WSAAPI*)(SOCKET, sockaddr*, int*);

Error NameOf(NameCall call, NativeSocket socket, Address* out) {
  sockaddr_storage storage{};
  int length = sizeof(storage);
  if (call(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return LastError();
  return FromSockaddr(storage, out);
}
}  // namespace

namespace {

// Not in every SDK's headers.
constexpr int kIpv6TrafficClass = 39;

struct ServiceOption {
  int level;
  int name;
};

ServiceOption ServiceOptionOf(Family family) {
  if (family == Family::kIpv6) return {IPPROTO_IPV6, kIpv6TrafficClass};
  return {IPPROTO_IP, IP_TOS};
}

}  // namespace

Error SetTypeOfService(NativeSocket socket, Family family, int value) {
  const ServiceOption option = ServiceOptionOf(family);
  return Checked(SetOption(socket, option.level, option.name, static_cast<DWORD>(value)));
}

Error TypeOfService(NativeSocket socket, Family family, int* out) {
  const ServiceOption option = ServiceOptionOf(family);
  DWORD value = 0;
  int length = sizeof value;
  const int result =
      getsockopt(socket, option.level, option.name, reinterpret_cast<char*>(&value), &length);
  *out = static_cast<int>(value & 0xff);
  return Checked(result);
}

Error LocalAddress(NativeSocket socket, Address* out) { return NameOf(getsockname, socket, out); }
Error PeerAddress(NativeSocket socket, Address* out) { return NameOf(getpeername, socket, out); }

std::int32_t SendNow(NativeSocket socket, const std::uint8_t* data, std::size_t length) {
  WSABUF buffer;
  buffer.buf = reinterpret_cast<CHAR*>(const_cast<std::uint8_t*>(data));
  buffer.len = static_cast<ULONG>(std::min<std::size_t>(length, INT_MAX));
  DWORD sent = 0;
  if (WSASend(socket, &buffer, 1, &sent, 0, nullptr, nullptr) == 0) {
    return static_cast<std::int32_t>(sent);
  }
  const int os_error = WSAGetLastError();
  return os_error == WSAEWOULDBLOCK ? 0 : ToResult(FromOsError(os_error, Operating::kSend));
}

std::int32_t ReceiveNow(NativeSocket socket, std::uint8_t* data, std::size_t length) {
  WSABUF buffer;
  buffer.buf = reinterpret_cast<CHAR*>(data);
  buffer.len = static_cast<ULONG>(std::min<std::size_t>(length, INT_MAX));
  DWORD received = 0;
  DWORD flags = 0;
  if (WSARecv(socket, &buffer, 1, &received, &flags, nullptr, nullptr) == 0) {
    return static_cast<std::int32_t>(received);
  }
  return ToResult(LastError(Operating::kReceive));
}

bool HasUnread(NativeSocket socket, SocketKind kind) {
  if (IsPipe(kind)) {
    DWORD available = 0;
    const auto pipe = reinterpret_cast<HANDLE>(socket);
    return PeekNamedPipe(pipe, nullptr, 0, nullptr, &available, nullptr) == 0 || available != 0;
  }
  WSAPOLLFD of{};
  of.fd = socket;
  of.events = POLLRDNORM;
  return WSAPoll(&of, 1, 0) > 0;
}

Error DiscardReceived(NativeSocket socket, std::size_t limit) {
  char discarded[16 * 1024];
  std::size_t total = 0;
  while (total <= limit) {
    const int bytes = recv(socket, discarded, sizeof(discarded), 0);
    if (bytes == 0) return Error::kOk;
    if (bytes < 0) return LastError(Operating::kReceive);  // kTryAgain: nothing more now
    total += static_cast<std::size_t>(bytes);
  }
  return Error::kMessageTooLong;
}

Error ShutdownSend(NativeSocket socket) {
  return Checked(shutdown(socket, SD_SEND), Operating::kShutdown);
}

void CloseSocket(NativeSocket socket, SocketKind kind) {
  if (socket == kInvalidSocket) return;
  if (kind == SocketKind::kTcp) {
    closesocket(socket);
  } else {
    CloseHandle(reinterpret_cast<HANDLE>(socket));
  }
}

void ResetOnClose(NativeSocket socket) {
  const linger abort = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&abort), sizeof(abort));
}

}  // namespace completion_port::os
