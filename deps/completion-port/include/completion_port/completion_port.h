// completion_port: one OS completion queue, two rings, and one thread at a time that drives.
//
// How to read this library. You *submit* operations and later read their *completions*; nothing
// here calls you back with data, and nothing blocks you. A `Port` is
//
//   - one queue of the OS: a Windows I/O completion port, or a Linux epoll set or io_uring;
//   - one submission ring (you write, the port reads) and one completion ring (the port writes,
//     you read), both in memory that you provide (layout.h), so that another language can map them;
//   - one pool of receive chunks in a slab that you provide.
//
// Two promises head everything else:
//
//   1. Every submitted operation completes exactly once.
//   2. The completions of one socket arrive in order: its data in stream order, its sends in the
//      order of submission, and kClose last of all. After kClose its id names nothing.
//
// Who owns what
//   - The bytes of a kSend, and the memory of a kReceivePinned, belong to the port from submission
//     until completion, or until kClose. Do not change, move or free them in between; nor close the
//     file of a kSendFile.
//   - A receive chunk belongs to the port until a kReceive completion hands it to you, then to you
//     until you give it back with kRelease. Chunks are few: give them back soon. While you keep a
//     large one, bulk waits for it instead of coming in small ones.
//   - A native socket belongs to the port from birth to kClose; who asks for its handle borrows.
//   - The kernel owns an operation, its buffer and its connection until its packet is dequeued.
//     Therefore closing is a request: it cancels, waits for every packet, and only then frees.
//
// Receive credit. A socket receives only while it holds credit. One credit is one receive
// operation: it completes once, with a chunk of data, with the end of the stream (0) or with an
// error; after the end or an error no more credit is consumed. What is left of the credit when a
// socket closes is cancelled, and kClose stands for it. Not granting credit is how you pause:
// a posted receive is never cancelled except to close (a cancelled TCP receive can lose bytes).
//
// Threads. One thread, the *submitter*, owns the writing side of the submission ring, the reading
// side of the completion ring, and calls every method below. Only `Wake` may be called from any.
// A method that takes an id may be called until kClose or kCloseListener of it is submitted. After
// that whoever drives closes the socket, and at any moment its number can be somebody else's: the
// id is looked up, but nothing holds it while the call runs.
//
// Driving. A port does nothing by itself: somebody has to *drive*, that is, to take one turn after
// another, in which what was submitted is handed to the OS, its completions are waited for and
// written into the ring. One thread drives at any moment (drive.h), and that is what keeps others
// out of a port's state.
//   - Driving::kSubmitter: you do, with Drive(), which waits as long as you let it. So a completion
//     wakes the thread that is to read it, and nothing crosses from thread to thread. While you are
//     away for some milliseconds, and submit nothing, a helper takes the turns in your place, and
//     gives the drive back when you come around (helper.h).
//   - Driving::kThread: a thread of the port's own does, always. You wake it when you have
//     submitted something, and it wakes you when something completed: the protocol is in layout.h.
#ifndef COMPLETION_PORT_COMPLETION_PORT_H_
#define COMPLETION_PORT_COMPLETION_PORT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "completion_port/address.h"
#include "completion_port/datagram.h"
#include "completion_port/error.h"
#include "completion_port/layout.h"

namespace completion_port {

// [generation:12 | index:20]. Never 0. An id is used again only after 4,094 others in its slot, and
// while there are slots to be had, each of these waits for 64 others.
using SocketId = std::uint32_t;
using ListenerId = std::uint32_t;

enum class BackendKind : std::uint32_t { kIocp, kIoUring, kEpoll };

const char* BackendName(BackendKind kind);

// The backends of this operating system, in the order in which they are to be tried.
std::vector<BackendKind> BackendCandidates();

// Whether this machine lets us use `kind`: opens and closes an OS queue. Error::kOk or the reason
// (kPermissionDenied and kNotSupported are ordinary answers inside containers).
Error ProbeBackend(BackendKind kind);

// Who drives a port, that is, takes its turns: hands over, waits, reaps.
enum class Driving : std::uint8_t {
  kSubmitter,  // its submitter, by Drive(); a helper thread while that is away for long
  kThread,     // a thread of the port's own, always
};

// When the helper drives. The submitter is saturated when it has found work in every turn for long,
// and so many completions at once, on average, that a thread's hand-over of a batch costs little of
// it. With fewer, one thread alone is the quicker one.
struct HelperThresholds {
  // > 0: what the submitter is away for at least, without submitting anything; at most nine times
  // that, where it came around each time before.
  std::uint32_t away_us = 1000;
  std::uint64_t found_work_ns = 3000;  // a wait that took less found something there already
  std::uint64_t saturated_after_ns = 10'000'000;
  std::uint32_t many_completions = 16;  // from so many on, ...
  std::uint32_t few_completions = 8;    // ... until there are fewer than these
};

struct PortOptions {
  BackendKind backend = BackendKind::kEpoll;

