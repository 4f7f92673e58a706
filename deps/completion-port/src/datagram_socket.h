// A datagram socket, as the core and the backends see it. It lives in a slot like a connection's.
#ifndef COMPLETION_PORT_DATAGRAM_SOCKET_H_
#define COMPLETION_PORT_DATAGRAM_SOCKET_H_

#include <atomic>
#include <cstdint>

#include "completion_port/datagram.h"
#include "connection.h"
#include "os/datagram.h"
#include "os/socket.h"

namespace completion_port {

struct DatagramSocket;

enum class DatagramState : std::uint8_t {
  kFree,      // the slot is not in use
  kPrepared,  // made and bound; the queue does not know of it
  kAttached,
  kClosing,  // its descriptor is closed; something of it is still with the system
};

#ifdef __linux__
// Which events of a datagram socket epoll reports.
enum class DatagramWatch : std::uint8_t { kReads, kReadsAndWrites };

// What datagrams_linux.h remembers of one datagram socket.
struct DatagramNotes {
  DatagramWatch watch = DatagramWatch::kReads;
  bool readable = false;  // an event said so since somebody was told
  bool writable = false;
  bool awaits_readable = false;
  bool awaits_writable = false;
  bool listed = false;  // stands on the list of those to report
};
#endif

#ifdef _WIN32
// The overlapped look whether there is something.
struct DatagramLook : Operation {
  DatagramSocket* socket = nullptr;
};
#endif

struct alignas(8) DatagramSocket {  // the low bits of its address are free for a tag
  std::atomic<DatagramId> id{0};
  NativeSocket socket = kInvalidSocket;
  Family family = Family::kNone;
  DatagramState state = DatagramState::kFree;
  os::SegmentedSends segmented;  // the submitter's
#ifdef __linux__
  DatagramNotes notes;
#endif
#ifdef _WIN32
  DatagramLook look;
#endif

  // Back to a free slot, but for the id, which the table takes away.
  void Recycle() {
    socket = kInvalidSocket;
    family = Family::kNone;
    state = DatagramState::kFree;
    segmented = {};
#ifdef __linux__
    notes = {};
#endif
  }
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_DATAGRAM_SOCKET_H_
