// Between our Address and the sockaddr of the socket calls, which every system lays out alike.
#ifndef COMPLETION_PORT_OS_SOCKADDR_H_
#define COMPLETION_PORT_OS_SOCKADDR_H_

#include "os/socket.h"

#ifndef _WIN32
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#endif

#include <cstddef>
#include <cstring>

#include "completion_port/address.h"

namespace completion_port::os {

// Fills *out (zeroed first) and returns its length for bind and connect; 0 for Family::kNone, and
// on Windows for kLocal.
inline unsigned ToSockaddr(const Address& address, sockaddr_storage* out) {
  std::memset(out, 0, sizeof *out);
  if (address.family == Family::kIpv4) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(out);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    std::memcpy(&v4->sin_addr, address.bytes, 4);
    return sizeof *v4;
  }
  if (address.family == Family::kIpv6) {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(out);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    v6->sin6_scope_id = address.scope_id;
    std::memcpy(&v6->sin6_addr, address.bytes, 16);
    return sizeof *v6;
  }
#ifndef _WIN32
  if (address.family == Family::kLocal) {
    auto* local = reinterpret_cast<sockaddr_un*>(out);
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, address.path.data(), address.path.size());  // see ParsePath
    return static_cast<unsigned>(offsetof(sockaddr_un, sun_path) + address.path.size());
  }
#endif
  return 0;
}

// kFamilyNotSupported when it is neither IPv4 nor IPv6.
inline Error FromSockaddr(const sockaddr_storage& from, Address* out) {
  *out = Address();
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    out->family = Family::kIpv4;
    out->port = ntohs(v4.sin_port);
    std::memcpy(out->bytes, &v4.sin_addr, 4);
    return Error::kOk;
  }
  if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    out->family = Family::kIpv6;
    out->port = ntohs(v6.sin6_port);
    out->scope_id = v6.sin6_scope_id;
    std::memcpy(out->bytes, &v6.sin6_addr, 16);
    return Error::kOk;
  }
  return Error::kFamilyNotSupported;
}

#ifndef _WIN32
// The zone that libuv assumes for a link-local address without one: that of the first interface
// which has such an address. 0 when there is none. posix/socket.cc.
std::uint32_t FirstLinkLocalScope();

inline bool LacksScope(const Address& address) {
  return address.family == Family::kIpv6 && address.scope_id == 0 && address.bytes[0] == 0xfe &&
         address.bytes[1] == 0x80;
}

// ToSockaddr for connect, with that zone.
inline unsigned ToRemoteSockaddr(Address remote, sockaddr_storage* out) {
  if (LacksScope(remote)) remote.scope_id = FirstLinkLocalScope();
  return ToSockaddr(remote, out);
}
#endif

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_SOCKADDR_H_