  // Memory of the two rings: RingMemoryBytes(...) bytes, aligned to 64, zeroed. Borrowed until
  // Stop() has returned.
  void* ring_memory = nullptr;
  std::uint32_t submission_entries = 8192;  // a power of two
  std::uint32_t completion_entries = 8192;  // a power of two

  // Received bytes land here. Borrowed until Stop() has returned; what is in it before is lost.
  // 64-byte aligned, less than 4 GiB. The size is the port's receive budget in bytes; it is touched
  // lazily and trimmed when idle.
  std::uint8_t* receive_slab = nullptr;
  std::size_t receive_slab_bytes = 0;

  // kSend without kSendPinned names bytes by their offset in here. Borrowed likewise; nothing may
  // be in it before.
  const std::uint8_t* send_slab = nullptr;
  std::size_t send_slab_bytes = 0;

  // Sockets alive at once, at most 2^20. Costs 8 bytes of address space each.
  std::uint32_t socket_capacity = 1u << 17;

  // How long a closed socket may go on sending what was submitted and draining what its peer still
  // sends, so that the peer sees FIN and not RST. Milliseconds.
  std::uint32_t linger_ms = 1000;

  Driving driving = Driving::kThread;
  // Whether a thread may help the submitter that drives. It is made at first need, and where none
  // can be had, the port works without. Costs a look per 8 ms in which the port is busy.
  bool helper = true;
  HelperThresholds helper_thresholds;

  // BackendKind::kEpoll: whether the sends of a turn may be made by one call, of an io_uring that
  // is opened for it at first need. Where the system refuses one, each is a call of its own.
  bool batch_sends = true;

  // Whether sockets that listeners of its siblings accept may join this port. One that is there for
  // something else, such as datagrams, says no.
  bool takes_accepted = true;

  // Core to pin the port's thread to, or the helper; -1 leaves the choice to the scheduler.
  int core = -1;

  // Driving::kThread: called on that thread after it published completions while the consumer
  // slept. Must not block and must not call back into the port.
  void (*wake_consumer)(void* context) = nullptr;
  void* wake_context = nullptr;
};

// With an address of Family::kLocal the options of IP mean nothing.
struct ListenOptions {
  Address address;
  int backlog = 511;
  bool ipv6_only = false;
  bool reuse_port = false;
};

struct ConnectOptions {
  Address remote;
  Address local;  // family kNone: let the OS choose
};

struct KeepAlive {
  bool enable = false;
  std::uint32_t delay_s = 0;     // idle time before the first probe; 0 leaves the OS default
  std::uint32_t interval_s = 0;  // between probes; 0 means 1 with a delay, as libuv has it
  std::uint32_t count = 0;       // probes before giving up; 0 means 10 with a delay, likewise
};

// For handles that are in no port: another handle to the same socket, as Port::Duplicate().
Error DuplicateNative(std::intptr_t native, std::intptr_t* duplicate);
void CloseNative(std::intptr_t native);

// A listener that is in no port: for a process that shares it with others, which accept. Bound and
// listening; the caller's to close.
Error OpenNativeListener(const ListenOptions& options, std::intptr_t* native);

// Sharing a socket by words alone, on Windows (elsewhere descriptors are sent: kNotSupported). The
// token is for that process, once, while this one has the socket open.
Error ShareNative(std::intptr_t native, std::uint32_t process_id, std::vector<std::uint8_t>* token);
// The receiver's handle, its own to close. kInvalidArgument: not such a token.
Error TakeShared(const std::vector<std::uint8_t>& token, std::intptr_t* native);

// For kSendFile: another handle to the same open file, not inherited by child processes, the
// caller's to close when the sends are done. kBadDescriptor: not a file. The numbers fit the 32
// bits of Submission::arg3, on Windows too.
Error DuplicateFile(std::intptr_t file, std::intptr_t* duplicate);
void CloseFile(std::intptr_t file);

class Port;
class PortCore;

// The ports of one environment. An accepted socket joins the port with the fewest sockets, of those
// that take any (PortOptions::takes_accepted), so the ports know each other.
class PortGroup {
 public:
  PortGroup();
  ~PortGroup();  // stops
  PortGroup(const PortGroup&) = delete;
  PortGroup& operator=(const PortGroup&) = delete;

