// Datagram sockets on POSIX, but for sending (datagram_send.cc). See os/datagram.h.
#include "os/datagram.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/multicast.h"
#include "posix/datagram_message.h"

namespace completion_port::os {

namespace {

Error LastError(Operating operating = Operating::kControl) { return FromOsError(errno, operating); }

Error Checked(int result) { return result == 0 ? Error::kOk : LastError(); }

// How many, or -1 with errno: from the front, by one call where the system has one.
int ReceiveMany(NativeSocket socket, MessageHeader* headers, unsigned count) {
#ifdef __linux__
  return recvmmsg(socket, headers, count, MSG_DONTWAIT, nullptr);
#else
  unsigned done = 0;
  for (; done < count; ++done) {
    const ssize_t got = recvmsg(socket, &headers[done].msg_hdr, MSG_DONTWAIT);
    if (got < 0) return done == 0 ? -1 : static_cast<int>(done);
    headers[done].msg_len = static_cast<unsigned>(got);
  }
  return static_cast<int>(done);
#endif
}

}  // namespace

Error OpenDatagrams(Family family, NativeSocket* out) {
  const int domain = family == Family::kIpv6 ? AF_INET6 : AF_INET;
#ifdef SOCK_CLOEXEC
  const int socket = ::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return LastError();
#else
  const int socket = ::socket(domain, SOCK_DGRAM, 0);
  if (socket < 0) return LastError();
  fcntl(socket, F_SETFD, FD_CLOEXEC);
  fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
#endif
  *out = socket;
  return Error::kOk;
}

Error BindDatagrams(NativeSocket socket, const DatagramOptions& options) {
  const bool is_v6 = options.local.family == Family::kIpv6;
  if (options.ipv6_only && !is_v6) return Error::kInvalidArgument;
  constexpr int kOn = 1;
  Error error = Error::kOk;
  if (options.reuse_address) error = SetOption(socket, SOL_SOCKET, SO_REUSEADDR, kOn);
  if (error == Error::kOk && options.reuse_port) {
#ifdef __linux__
    error = SetOption(socket, SOL_SOCKET, SO_REUSEPORT, kOn);
#else
    error = Error::kOperationNotSupported;
#endif
  }
  if (error == Error::kOk && options.ipv6_only) {
    error = SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, kOn);
  }
  if (error != Error::kOk) return error;
  sockaddr_storage storage;
  const unsigned length = ToSockaddr(options.local, &storage);
  error = Checked(bind(socket, reinterpret_cast<const sockaddr*>(&storage), length));
  return error == Error::kFamilyNotSupported ? Error::kInvalidArgument : error;
}

Error ConnectDatagrams(NativeSocket socket, const Address& remote) {
  sockaddr_storage storage;
  const unsigned length = ToSockaddr(remote, &storage);
  for (;;) {
    const Error error = Checked(connect(socket, reinterpret_cast<sockaddr*>(&storage), length));
    if (error != Error::kInterrupted) return error;
  }
}

Error DisconnectDatagrams(NativeSocket socket) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  const Error error = Checked(connect(socket, &nobody, sizeof nobody));
  // The BSDs disconnect and say this.
  return error == Error::kFamilyNotSupported ? Error::kOk : error;
}

Error SetDatagramOption(NativeSocket socket, Family family, DatagramOption option, int value) {
  if (option == DatagramOption::kBroadcast) {
    return SetOption(socket, SOL_SOCKET, SO_BROADCAST, value);
  }
  const int least = option == DatagramOption::kTtl ? 1 : 0;
  if (value < least || value > 255) return Error::kInvalidArgument;
  const OptionName name = NameOf(option);
  if (family == Family::kIpv6) return SetOption(socket, IPPROTO_IPV6, name.ipv6, value);
#ifndef __linux__
  // The BSDs have these as a single byte.
  if (option != DatagramOption::kTtl) {
    return SetOption(socket, IPPROTO_IP, name.ipv4, static_cast<unsigned char>(value));
  }
#endif
  return SetOption(socket, IPPROTO_IP, name.ipv4, value);
}

Error SetMulticastInterface(NativeSocket socket, const Address& through) {
  return ChooseInterface(socket, through);
}

Error JoinGroup(NativeSocket socket, const Membership& membership, bool join) {
  return membership.source.family == Family::kNone ? JoinFromAny(socket, membership, join)
                                                   : JoinFromSource(socket, membership, join);
}

Error DatagramBufferSize(NativeSocket socket, DatagramBuffer buffer, int* bytes) {
  const int name = buffer == DatagramBuffer::kReceive ? SO_RCVBUF : SO_SNDBUF;
  if (*bytes != 0) return SetOption(socket, SOL_SOCKET, name, *bytes);
  socklen_t length = sizeof *bytes;
  return Checked(getsockopt(socket, SOL_SOCKET, name, bytes, &length));
}

std::int32_t ReceiveDatagrams(NativeSocket socket, DatagramRecord* records, std::uint32_t count,
                              std::uint8_t* payloads) {
  MessageHeader headers[kDatagramBatch];
  iovec into[kDatagramBatch];
  sockaddr_storage from[kDatagramBatch];
  count = std::min(count, kDatagramBatch);
  for (std::uint32_t i = 0; i < count; ++i) {
    from[i].ss_family = AF_UNSPEC;
    into[i] = {payloads + std::size_t{i} * kDatagramRoom, kDatagramRoom};
    msghdr& message = headers[i].msg_hdr;
    message = {};
    message.msg_name = &from[i];
    message.msg_namelen = sizeof from[i];
    message.msg_iov = &into[i];
    message.msg_iovlen = 1;
  }
  for (;;) {
    const int got = ReceiveMany(socket, headers, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ToResult(LastError(Operating::kReceive));
    for (int i = 0; i < got; ++i) {
      records[i].result = static_cast<std::int32_t>(headers[i].msg_len);
      FillPeer(from[i], &records[i]);
    }
    return got;
  }
}

}  // namespace completion_port::os
