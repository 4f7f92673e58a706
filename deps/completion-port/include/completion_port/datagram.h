// Datagram sockets (UDP): what a port does for them, and the records that carry datagrams.
//
// A datagram socket is a third kind of what lives on a port, beside connections and listeners. It
// differs from a connection in what there is to wait for. A stream is received ahead, into chunks,
// because its bytes have to be taken away from the system or its peer stands still. A datagram
// waits for nobody: the system keeps what has arrived, as much as the receive buffer of the socket
// holds, and drops the rest. So a port does not receive datagrams. It tells when there are some,
// and who wants them takes many with one call, into memory of its own, when there is time for them:
//
//   1. PrepareDatagrams() makes and binds a socket, at once.
//   2. kAwaitReadable is submitted. It completes once, when a receive would find something.
//   3. ReceiveDatagrams() takes up to kDatagramBatch of them, in one system call where the system
//      has one for that (recvmmsg). Then the next kAwaitReadable, with kMayBeReadable where it took
//      as many as there was room for: others wait then, and no event will tell of them.
//   4. SendDatagrams() hands over many, of any sockets of the port, those of one socket that follow
//      each other in one system call (sendmmsg). What the system does not take now can go on after
//      a kAwaitWritable.
//   5. kCloseDatagrams. Its completion stands for what was still awaited, too.
//
// A datagram is received whole or not at all: kDatagramRoom is more than the longest there is.
//
// No port of the simulation has datagram sockets (test/sim): there PrepareDatagrams() fails with
// kNotSupported.
#ifndef COMPLETION_PORT_DATAGRAM_H_
#define COMPLETION_PORT_DATAGRAM_H_

#include <cstddef>
#include <cstdint>

#include "completion_port/address.h"

namespace completion_port {

// Like SocketId, in a numbering of its own.
using DatagramId = std::uint32_t;

// What one call receives at most. So many, and no more of one socket in a turn, are a bounded delay
// for the others of the port.
inline constexpr std::uint32_t kDatagramBatch = 32;
// What one call hands over at most of one socket; more are several calls.
inline constexpr std::uint32_t kDatagramSendBatch = 64;
// From the payload of a received datagram to that of the next, in bytes. The line more than 64 KiB
// keeps the payloads from all falling into the same lines of the processor's cache.
inline constexpr std::uint32_t kDatagramRoom = 64 * 1024 + 64;

// One datagram. JavaScript reads and writes these (src/binding/layout.cc).
struct DatagramRecord {
  std::uint32_t id;      // sending: which socket it leaves by
  std::int32_t result;   // its bytes once it was received or sent, or -Error
  std::uint32_t offset;  // sending: where its payload begins
  std::uint32_t length;  // sending: bytes of the payload
  // The peer. Family as a number of enum Family; kNone when sending to the connected peer.
  std::uint32_t family;
  std::uint32_t port;        // host byte order
  std::uint32_t scope_id;    // IPv6 zone; 0: none
  std::uint32_t reserved;    // up to an even number of words
  std::uint8_t address[16];  // network byte order; IPv4 uses the first 4
};
inline constexpr std::size_t kDatagramRecordBytes = 48;
static_assert(sizeof(DatagramRecord) == kDatagramRecordBytes);

struct DatagramOptions {
  Address local;
  bool ipv6_only = false;
  bool reuse_address = false;  // others with this option may bind the same address
  bool reuse_port = false;     // likewise, and the system spreads what arrives; Linux only
};

enum class DatagramOption : std::uint32_t {
  kBroadcast,
  kTtl,                // 1 to 255
  kMulticastTtl,       // 0 to 255; on Windows also -1, the system's default
  kMulticastLoopback,  // 0: off
};

enum class DatagramBuffer : std::uint32_t { kSend, kReceive };

struct Membership {
  Address group;
  Address source;   // kNone: any source
  Address through;  // kNone: the system's choice. Of IPv6 only the scope counts
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_DATAGRAM_H_
