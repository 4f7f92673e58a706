// The calls on datagram sockets, which are made at once and never wait. Implemented by
// posix/datagram.cc and windows/datagram.cc, as libuv has them, so that errors are those of
// node:dgram.
#ifndef COMPLETION_PORT_OS_DATAGRAM_H_
#define COMPLETION_PORT_OS_DATAGRAM_H_

#include <cstdint>

#include "completion_port/datagram.h"
#include "os/socket.h"

namespace completion_port::os {

// Non-blocking, and no child process inherits it.
Error OpenDatagrams(Family family, NativeSocket* out);
Error BindDatagrams(NativeSocket socket, const DatagramOptions& options);
Error ConnectDatagrams(NativeSocket socket, const Address& remote);
Error DisconnectDatagrams(NativeSocket socket);

// `family` is the socket's own.
Error SetDatagramOption(NativeSocket socket, Family family, DatagramOption option, int value);
Error SetMulticastInterface(NativeSocket socket, const Address& through);
Error JoinGroup(NativeSocket socket, const Membership& membership, bool join);
// 0 asks; else it is set, as far as the system allows.
Error DatagramBufferSize(NativeSocket socket, DatagramBuffer buffer, int* bytes);

// How many were received, or -Error: -kTryAgain when there are none. Payload i begins at
// i * kDatagramRoom; the records are filled in but for `id`.
std::int32_t ReceiveDatagrams(NativeSocket socket, DatagramRecord* records, std::uint32_t count,
                              std::uint8_t* payloads);

// Whether datagrams of one length to one peer may leave a socket as one message, which the system
// cuts apart again. Only Linux does.
struct SegmentedSends {
  enum class State : std::uint8_t { kUnknown, kOffered, kRefused };
  State state = State::kUnknown;
  std::uint32_t most_bytes = 65535;  // of a datagram; longer ones were refused in this form
};

// From the front, as many as the system takes now: how many are done, each with its result. The one
// behind them is the system's to take later (-kTryAgain, -kNoBufferSpace stands in it).
std::uint32_t SendDatagrams(NativeSocket socket, SegmentedSends* segmented, DatagramRecord* records,
                            std::uint32_t count, const std::uint8_t* payloads);

// The peer of a record, for the calls above.
inline Address PeerOf(const DatagramRecord& record) {
  Address peer;
  peer.family = static_cast<Family>(record.family);
  peer.port = static_cast<std::uint16_t>(record.port);
  peer.scope_id = record.scope_id;
  for (int i = 0; i < 16; ++i) peer.bytes[i] = record.address[i];
  return peer;
}

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_DATAGRAM_H_