  // Opens the OS queue, and starts the port's thread where it has one. On success *port stays valid
  // as long as the group. Ports are numbered from 0 in the order of Add. Add all before submitting
  // the first kAccept.
  Error Add(const PortOptions& options, Port** port);

  // Takes what the submission rings still hold, sends without waiting what can be sent so, cancels
  // the rest, reaps every packet, closes every socket, joins every thread. Completions written
  // meanwhile are not announced. Idempotent.
  void Stop();

 private:
  friend class PortCore;
  std::vector<std::unique_ptr<PortCore>> ports_;
  std::vector<PortCore*> accepting_;  // of them, those that accepted sockets may join
};

// Completions by what an event loop tells apart when it delivers them. But for connects, those that
// failed or were canceled count, too.
struct CompletionCounts {
  std::uint64_t connects = 0;  // that succeeded
  std::uint64_t accepts = 0;
  std::uint64_t arrivals = 0;  // accepts, receives, and datagrams that are there
  std::uint64_t closes = 0;    // of any socket, and of what lingers from here on
};

class Port {
 public:
  virtual ~Port() = default;

  // --- Control plane: plain calls, on the submitter's thread
  // --------------------------------------

  // Creates, binds and listens at once; connections wait in the backlog until kAccept is submitted.
  virtual Error PrepareListener(const ListenOptions& options, ListenerId* id) = 0;

  // Creates the socket and binds its local end at once; nothing is sent until kConnect is
  // submitted.
  virtual Error PrepareConnect(const ConnectOptions& options, SocketId* id) = 0;

  // Takes over a connected stream socket that exists already: TCP or, on POSIX, a Unix socket. It
  // joins the port when kConnect is submitted, which completes without connecting anything. On
  // success the port owns `native`; on an error it remains the caller's. kNotSocket,
  // kInvalidArgument (no stream socket, or a listening one), kNotConnected. On Windows a SOCKET
  // that was ever associated with a completion port, also by another handle to it, cannot join a
  // second one: its kConnect fails with kInvalidArgument.
  virtual Error AdoptConnection(std::intptr_t native, SocketId* id) = 0;

  // Takes over a bound stream socket and listens on it, also where it listens already. Others may
  // accept from it too, in this process or another: what arrives is shared with them, in turn as
  // far as the system has it so. Ownership and errors as above; connections wait in the backlog
  // until kAccept is submitted.
  virtual Error AdoptListener(std::intptr_t native, int backlog, ListenerId* id) = 0;

  // Of TCP only: kOperationNotSupported on a local socket.
  virtual Error SetNoDelay(SocketId id, bool enable) = 0;
  virtual Error SetKeepAlive(SocketId id, const KeepAlive& options) = 0;
  // The byte of the IP header: IP_TOS, or IPV6_TCLASS where the socket is one of IPv6. What the
  // system does not let a program choose (the ECN bits, on Windows mostly all) it may ignore.
  virtual Error SetTypeOfService(SocketId id, int value) = 0;
  virtual Error TypeOfService(SocketId id, int* out) = 0;
  virtual Error LocalAddress(SocketId id, Address* out) = 0;
  virtual Error PeerAddress(SocketId id, Address* out) = 0;
  virtual Error ListenerAddress(ListenerId id, Address* out) = 0;

  // Listeners of Family::kLocal only. The first: before kAccept is submitted. The second takes the
  // name of a socket file away at once, so that nobody connects any more and another may listen
  // there; closing does so, too, if it was not called. Other names last until closing.
  virtual Error SetListenerAccess(ListenerId id, bool readable_by_all, bool writable_by_all) = 0;
  virtual Error UnlinkListener(ListenerId id) = 0;

  // The file descriptor or SOCKET, borrowed; -1 where the id names nothing.
  virtual std::intptr_t NativeHandle(SocketId id) = 0;
  virtual std::intptr_t NativeListenerHandle(ListenerId id) = 0;

  // A second handle to the same socket, not inherited by child processes, the caller's to close.
  // Where somebody is to accept from one, kAcceptShared should follow.
  virtual Error Duplicate(SocketId id, std::intptr_t* native) = 0;
  virtual Error DuplicateListener(ListenerId id, std::intptr_t* native) = 0;

