// Socket calls on POSIX that are made at once. Options are set as libuv sets them, so that a server
// behaves as it does under node:net. See os/socket.h.
#include "os/socket.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/sockaddr.h"

namespace completion_port::os {

namespace {

#ifndef MSG_NOSIGNAL
constexpr int MSG_NOSIGNAL = 0;
#endif

Error LastError(Operating operating = Operating::kControl) { return FromOsError(errno, operating); }

Error Checked(int result) { return result == 0 ? Error::kOk : LastError(); }

Error SetOption(NativeSocket socket, int level, int name, int value) {
  return Checked(setsockopt(socket, level, name, &value, sizeof value));
}

Error SetReusePort(NativeSocket socket) {
#ifdef __linux__
  return SetOption(socket, SOL_SOCKET, SO_REUSEPORT, 1);
#else
  // Elsewhere the option does not share the load between listeners; libuv refuses it as well.
  (void)socket;
  return Error::kOperationNotSupported;
#endif
}

// What libuv sets when only a delay was asked for.
constexpr int kKeepAliveIntervalS = 1;
constexpr int kKeepAliveCount = 10;

#ifdef TCP_KEEPIDLE
constexpr int kKeepAliveDelayOption = TCP_KEEPIDLE;
#else
constexpr int kKeepAliveDelayOption = TCP_KEEPALIVE;
#endif

using NameCall = int(int, sockaddr*, socklen_t*);

Error NameOf(NativeSocket socket, NameCall* call, Address* out) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  if (call(socket, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return LastError();
  return FromSockaddr(storage, out);
}

int DomainOf(Family family) {
  switch (family) {
    case Family::kIpv4:
      return AF_INET;
    case Family::kIpv6:
      return AF_INET6;
    case Family::kLocal:
      return AF_UNIX;
    // LCOV_EXCL_START: no caller asks for it
    case Family::kNone:
      break;
      // LCOV_EXCL_STOP
  }
  // LCOV_EXCL_START: no caller asks for it
  return AF_UNSPEC;
  // LCOV_EXCL_STOP
}

}  // namespace

Error StartSockets() { return Error::kOk; }

Error OpenStreamSocket(Family family, NativeSocket* out) {
  if (family == Family::kNone) return Error::kInvalidArgument;
  const int domain = DomainOf(family);
#ifdef SOCK_CLOEXEC
  const int socket = ::socket(domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return LastError();
#else
  const int socket = ::socket(domain, SOCK_STREAM, 0);
  if (socket < 0) return LastError();
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  SetOption(socket, SOL_SOCKET, SO_NOSIGPIPE, 1);
#endif
  *out = socket;
  return Error::kOk;
}

namespace {

Error IntOption(NativeSocket socket, int name, int* value) {
  socklen_t length = sizeof *value;
  return Checked(getsockopt(socket, SOL_SOCKET, name, value, &length));
}

Family FamilyOf(sa_family_t domain) {
  for (const Family family : {Family::kIpv4, Family::kIpv6, Family::kLocal}) {
    if (DomainOf(family) == domain) return family;
  }
  return Family::kNone;
}

}  // namespace

Error PrepareAdoptedConnection(NativeSocket socket, Family* family) {
  const Error error = PrepareAdoptedListener(socket, family);
  if (error != Error::kOk) return error;
  int listens = 0;
  if (IntOption(socket, SO_ACCEPTCONN, &listens) == Error::kOk && listens != 0) {
    return Error::kInvalidArgument;
  }
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  return Checked(getpeername(socket, reinterpret_cast<sockaddr*>(&name), &length));
}

Error PrepareAdoptedListener(NativeSocket socket, Family* family) {
  int type = 0;
  const Error error = IntOption(socket, SO_TYPE, &type);
  if (error != Error::kOk) return error;
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) != 0) return LastError();
  *family = FamilyOf(name.ss_family);
  if (type != SOCK_STREAM || *family == Family::kNone) return Error::kInvalidArgument;
  return Checked(fcntl(socket, F_SETFD, FD_CLOEXEC));
}

Error Duplicate(NativeSocket socket, NativeSocket* out) {
  const int duplicate = fcntl(socket, F_DUPFD_CLOEXEC, 3);  // never a standard stream's number
  if (duplicate < 0) return LastError();
  *out = duplicate;
  return Error::kOk;
}

Error Share(NativeSocket, std::uint32_t, std::vector<std::uint8_t>*) {
  return Error::kNotSupported;
}

Error TakeShared(const std::vector<std::uint8_t>&, NativeSocket*) { return Error::kNotSupported; }

// SO_REUSEADDR for clients too, as libuv's bind does: a fixed local port can be taken again while
// an old connection from it is in TIME_WAIT.
Error BindSocket(NativeSocket socket, const Address& address) {
  ListenOptions options;
  options.address = address;
  return BindListener(socket, options);
}

Error BindListener(NativeSocket socket, const ListenOptions& options) {
  const Address& address = options.address;
  if (options.ipv6_only && address.family != Family::kIpv6) return Error::kInvalidArgument;
  Error error = SetOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  if (error == Error::kOk && options.reuse_port) error = SetReusePort(socket);
  if (error == Error::kOk && address.family == Family::kIpv6) {
    error = SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, options.ipv6_only ? 1 : 0);
  }
  if (error != Error::kOk) return error;
  sockaddr_storage storage;
  const socklen_t length = ToSockaddr(address, &storage);
  error = Checked(bind(socket, reinterpret_cast<const sockaddr*>(&storage), length));
  // An address of the other family is the caller's mistake; only socket() may say that this
  // machine lacks a family (Node then falls back to IPv4).
  return error == Error::kFamilyNotSupported ? Error::kInvalidArgument : error;
}

