// The shared memory of a port: two rings of fixed-size records and a block of counters.
//
// This header is the only place where the layout is written. The binding exports it to JavaScript
// as a table of constants (src/binding/layout.cc), so that no number is written twice.
//
//   offset 0                 header: 9 cache lines, one index or flag on each (no false sharing)
//   kCountersOffset          counters: 64-bit, written by the driver (those of direct calls by the
//                            submitter), read by anyone
//   kSubmissionsOffset       submission_entries records
//   after those              completion_entries records
//
// Indices run freely and are masked on use; a ring is full when tail - head == entries. Producer:
// write the record, then store the tail with release. Consumer: load the tail with acquire, read,
// then store the head with release.
//
// Wake-ups are coalesced. Before it sleeps, a consumer stores 1 in its asleep flag and looks at the
// ring once more (all sequentially consistent). A producer, after publishing, exchanges the flag
// with 0 and wakes the other side only if it was 1.
//
// A submitter may leave a sleeping port asleep after publishing nothing but kRelease, as long as
// every socket concerned still has credit that the port knows of, and kChunksWanted is 0: the port
// reads the ring when the next packet wakes it. That saves a wake-up per message on quiet sockets.
#ifndef COMPLETION_PORT_LAYOUT_H_
#define COMPLETION_PORT_LAYOUT_H_

#include <cstddef>
#include <cstdint>

