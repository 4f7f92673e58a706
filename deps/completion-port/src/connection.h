// A connection and a listener, as the core and the backends see them. Both live in slots that are
// recycled but never freed while the port lives, so a late packet always finds valid memory.
#ifndef COMPLETION_PORT_CONNECTION_H_
#define COMPLETION_PORT_CONNECTION_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "chunk_pool.h"
#include "completion_port/completion_port.h"
#include "growable.h"
#include "os/socket.h"
#include "send_queue.h"

namespace completion_port {

struct Connection;
struct Listener;

#ifdef _WIN32
// How the success of an overlapped call that finishes at once is learnt. Decided per handle, when
// it joins the queue, because it hangs on the provider that made the socket.
enum class Notification : std::uint8_t {
  kQueued,            // by a packet, as if it had waited
  kSkippedOnSuccess,  // by the return value alone: there will be no packet
};

// Private to the backend: what it remembers of a connection that is a named pipe.
struct PipeNotes {
  virtual ~PipeNotes() = default;
};

// What the IOCP backend remembers of one connection.
struct IocpNotes {
  Notification notification = Notification::kQueued;
  TRANSMIT_FILE_BUFFERS around_file{};  // what goes with it, while a file is being sent
  bool busy = false;                    // the next receive takes a chunk along
  std::uint32_t last_receive_ms = 0;    // low half of the clock
  std::unique_ptr<PipeNotes> pipe;      // null for a socket
};
#endif

#ifdef __linux__
// The receive request that the kernel holds for one connection.
enum class ReceiveRequest : std::uint8_t {
  kNone,
  kPoll,  // receives nothing: says when there is something
  kSingle,
  kMultishot,  // completes as often as bytes arrive
  kEnding,     // is being cancelled; its last completion is still to come
};

// The poll that watches for the peer's end while there is a multishot (io_uring_receive.cc).
enum class HangupWatch : std::uint8_t { kOff, kArmed, kEnding, kSeen };

// What the io_uring backend remembers of one connection.
struct UringNotes {
  struct Received {
    std::int32_t result;
    std::uint32_t chunk;
  };
  ReceiveRequest request = ReceiveRequest::kNone;
  HangupWatch hangup = HangupWatch::kOff;
  std::uint8_t messages = 0;   // received into small chunks, as far as it counts
  std::int32_t end = 0;        // what to report of a cancelled receive
  std::vector<Received> held;  // came before the core asked for it; oldest first
  // A send has met the peer's reset. The system tells that once, and then of an end.
  bool send_met_reset = false;

