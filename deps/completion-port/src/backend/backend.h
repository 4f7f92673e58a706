// What a backend does for the port core, and what it reports back. One file (or two) per backend;
// the state machines of connections live above this line, in the core, and are shared.
//
// Rules of this contract
//   - One thread at a time calls what is here: the driver. It is not always the same thread, unless
//     the queue belongs to one (BelongsToOneThread). Wake() may be called by any thread at any
//     time, and Open() by any thread before the first driver comes.
//   - A Submit* never calls an event. What finishes at once is remembered and reported by Wait().
//   - Every Submit* is answered by exactly one event, also after Cancel(). Before it calls the
//     event the backend sets the operation's state back to kIdle.
//   - A connection has at most one receive and one send (or connect) under way.
#ifndef COMPLETION_PORT_BACKEND_BACKEND_H_
#define COMPLETION_PORT_BACKEND_BACKEND_H_

#include <cstdint>
#include <memory>

#include "chunk_pool.h"
#include "completion_port/completion_port.h"
#include "connection.h"
#include "counters.h"
#include "datagram_socket.h"

namespace completion_port {

// Implemented by the core.
class BackendEvents {
 public:
  virtual ~BackendEvents() = default;
  // result > 0: that many bytes stand in `chunk`, which now belongs to the core. 0: end of stream.
  // -kNoBufferSpace: there was no free chunk; submit again when there is one. Other: -Error.
  // `chunk` is kNoChunk unless result > 0 (the backend gives an unused chunk back itself).
  virtual void OnReceive(Connection& connection, std::int32_t result, std::uint32_t chunk) = 0;
  // Bytes the OS took from the front of connection.sends (may be fewer than given), or -Error. 0:
  // the file that is first there has ended.
  virtual void OnSend(Connection& connection, std::int32_t result) = 0;
  // A receive would find something: bytes, the end or an error. Or the error itself. The core then
  // receives by itself. Cancelled, it is answered by OnReceive like any receive.
  virtual void OnReadable(Connection& connection, Error error) = 0;
  virtual void OnConnect(Connection& connection, Error error) = 0;
  virtual void OnShutdown(Connection& connection, Error error) = 0;
  // One accepted socket (kOk; the core owns it now), not yet attached to any port (but a pipe to
  // this one), its addresses already valid; or an error, after which the backend goes on accepting
  // by itself.
  virtual void OnAccept(Listener& listener, NativeSocket socket, Error error) = 0;
  // After Cancel(listener): no accept of it is in flight any more.
  virtual void OnAcceptStopped(Listener& listener) = 0;
  // How many more accepted sockets the core takes now. At 0 the backend leaves connections in the
  // system's backlog until ResumeAccepts(); an accept that is with the OS already may still bring
  // one.
  virtual std::uint32_t AcceptsWanted(Listener& listener) = 0;
  // The answers to AwaitReadable and AwaitWritable: a receive would find something, a send may go
  // on (or kOperationNotSupported: nobody can say when).
  virtual void OnReadable(DatagramSocket& datagrams) = 0;
  virtual void OnWritable(DatagramSocket& datagrams, Error error) = 0;
  // After a Detach() that said false: nothing of it is with the system any more.
  virtual void OnDetached(DatagramSocket& datagrams) = 0;
};

struct BackendContext {
  BackendEvents* events;
  ChunkPool* chunks;
  Counters* counters;
  std::uint32_t queue_entries;  // a good depth for the OS queue
  bool batch_sends;             // see PortOptions
};

// So much of a file is read by one call. A disk that has to be waited for delivers that within some
// milliseconds, and a call costs a hundredth of what it does with as much in memory.
inline constexpr std::uint32_t kFileBytes = 256 * 1024;

class Backend {
 public:
  virtual ~Backend() = default;

  // Opens the OS queue. Called once.
  virtual Error Open(const BackendContext& context) = 0;

  // Whether only the thread that called Open() may drive.
  virtual bool BelongsToOneThread() const { return false; }

  // Waits for this descriptor, too: a Wait() after WatchAgain() also returns when it is readable,
  // at once if it is. Called once. kOperationNotSupported where the OS queue cannot wait for it:
  // somebody has to call Wake().
  virtual Error WatchDescriptor(std::intptr_t descriptor) = 0;
  // Once it was readable it is not looked at again until somebody asks to: a driver to whom it says
  // nothing would not come to rest.
  virtual void WatchAgain() {}
  // It is watched, and was not readable when the queue was last asked.
  virtual bool WatchIsQuiet() const { return false; }
  // Readable while a Wait() would find an event; -1 where there is no such descriptor. A ring's is
  // none where the kernel leaves its work for whoever enters (IORING_SETUP_DEFER_TASKRUN).
  virtual std::intptr_t QueueDescriptor() const { return -1; }

