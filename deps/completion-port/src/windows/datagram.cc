// Datagram sockets on Windows. See os/datagram.h.
#include "os/datagram.h"

#include <algorithm>
#include <cstring>

#include "os/multicast.h"

// After winsock2.h:
#include <mstcpip.h>

namespace completion_port::os {

namespace {

// Not in every SDK's headers.
constexpr DWORD kUdpConnReset = _WSAIOW(IOC_VENDOR, 12);
constexpr DWORD kUdpNetReset = _WSAIOW(IOC_VENDOR, 15);

Error LastError(Operating operating = Operating::kControl) {
  return FromOsError(WSAGetLastError(), operating);
}

Error Checked(int result) { return result == 0 ? Error::kOk : LastError(); }

// A datagram that nobody took is no error of the socket: by default the next receive would say so
// for each port that is closed at a peer. Where the option is not known, ReceiveOne skips it.
void IgnoreUnreachablePeers(SOCKET socket) {
  for (const DWORD option : {kUdpConnReset, kUdpNetReset}) {
    BOOL reports = FALSE;
    DWORD bytes = 0;
    WSAIoctl(socket, option, &reports, sizeof reports, nullptr, 0, &bytes, nullptr, nullptr);
  }
}

// 0 or a WSA error.
int ReceiveOne(SOCKET socket, DatagramRecord* record, std::uint8_t* payload) {
  for (;;) {
    WSABUF into{static_cast<ULONG>(kDatagramRoom), reinterpret_cast<CHAR*>(payload)};
    sockaddr_storage from{};
    int from_length = sizeof from;
    DWORD bytes = 0;
    DWORD flags = 0;
    const int result =
        WSARecvFrom(socket, &into, 1, &bytes, &flags, reinterpret_cast<sockaddr*>(&from),
                    &from_length, nullptr, nullptr);
    const int os_error = result == 0 ? 0 : WSAGetLastError();
    if (os_error == WSAECONNRESET || os_error == WSAENETRESET) continue;
    if (os_error != 0 && os_error != WSAEMSGSIZE) return os_error;
    record->result = static_cast<std::int32_t>(bytes);
    FillPeer(from, record);
    return 0;
  }
}

}  // namespace

Error OpenDatagrams(Family family, NativeSocket* out) {
  const NativeSocket socket =
      WSASocketW(family == Family::kIpv6 ? AF_INET6 : AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0,
                 WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (socket == INVALID_SOCKET) return LastError();
  u_long non_blocking = 1;
  if (ioctlsocket(socket, FIONBIO, &non_blocking) != 0) {
    const Error error = LastError();
    closesocket(socket);
    return error;
  }
  IgnoreUnreachablePeers(socket);
  *out = socket;
  return Error::kOk;
}

Error BindDatagrams(NativeSocket socket, const DatagramOptions& options) {
  const bool is_v6 = options.local.family == Family::kIpv6;
  if (options.ipv6_only && !is_v6) return Error::kInvalidArgument;
  if (options.reuse_port) return Error::kOperationNotSupported;  // no such thing on Windows
  if (options.reuse_address) {
    const Error error = SetOption(socket, SOL_SOCKET, SO_REUSEADDR, DWORD{TRUE});
    if (error != Error::kOk) return error;
  }
  // On by default. Where there is no IPv4 at all it stays on.
  if (is_v6 && !options.ipv6_only) SetOption(socket, IPPROTO_IPV6, IPV6_V6ONLY, DWORD{FALSE});
  sockaddr_storage storage;
  const int length = static_cast<int>(ToSockaddr(options.local, &storage));
  return Checked(bind(socket, reinterpret_cast<const sockaddr*>(&storage), length));
}

Error ConnectDatagrams(NativeSocket socket, const Address& remote) {
  sockaddr_storage storage;
  const int length = static_cast<int>(ToSockaddr(remote, &storage));
  return Checked(connect(socket, reinterpret_cast<const sockaddr*>(&storage), length));
}

Error DisconnectDatagrams(NativeSocket socket) {
  sockaddr_storage nobody{};  // AF_UNSPEC
  return Checked(connect(socket, reinterpret_cast<const sockaddr*>(&nobody), sizeof nobody));
}

Error SetDatagramOption(NativeSocket socket, Family family, DatagramOption option, int value) {
  const auto number = static_cast<DWORD>(value);
  if (option == DatagramOption::kBroadcast) {
    return SetOption(socket, SOL_SOCKET, SO_BROADCAST, number);
  }
  const int least = option == DatagramOption::kTtl ? 1 : -1;
  const bool has_limits = option != DatagramOption::kMulticastLoopback;
  if (has_limits && (value < least || value > 255)) return Error::kInvalidArgument;
  const OptionName name = NameOf(option);
  if (family == Family::kIpv6) return SetOption(socket, IPPROTO_IPV6, name.ipv6, number);
  return SetOption(socket, IPPROTO_IP, name.ipv4, number);
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
  int length = sizeof *bytes;
  return Checked(getsockopt(socket, SOL_SOCKET, name, reinterpret_cast<char*>(bytes), &length));
}

std::int32_t ReceiveDatagrams(NativeSocket socket, DatagramRecord* records, std::uint32_t count,
                              std::uint8_t* payloads) {
  count = std::min(count, kDatagramBatch);
  for (std::uint32_t i = 0; i < count; ++i) {
    const int os_error = ReceiveOne(socket, &records[i], payloads + std::size_t{i} * kDatagramRoom);
    if (os_error == 0) continue;
    // An error that is met behind datagrams comes again with the next call, if it lasts.
    if (i != 0) return static_cast<std::int32_t>(i);
    return ToResult(FromOsError(os_error, Operating::kReceive));
  }
  return static_cast<std::int32_t>(count);
}

std::uint32_t SendDatagrams(NativeSocket socket, SegmentedSends*, DatagramRecord* records,
                            std::uint32_t count, const std::uint8_t* payloads) {
  std::uint32_t done = 0;
  for (; done < count; ++done) {
    DatagramRecord& record = records[done];
    WSABUF from{record.length,
                reinterpret_cast<CHAR*>(const_cast<std::uint8_t*>(payloads) + record.offset)};
    sockaddr_storage to;
    const int length = static_cast<int>(ToSockaddr(PeerOf(record), &to));
    DWORD bytes = 0;
    const int result = WSASendTo(socket, &from, 1, &bytes, 0,
                                 length == 0 ? nullptr : reinterpret_cast<const sockaddr*>(&to),
                                 length, nullptr, nullptr);
    if (result == 0) {
      record.result = static_cast<std::int32_t>(bytes);
      continue;
    }
    const Error error = LastError(Operating::kSend);
    record.result = ToResult(error);
    if (error == Error::kTryAgain || error == Error::kNoBufferSpace) break;
  }
  return done;
}

}  // namespace completion_port::os