Error Listen(NativeSocket socket, int backlog) { return Checked(listen(socket, backlog)); }

Error SetSocketOption(NativeSocket socket, int level, int name, const void* value,
                      std::size_t bytes) {
  return Checked(setsockopt(socket, level, name, value, static_cast<socklen_t>(bytes)));
}

Error SetNoDelay(NativeSocket socket, bool enable) {
  return SetOption(socket, IPPROTO_TCP, TCP_NODELAY, enable ? 1 : 0);
}

Error SetKeepAlive(NativeSocket socket, const KeepAlive& options) {
  Error error = SetOption(socket, SOL_SOCKET, SO_KEEPALIVE, options.enable ? 1 : 0);
  if (!options.enable) return error;
  const auto set = [&](int name, int value) {
    if (error == Error::kOk && value != 0) error = SetOption(socket, IPPROTO_TCP, name, value);
  };
  // With no delay given libuv only turns keep-alive on and leaves every number to the system.
  const bool has_delay = options.delay_s != 0;
  const auto interval = static_cast<int>(options.interval_s);
  const auto count = static_cast<int>(options.count);
  set(kKeepAliveDelayOption, static_cast<int>(options.delay_s));
  set(TCP_KEEPINTVL, interval == 0 && has_delay ? kKeepAliveIntervalS : interval);
  set(TCP_KEEPCNT, count == 0 && has_delay ? kKeepAliveCount : count);
  return error;
}

Error SetTypeOfService(NativeSocket socket, Family family, int value) {
  if (family == Family::kIpv6) return SetOption(socket, IPPROTO_IPV6, IPV6_TCLASS, value);
  return SetOption(socket, IPPROTO_IP, IP_TOS, value);
}

Error TypeOfService(NativeSocket socket, Family family, int* out) {
  const bool is_v6 = family == Family::kIpv6;
  socklen_t length = sizeof *out;
  *out = 0;
  return Checked(getsockopt(socket, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? IPV6_TCLASS : IP_TOS,
                            out, &length));
}

Error LocalAddress(NativeSocket socket, Address* out) { return NameOf(socket, getsockname, out); }

Error PeerAddress(NativeSocket socket, Address* out) { return NameOf(socket, getpeername, out); }

std::uint32_t FirstLinkLocalScope() {
  ifaddrs* interfaces = nullptr;
  if (getifaddrs(&interfaces) != 0) return 0;
  std::uint32_t scope = 0;
  for (const ifaddrs* at = interfaces; at != nullptr && scope == 0; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET6) continue;
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(at->ifa_addr);
    if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr)) scope = v6->sin6_scope_id;
  }
  freeifaddrs(interfaces);
  return scope;
}

std::int32_t SendNow(NativeSocket socket, const std::uint8_t* data, std::size_t length) {
  length = std::min<std::size_t>(length, INT32_MAX);
  for (;;) {
    const ssize_t sent = send(socket, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return static_cast<std::int32_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) return ToResult(LastError(Operating::kSend));
  }
}

std::int32_t ReceiveNow(NativeSocket socket, std::uint8_t* data, std::size_t length) {
  length = std::min<std::size_t>(length, INT32_MAX);
  for (;;) {
    const ssize_t received = recv(socket, data, length, MSG_DONTWAIT);
    if (received >= 0) return static_cast<std::int32_t>(received);
    if (errno != EINTR) return ToResult(LastError(Operating::kReceive));
  }
}

// A poll, because a receive that only looks would take a reset away from who reads on. At the end
// of the stream POLLIN is set, too, beside Linux's POLLRDHUP.
bool HasUnread(NativeSocket socket, SocketKind) {
  pollfd of{socket, POLLIN, 0};
  return poll(&of, 1, 0) > 0;
}

Error DiscardReceived(NativeSocket socket, std::size_t limit) {
  // On Linux MSG_TRUNC makes a TCP receive drop the bytes instead of copying them.
#ifdef __linux__
  constexpr int kFlags = MSG_DONTWAIT | MSG_TRUNC;
#else
  constexpr int kFlags = MSG_DONTWAIT;
#endif
  std::uint8_t scratch[16 * 1024];
  for (std::size_t discarded = 0; discarded <= limit;) {
    const ssize_t got = recv(socket, scratch, sizeof scratch, kFlags);
    if (got == 0) return Error::kOk;
    if (got > 0) {
      discarded += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return LastError(Operating::kReceive);
    }
  }
  return Error::kMessageTooLong;
}

Error ShutdownSend(NativeSocket socket) {
  if (shutdown(socket, SHUT_WR) == 0) return Error::kOk;
  return LastError(Operating::kShutdown);
}

// Not repeated on EINTR: the descriptor is gone by then, and may be somebody else's.
void CloseSocket(NativeSocket socket, SocketKind /*kind*/) {
  if (socket != kInvalidSocket) close(socket);
}

void ResetOnClose(NativeSocket socket) {
  const linger at_once = {1, 0};
  setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace completion_port::os