  // The socket joins this queue, for life. Called once for each connection before its first
  // Submit*, and for each listener before SubmitAccept.
  virtual Error Attach(Connection& connection) = 0;
  virtual Error Attach(Listener& listener) = 0;
  // The core is about to close the socket of an attached connection, with nothing under way.
  virtual void Detach(Connection&) {}

  virtual void SubmitConnect(Connection& connection) = 0;  // to connection.remote
  // Into a chunk of this class: connection.chunk_class, or the other where that stands in for it.
  virtual void SubmitReceive(Connection& connection, ChunkClass chunk_class) = 0;
  // In the place of a receive: waits until one would find something. Not while IsReceiving.
  virtual void SubmitReadable(Connection& connection) = 0;
  // With no receive of the core's under way: whether one of earlier is still with the OS, or has
  // brought what the core did not ask for yet. Who reads from the socket then breaks the order. So
  // does anybody from a pipe, always.
  virtual bool IsReceiving(const Connection&) const { return false; }
  // Takes back what SubmitReceive has submitted, without an event. False where the system has it
  // and may already be receiving: then it goes on. A SubmitReadable, which receives nothing, may
  // still be answered in any case.
  virtual bool Withdraw(Connection& connection) = 0;
  // Gathers the front of connection.sends, or sends some of the file that is first there: not more
  // than kFileBytes where the call itself may wait for a disk.
  virtual void SubmitSend(Connection& connection) = 0;
  // Only for what cannot end its sending side by a call (os::IsPipe), with nothing left to send.
  virtual void SubmitShutdown(Connection& connection) = 0;
  virtual void SubmitAccept(Listener& listener) = 0;  // keeps accepting until Cancel
  // AcceptsWanted() was 0 for some listener, and may no longer be.
  virtual void ResumeAccepts() = 0;

  // Somebody else accepts from a duplicate of it from now on.
  virtual void Share(Listener& listener) = 0;

  // Datagram sockets. A backend without them says so when the first is to join. One of each is
  // awaited at a time; what is awaited twice is answered once.
  virtual Error Attach(DatagramSocket&) { return Error::kNotSupported; }
  // `may_be_now`: the last receive may have left something behind.
  virtual void AwaitReadable(DatagramSocket&, bool /*may_be_now*/) {}
  virtual void AwaitWritable(DatagramSocket&) {}
  // The core is about to close its socket: nothing is told of it any more. False where the system
  // still has something of it, until OnDetached.
  virtual bool Detach(DatagramSocket&) { return true; }

  // Asks the OS to end what is under way (states kSubmitted become kCancelling). The events still
  // come, with whatever really happened; also one OnReceive, of kCanceled, for a receive that the
  // backend itself kept with the OS between two SubmitReceive.
  virtual void Cancel(Connection& connection) = 0;
  virtual void Cancel(Listener& listener) = 0;

  // Hands everything submitted to the OS, waits for packets and reports them by events. timeout_ms
  // < 0: until a packet or Wake(); 0: does not wait.
  virtual void Wait(int timeout_ms) = 0;

  // In the place of a Wait(): hands over what was submitted, tries a receive that is likely to
  // bring something, and reports what it brings. False where it brought nothing, or none is likely
  // to; then Wait() is called for. What else may have happened is not looked at.
  virtual bool ReceiveAhead() { return false; }

  // Reports what has finished without the OS being asked: sends, and what was cancelled. Between
  // two Wait().
  virtual void Report() = 0;

  // How many receives would find a chunk of this class now. Between two Wait().
  virtual std::uint32_t UsableChunks(ChunkClass chunk_class) const = 0;

  // Gives back the pages of chunks that lie ready with the OS and were not used since the last
  // call. Returns how many. A backend whose OS locks them has nothing to do.
  virtual std::uint32_t TrimPosted() { return 0; }

  // Any thread: makes a Wait() that is under way, or the next one, return.
  virtual void Wake() = 0;
};

std::unique_ptr<Backend> CreateBackend(BackendKind kind);

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_BACKEND_H_