namespace completion_port {

inline constexpr std::size_t kCacheLineBytes = 64;
inline constexpr std::size_t kRecordWords = 8;  // of 32 bits: two records to a cache line
inline constexpr std::size_t kRecordBytes = kRecordWords * 4;

// The most that one kReceive brings into a chunk, in bytes. Who fills it has probably more to read.
inline constexpr std::uint32_t kLargestChunkBytes = 64 * 1024;

// Ids of sockets and listeners: a slot's index in the low bits, its generation in the others.
inline constexpr std::uint32_t kSlotIndexBits = 20;

// Header: word offsets (32-bit words), each on a cache line of its own.
inline constexpr std::size_t kSubmissionTail = 0;       // written by the submitter
inline constexpr std::size_t kSubmissionHead = 16;      // written by the port
inline constexpr std::size_t kPortAsleep = 32;          // 1: the thread that drives sleeps, or will
inline constexpr std::size_t kCompletionTail = 48;      // written by the port
inline constexpr std::size_t kCompletionHead = 64;      // written by the consumer
inline constexpr std::size_t kConsumerAsleep = 80;      // 1: the consumer wants wake_consumer
inline constexpr std::size_t kCompletionOverflow = 96;  // 1: the port holds completions back for
                                                        // want of room, or leaves connections in
                                                        // a backlog because accepted ones were not
                                                        // read yet; wake it after reading
inline constexpr std::size_t kChunksWanted = 112;       // 1: a receive waits for a chunk
inline constexpr std::size_t kDriver = 128;             // who drives: a Driver
inline constexpr std::size_t kOffload = 129;  // 1: a thread drives on purpose, to send too
inline constexpr std::size_t kHelped = 130;   // 1: a thread drives while the submitter is away
inline constexpr std::size_t kHeaderBytes = 9 * kCacheLineBytes;

// Who takes the port's turns now. While a thread does, a submitter that has published wakes it if
// it sleeps; else the submitter's next turn takes what it has published.
enum class Driver : std::uint32_t { kNobody, kSubmitter, kThread };

// clang-format off
#define COMPLETION_PORT_OPCODES(X)                                                              \
  /* id; nothing else. Completes with 0 or -Error. An adopted socket joins the port.        */ \
  X(kConnect, connect)                                                                          \
  /* id = listener, arg0 = receive credit of each accepted socket. Stays armed: one         */ \
  /* completion per connection, on the port it joined: arg0 = its SocketId, arg1 = ordinal  */ \
  /* of the listener's port in the group; or result -Error (still armed).                   */ \
  X(kAccept, accept)                                                                            \
  /* id, arg0 = credit to add. Completion: result = bytes (0: end of stream) or -Error,     */ \
  /* arg0 = chunk index, arg1 = byte offset in the receive slab. With kReceivePinned: one    */ \
  /* receive into memory of the submitter's, arg0 = low half of its address, arg1 = length   */ \
  /* (not 0: that would read like the end), arg2 = high half. -kBusy while the socket has    */ \
  /* other credit, or the system still receives on such as is used up, on a Windows pipe,    */ \
  /* and where there is no memory to note it: grant credit then. Its completion has no chunk */ \
  /* (kNoChunk); what kClose stands for, the port gives back with it.                        */ \
  X(kReceive, receive)                                                                          \
  /* id, arg0 = chunk to give back, arg1 = credit to add. No completion: it is not an        */ \
  /* operation but a return. The chunk is given back even if the socket is gone.             */ \
  X(kRelease, release)                                                                          \
  /* id, arg0 = offset in the send slab (or low half of the address), arg1 = length in       */ \
  /* bytes, arg2 = high half of the address. Records with kSendMore make one request with    */ \
  /* the records after them. With kSendFile: a piece of a file, arg0 = low half of its       */ \
  /* offset there, arg2 = high half, arg3 = the file. Completion: result = 0 or -Error,      */ \
  /* arg0 = how many requests, in order, it completes (the OS may take several at once);     */ \
  /* with -Error arg1 = how many bytes the OS has taken of the first of them. -kEndOfFile:   */ \
  /* the file has ended before the piece. Whatever fails ends the socket's sending side.     */ \
  X(kSend, send)                                                                                \
  /* id. Sends FIN when all sends submitted before it are done. Completion: 0 or -Error.     */ \
  X(kShutdown, shutdown)                                                                        \
  /* id. Completion kClose: the id is free. If the socket has to linger (sends under way, or */ \
  /* a peer that has not ended yet), a kLinger completion comes at once and kClose later;    */ \
  /* no data is delivered after either.                                                      */ \
  X(kClose, close)                                                                              \
  X(kLinger, linger)                                                                            \
  /* id = listener. Completion: the listener's id is free.                                   */ \
  X(kCloseListener, closeListener)                                                              \
  /* id = datagram socket (datagram.h). Completes with 0, once, when a receive would find     */ \
  /* something, or with -Error where the socket cannot be waited for.                        */ \
  X(kAwaitReadable, awaitReadable)                                                              \
  /* The same when a send that found no room could be tried again. -kOperationNotSupported:  */ \
  /* the system does not tell; try again after a while.                                      */ \
  X(kAwaitWritable, awaitWritable)                                                              \
  /* id = datagram socket. It is closed at once. Completion: its id is free, and what was     */ \
  /* awaited will not come.                                                                  */ \
  X(kCloseDatagrams, closeDatagrams)
// clang-format on

enum class Opcode : std::uint32_t {
  kNone = 0,
#define X(name, js) name,
  COMPLETION_PORT_OPCODES(X)
#undef X
      kCount
};

enum SubmissionFlag : std::uint32_t {
  kSendMore = 1u << 0,    // the next kSend of this socket continues the request
  kSendPinned = 1u << 1,  // arg0/arg2 are an address, not a slab offset
  kCloseReset = 1u << 2,  // kClose: RST instead of FIN, drop what is unsent
  // kClose: only our handle. The connection goes on in a duplicate of it: what was submitted is
  // sent, but no FIN is, and nothing is read any more. A receive under way may still take bytes.
  kCloseRelease = 1u << 3,
  // kAccept of a listener that accepts already: from here on others accept from a duplicate of it
  // and are to have their turn. Not an operation of its own: no completion.
  kAcceptShared = 1u << 4,
  kReceivePinned = 1u << 5,  // kReceive: into memory that arg0, arg1 and arg2 name
  // kReceivePinned: takes what is there when its turn comes, or completes with -kTryAgain. For
  // bulk, of which there is likely to be more than the receive before it has room for.
  kReceiveAtOnce = 1u << 6,
  // kReceive without arg0: takes credit back, for a socket that somebody else is to read from. One
  // completion, of -kCanceled with arg1 = how much, but for a receive that is with the system and
  // may still take bytes. Pinned ones complete with -kCanceled each.
  kReceiveWithdraw = 1u << 7,
  // kAwaitReadable: the last receive may have left something behind, of which no event will tell.
  kMayBeReadable = 1u << 8,
  // kSend: the bytes are those of a regular file, which the submitter keeps open, with a handle of
  // its own (DuplicateFile), until the send completes or until kClose. Not on a Windows pipe, where
  // it completes with -kOperationNotSupported. Whoever drives reads the file, and waits for a disk
  // where the system has not got the bytes in memory: for 256 KiB at most, then others have their
  // turn.
  kSendFile = 1u << 9,
};

struct Submission {
  std::uint32_t opcode;
  std::uint32_t flags;
  std::uint32_t id;
  std::uint32_t arg0;
  std::uint32_t arg1;
  std::uint32_t arg2;
  std::uint32_t arg3;
  std::uint32_t reserved;
};
static_assert(sizeof(Submission) == kRecordBytes);

struct Completion {
  std::uint32_t opcode;
  std::uint32_t id;
  std::int32_t result;
  std::uint32_t arg0;
  std::uint32_t arg1;
  std::uint32_t reserved[3];
};
static_assert(sizeof(Completion) == kRecordBytes);

// Counters, in order. All count since the port started, except the gauges, marked so.
#define COMPLETION_PORT_COUNTERS(X)                                                           \
  X(kBytesReceived, bytesReceived)                                                            \
  X(kBytesSent, bytesSent)                                                                    \
  X(kBatches, batches)                 /* returns of the OS queue with at least one packet */ \
  X(kPackets, packets)                 /* packets dequeued from it */                         \
  X(kOsCalls, osCalls)                 /* system calls of the data plane, all kinds */        \
  X(kPortWakeups, portWakeups)         /* times the driver was woken */                       \
  X(kConsumerWakeups, consumerWakeups) /* times it woke the consumer */                       \
  X(kSocketsOpen, socketsOpen)         /* gauge */                                            \
  X(kListenersOpen, listenersOpen)     /* gauge */                                            \
  X(kDatagramSocketsOpen, datagramSocketsOpen) /* gauge */                                    \
  X(kChunksInUse, chunksInUse)         /* gauge: posted to the OS or held by the consumer */  \
  X(kChunksTotal, chunksTotal)         /* gauge */                                            \
  X(kReceivesStarved, receivesStarved) /* receives that had to wait for a free chunk */       \
  X(kLargeReceives, largeReceives)     /* chunks of the large size that were delivered */     \
  X(kPinnedReceives, pinnedReceives)   /* receives into memory of the submitter's */          \
  X(kChunksTrimmed, chunksTrimmed)     /* given back to the OS when idle */                   \
  /* These are the submitter's: */                                                            \
  X(kDirectSends, directSends) /* SendNow calls */                                            \
  X(kDirectBytesSent, directBytesSent)                                                        \
  X(kDatagramsReceived, datagramsReceived)                                                    \
  X(kDatagramsSent, datagramsSent)                                                            \
  X(kWaitedNs, waitedNs)   /* time that it waited in its turns, in nanoseconds */             \
  X(kWorkFound, workFound) /* turns that found work of the helper's, and left it driving */   \
  /* The driver's again: */                                                                   \
  X(kHelperTurns, helperTurns) /* times the helper has taken the drive and given it back */   \
  X(kHelperNs, helperNs)       /* time that it drove, in nanoseconds */                       \
  /* The helper's: */                                                                         \
  X(kHelperLooks, helperLooks) /* times it has looked whether it is needed */

enum class Counter : std::uint32_t {
#define X(name, js) name,
  COMPLETION_PORT_COUNTERS(X)
#undef X
  // Then two per opcode, in the order of Opcode: submitted, completed.
  kPerOpcode,
  kCount = kPerOpcode + 2 * static_cast<std::uint32_t>(Opcode::kCount)
};

inline constexpr std::size_t kCountersOffset = kHeaderBytes;
inline constexpr std::size_t kCountersBytes = 64 * 8;
static_assert(static_cast<std::size_t>(Counter::kCount) <= 64);
inline constexpr std::size_t kSubmissionsOffset = kCountersOffset + kCountersBytes;

constexpr std::size_t RingMemoryBytes(std::uint32_t submission_entries,
                                      std::uint32_t completion_entries) {
  return kSubmissionsOffset +
         (std::size_t{submission_entries} + std::size_t{completion_entries}) * kRecordBytes;
}

}  // namespace completion_port

#endif  // COMPLETION_PORT_LAYOUT_H_