  // One non-blocking send on the caller's thread, skipping the ring. Allowed only while no kSend
  // of this socket is in flight (promise 2). Bytes taken (0: would block) or a negative Error.
  virtual std::int32_t SendNow(SocketId id, const std::uint8_t* data, std::size_t length) = 0;

  // --- Datagram sockets (datagram.h): plain calls, on the submitter's thread --------------------

  // Makes and binds, at once.
  virtual Error PrepareDatagrams(const DatagramOptions& options, DatagramId* id) = 0;
  // From now on it sends to `remote` and receives from nobody else; to everybody and from everybody
  // with an address of Family::kNone.
  virtual Error ConnectDatagrams(DatagramId id, const Address& remote) = 0;
  virtual Error DatagramAddress(DatagramId id, Address* out) = 0;
  virtual Error DatagramPeer(DatagramId id, Address* out) = 0;
  // kInvalidArgument: the value is out of range.
  virtual Error SetDatagramOption(DatagramId id, DatagramOption option, int value) = 0;
  virtual Error SetMulticastInterface(DatagramId id, const Address& through) = 0;
  virtual Error JoinGroup(DatagramId id, const Membership& membership, bool join) = 0;
  // Bytes. 0 asks for it; else it is set, as far as the system allows.
  virtual Error DatagramBufferSize(DatagramId id, DatagramBuffer buffer, int* bytes) = 0;
  // Borrowed; -1 where the id names nothing.
  virtual std::intptr_t NativeDatagramHandle(DatagramId id) = 0;

  // Takes what has arrived, without waiting, at most kDatagramBatch: how many, or -Error
  // (-kTryAgain: none). Payload i stands at payloads + i * kDatagramRoom.
  virtual std::int32_t ReceiveDatagrams(DatagramId id, DatagramRecord* records, std::uint32_t count,
                                        std::uint8_t* payloads) = 0;
  // Hands over, without waiting. Each record has its result then; -kTryAgain and -kNoBufferSpace:
  // the system has no room for it now, nor for those of the same socket behind it.
  virtual void SendDatagrams(DatagramRecord* records, std::uint32_t count,
                             const std::uint8_t* payloads) = 0;

  // After Stop(): the system has not given back everything, so that the memory in PortOptions must
  // stay where it is for ever.
  virtual bool HoldsMemory() const = 0;

  // Whether bytes, the end or an error have arrived that no receive has taken. What a receive has
  // taken stands in the completion ring when this returns, where the submitter drives.
  virtual bool HasUnread(SocketId id) = 0;

  // The consumer's last act before it sleeps: asks for wake_consumer. False if there are
  // completions to read; nothing is asked for then. On the consumer's thread.
  virtual bool ConsumerSleeps() = 0;

  // --- Driving::kSubmitter, on the submitter's thread ------------------------------------------

  // One turn: hands over what was published, waits for at most timeout_ms (< 0: without end; 0: not
  // at all) unless there are completions to read, and writes what completed. True if there are
  // completions to read. Where the helper drives, the submitter gets the drive back, but when it is
  // saturated and finds completions.
  virtual bool Drive(int timeout_ms) = 0;

  // Hands over what was published, now and without waiting: what can be done at once is done when
  // this returns. True if nothing of what was submitted for the socket remains to be sent. Where a
  // thread drives, wakes it and returns false.
  virtual bool Submit(SocketId id) = 0;

  // Whether there is something to read.
  virtual bool HasCompletions() const = 0;
  // Whether something was submitted that no turn has taken.
  virtual bool HasSubmissions() const = 0;
  // How much has completed so far. Costs a look at eight counters.
  virtual CompletionCounts Completed() const = 0;

  // From now on Drive() also returns when this descriptor can be read from, at once as long as that
  // is so. POSIX only.
  virtual Error WatchDescriptor(std::intptr_t descriptor) = 0;
  // After a Drive(): the descriptor cannot be read from, as far as that is known without a call.
  virtual bool WatchIsQuiet() const = 0;
  // For a submitter that waits elsewhere: a descriptor that can be read from when a Drive() would
  // find something in the queue, until one has taken it. What needs a turn without an event of the
  // queue, it does not tell: HasSubmissions(), and what completes in the turn that takes them.
  // Borrowed; -1 where a queue cannot be waited for (all but epoll's).
  virtual std::intptr_t QueueDescriptor() const = 0;

  // --- Any thread
  // ----------------------------------------------------------------------------------

  // Makes the turn under way, or the next one, return from its wait. A submitter needs it only
  // after exchanging `kPortAsleep` from 1 to 0 (layout.h).
  virtual void Wake() = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_COMPLETION_PORT_H_
