// Groups of datagram sockets, and what a record says of its peer: the same on every system but for
// the call that sets an option. For posix/datagram.cc and windows/datagram.cc.
#ifndef COMPLETION_PORT_OS_MULTICAST_H_
#define COMPLETION_PORT_OS_MULTICAST_H_

#include <cstdint>
#include <cstring>

#include "os/datagram.h"
#include "os/sockaddr.h"

namespace completion_port::os {

#ifndef IPV6_ADD_MEMBERSHIP
inline constexpr int IPV6_ADD_MEMBERSHIP = IPV6_JOIN_GROUP;
inline constexpr int IPV6_DROP_MEMBERSHIP = IPV6_LEAVE_GROUP;
#endif

template <typename Value>
Error SetOption(NativeSocket socket, int level, int name, const Value& value) {
  return SetSocketOption(socket, level, name, &value, sizeof value);
}

inline in_addr Ipv4Of(const Address& address) {
  in_addr out{};
  std::memcpy(&out, address.bytes, sizeof out);  // any, for an address of no family
  return out;
}

inline in6_addr Ipv6Of(const Address& address) {
  in6_addr out{};
  std::memcpy(&out, address.bytes, sizeof out);
  return out;
}

struct OptionName {
  int ipv4;
  int ipv6;
};

// Of each but kBroadcast.
inline OptionName NameOf(DatagramOption option) {
  switch (option) {
    case DatagramOption::kTtl:
      return {IP_TTL, IPV6_UNICAST_HOPS};
    case DatagramOption::kMulticastTtl:
      return {IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS};
    default:
      return {IP_MULTICAST_LOOP, IPV6_MULTICAST_LOOP};
  }
}

inline Error ChooseInterface(NativeSocket socket, const Address& through) {
  if (through.family == Family::kIpv6) {
    return SetOption(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, std::uint32_t{through.scope_id});
  }
  return SetOption(socket, IPPROTO_IP, IP_MULTICAST_IF, Ipv4Of(through));
}

inline Error JoinFromSource(NativeSocket socket, const Membership& membership, bool join) {
  if (membership.group.family == Family::kIpv4) {
    ip_mreq_source request{};
    request.imr_multiaddr = Ipv4Of(membership.group);
    request.imr_interface = Ipv4Of(membership.through);
    request.imr_sourceaddr = Ipv4Of(membership.source);
    const int name = join ? IP_ADD_SOURCE_MEMBERSHIP : IP_DROP_SOURCE_MEMBERSHIP;
    return SetOption(socket, IPPROTO_IP, name, request);
  }
  group_source_req request{};
  request.gsr_interface = membership.through.scope_id;
  sockaddr_storage address;
  std::memcpy(&request.gsr_group, &address, ToSockaddr(membership.group, &address));
  std::memcpy(&request.gsr_source, &address, ToSockaddr(membership.source, &address));
  const int name = join ? MCAST_JOIN_SOURCE_GROUP : MCAST_LEAVE_SOURCE_GROUP;
  return SetOption(socket, IPPROTO_IPV6, name, request);
}

inline Error JoinFromAny(NativeSocket socket, const Membership& membership, bool join) {
  if (membership.group.family == Family::kIpv6) {
    ipv6_mreq request{};
    request.ipv6mr_multiaddr = Ipv6Of(membership.group);
    request.ipv6mr_interface = membership.through.scope_id;
    const int name = join ? IPV6_ADD_MEMBERSHIP : IPV6_DROP_MEMBERSHIP;
    return SetOption(socket, IPPROTO_IPV6, name, request);
  }
  ip_mreq request{};
  request.imr_multiaddr = Ipv4Of(membership.group);
  request.imr_interface = Ipv4Of(membership.through);
  return SetOption(socket, IPPROTO_IP, join ? IP_ADD_MEMBERSHIP : IP_DROP_MEMBERSHIP, request);
}

inline void FillPeer(const sockaddr_storage& from, DatagramRecord* record) {
  Address peer;
  FromSockaddr(from, &peer);
  record->family = static_cast<std::uint32_t>(peer.family);
  record->port = peer.port;
  record->scope_id = peer.scope_id;
  std::memcpy(record->address, peer.bytes, sizeof peer.bytes);
}

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_MULTICAST_H_