  bool InFlight() const {
    return request != ReceiveRequest::kNone || hangup == HangupWatch::kArmed ||
           hangup == HangupWatch::kEnding || !held.empty();
  }
};

// What the epoll backend knows of a connection's receive buffer.
enum class Readable : std::uint8_t {
  kYes,    // an event said so, and nobody has read since
  kMaybe,  // nobody knows
  kNo,     // it was found empty; an event will say when that has changed
};

// What a receive that found less than it had room for says of the rest.
enum class ShortReceive : std::uint8_t {
  kNothingLeft,
  kProvesNothing,  // it may have stopped early: before urgent bytes, or behind descriptors that
                   // came along; or the end may be there already
};

// Which events of a connection epoll reports.
enum class EpollWatch : std::uint8_t { kNone, kReads, kReadsAndWrites };

// What an operation waits for.
enum class EpollWait : std::uint8_t {
  kNothing,  // it is idle, or on the list of what the next Wait() looks at
  kEvent,
  kReceive,  // a send that is on that list behind the receive, which is to meet an error first
  kPause,    // a send for which the system had no memory
  kOthers,   // a send that the next Wait() or Report() makes, with others
};

// What the epoll backend remembers of one connection.
struct EpollNotes {
  EpollWatch watch = EpollWatch::kNone;
  Readable readable = Readable::kMaybe;
  ShortReceive short_receive = ShortReceive::kNothingLeft;
  EpollWait receive_waits = EpollWait::kNothing;
  EpollWait send_waits = EpollWait::kNothing;   // or the connect
  ChunkClass chunk_class = ChunkClass::kSmall;  // what the receive wants
  std::int32_t receive_error = 0;               // what to report of it without trying
  std::int32_t send_result = 0;                 // what to report of the send or connect
};
#endif

// One operation the kernel can hold. The OS part comes first, so that the pointer a packet carries
// is the pointer to this (IOCP), or carried with a tag in user_data (io_uring).
enum class OperationKind : std::uint8_t {
  kReceive,
  kReadable,  // a receive without room; io_uring has a poll and calls it a receive
  kSend,
  kConnect,
  kShutdown,
  kAccept,
  kLook  // whether a datagram socket has something to receive; Windows only
};
enum class OperationState : std::uint8_t { kIdle, kSubmitted, kCancelling };

struct Operation {
#ifdef _WIN32
  OVERLAPPED overlapped{};
#endif
  Connection* connection = nullptr;  // null for an accept
  OperationKind kind = OperationKind::kReceive;
  OperationState state = OperationState::kIdle;
};

// prepared ──kConnect──► connecting ──► open ──kClose──► lingering ──► cancelling ──► free
//                                         accepted sockets start as open
enum class ConnectionState : std::uint8_t {
  kFree,        // the slot is not in use
  kPrepared,    // socket made and bound, kConnect not yet seen
  kConnecting,  // the connect is with the OS
  kOpen,
  kLingering,   // kClose seen: finishing sends, draining the peer, for a bounded time
  kCancelling,  // every operation is being cancelled; closes when none is in flight
};

// The two directions end independently (half-close).
enum class ReceiveSide : std::uint8_t { kOpen, kEnded, kFailed };
enum class SendSide : std::uint8_t { kOpen, kShutdownQueued, kShutDown, kFailed };

// What kClose asked for.
enum class CloseMode : std::uint8_t { kFinish, kReset, kRelease };

// Memory of the submitter's that a receive is to fill.
struct PinnedReceive {
  std::uint8_t* data;
  std::uint32_t length;
  bool at_once;  // kReceiveAtOnce
};

struct Connection {
  std::atomic<SocketId> id{0};  // slot table: 0 while free
  NativeSocket socket = kInvalidSocket;
  SocketKind kind = SocketKind::kTcp;
  ConnectionState state = ConnectionState::kFree;
  ReceiveSide receive_side = ReceiveSide::kOpen;
  SendSide send_side = SendSide::kOpen;
  ChunkClass chunk_class = ChunkClass::kSmall;  // what the last receive taught
  bool likely_readable = false;     // the last receive left bytes behind (a hint for the backend)
  std::uint8_t roomy_receives = 0;  // in a row, that a small chunk could have held
  CloseMode close_mode = CloseMode::kFinish;
  bool owes_drain = false;   // closing: read to the peer's end (port_close.cc, step 3)
  bool starved = false;      // waits for a free chunk
  bool adopted = false;      // its blocking mode may be shared with others
  bool send_listed = false;  // stands in the core's list of sends to issue
  std::uint32_t credit = 0;
  std::uint32_t posted_chunk = kNoChunk;  // IOCP: chunk with the OS (kNoChunk: zero-byte receive)
  GrowableArray<PinnedReceive> pinned;    // oldest first; few, and none on most connections
  bool pinned_listed = false;             // stands in the core's list of those to serve
  SendQueue sends;
  std::uint32_t refused_sends = 0;  // requests behind those in `sends` that were not taken, as
  Error refused_with = Error::kBrokenPipe;  // they came too late, or there was no memory
  Operation receive;
  Operation send;                   // also carries the connect, and a pipe's shutdown
  std::unique_ptr<Address> remote;  // of a connect, until it completes
#ifdef _WIN32
  IocpNotes iocp;  // set afresh by Backend::Attach
#endif
#ifdef __linux__
  UringNotes uring;
  EpollNotes epoll;
#endif

  // Whether anything must come back before the connection may be freed. Backend::Cancel sees to it
  // that it does.
  bool InFlight() const {
#ifdef __linux__
    if (uring.InFlight()) return true;
#endif
    return receive.state != OperationState::kIdle || send.state != OperationState::kIdle;
  }

  // Back to a free slot, but for the id, which the table takes away. Nothing is in flight.
  void Recycle() {
    socket = kInvalidSocket;
    kind = SocketKind::kTcp;
    state = ConnectionState::kFree;
    receive_side = ReceiveSide::kOpen;
    send_side = SendSide::kOpen;
    chunk_class = ChunkClass::kSmall;
    close_mode = CloseMode::kFinish;
    likely_readable = owes_drain = starved = adopted = send_listed = pinned_listed = false;
    pinned.Reset();
    refused_with = Error::kBrokenPipe;
    credit = refused_sends = 0;
    remote.reset();
#ifdef __linux__
    uring = {};
    epoll = {};
#endif
#ifdef _WIN32
    iocp = IocpNotes{};
#endif
  }
};

enum class ListenerState : std::uint8_t { kFree, kPrepared, kAccepting, kCancelling };

// Private to the backend: its accept operations (a pool on Windows, one request or none on Linux).
struct AcceptPool {
  virtual ~AcceptPool() = default;
};

struct Listener {
  std::atomic<ListenerId> id{0};
  NativeSocket socket = kInvalidSocket;
  ListenerState state = ListenerState::kFree;
  Family family = Family::kNone;
  std::string path;                   // kLocal; emptied when its name is gone
  std::uint32_t accepted_credit = 0;  // receive credit of each accepted socket
  bool shared = false;                // adopted: others may accept from it, and have their share
  std::unique_ptr<AcceptPool> accepts;

  SocketKind Kind() const { return KindOf(family); }
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_CONNECTION_H_
