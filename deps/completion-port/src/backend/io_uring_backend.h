// The parts of the Linux backend, and how they fit together.
//
//   io_uring.cc          the turn: hand over, wait, report; waking
//   io_uring_data.cc     connect and send, and cancelling
//   io_uring_receive.cc  receive
//   io_uring_accept.cc   listeners
//   io_uring_buffers.*   the receive chunks that lie ready in the kernel
//   io_uring_ring.*      the raw rings and system calls
//   datagrams_linux.*    datagram sockets: an epoll set of their own, which one poll watches. So
//                        nothing of them is with the kernel, and closing one is a plain call
//
// A turn. The core has called Submit* for a batch of operations; each wrote a request into the
// submission ring. Wait() hands them all over and waits in the same system call, then reports every
// completion that is there. So one call serves a batch, in both directions.
//
// What a completion's user_data says: its low three bits are a tag, the rest is a pointer.
//   kOperation      a receive (or the poll in its place) or send: the Operation
//   kConnecting     a connect: the Operation
//   kCancel         the cancel of one; kept only to see that it hit
//   kAccepting      a UringAccept: its accept, or the timer it waits for
//   kCancelAccept   the cancel of either
//   kHangup         the poll for the peer's end: the Operation of its connection's receive
//   kCancelHangup   the cancel of one
//   kDatagramData   the epoll set of the datagram sockets
//   kWakeData       the eventfd
//   kWatchData      the descriptor of WatchDescriptor()
//
// Cancelling. Closing a descriptor does not cancel what is under way on it: the request keeps the
// file open, and no FIN is sent. So the core cancels, waits for the packets, and closes after. A
// cancel can miss a request whose turn has just come (it is on no list at that moment) and which
// then finds nothing and waits again. Therefore a cancel that missed is repeated until the
// operation has ended.
//
// Our own sockets are blocking: some kernels answer EAGAIN on a non-blocking one instead of
// waiting. They never block here: what cannot be done at once is parked. Adopted sockets keep the
// mode they have, because others may hold a duplicate and count on it.
#ifndef COMPLETION_PORT_BACKEND_IO_URING_BACKEND_H_
#define COMPLETION_PORT_BACKEND_IO_URING_BACKEND_H_

#include <linux/time_types.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "allocation.h"
#include "backend/accept_linux.h"
#include "backend/backend.h"
#include "backend/datagrams_linux.h"
#include "backend/gather_linux.h"
#include "backend/io_uring_buffers.h"
#include "backend/io_uring_ring.h"

namespace completion_port {

enum Tag : std::uint64_t {
  kOperation,
  kCancel,
  kAccepting,
  kCancelAccept,
  kHangup,
  kCancelHangup,
  kConnecting,
};
inline constexpr std::uint64_t kTagMask = 7;
// None of the tags, or of null, and no pointer.
inline constexpr std::uint64_t kDatagramData = kTagMask + 1;
inline constexpr std::uint64_t kWatchData = 6;
inline constexpr std::uint64_t kWakeData = 7;
static_assert(alignof(Operation) > kTagMask);

inline std::uint64_t Tagged(const void* pointer, Tag tag) {
  return reinterpret_cast<std::uintptr_t>(pointer) | tag;
}

template <typename T>
T* Untagged(std::uint64_t user_data) {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(user_data & ~kTagMask));
}

// The mask of a poll request. Its halves are swapped where the most significant byte comes first.
constexpr std::uint32_t PollEvents(std::uint32_t events) {
  return std::endian::native == std::endian::big ? events << 16 : events;
}

// The request that the kernel holds for one listener.
enum class AcceptRequest : std::uint8_t {
  kNone,
  kMultishot,  // completes for each connection
  kOneShot,    // of a shared listener: posted again after each
  kForSpare,   // of one shot, in place of the spare descriptor: see SpareDescriptor
  kPause,      // a timer, before the next accept
};

struct UringAccept final : AcceptPool {
  explicit UringAccept(Listener& owner) : listener(&owner) {}
  Listener* listener;
  AcceptRequest request = AcceptRequest::kNone;
  bool stopping = false;        // Cancel was called
  bool held = false;            // the core wants no more for now
  bool error_reported = false;  // one report for an error that lasts, not one for every try
  int cancels = 0;  // with the kernel; they point here, so they must be back before the end
};
static_assert(alignof(UringAccept) > kTagMask);

// What requests point to until the kernel has taken them: it copies all of it then.
struct Staging {
  static constexpr std::size_t kIovecs = 1024;
  static constexpr std::size_t kSmall = 256;
  iovec iovecs[kIovecs];
  msghdr headers[kSmall];
  sockaddr_storage addresses[kSmall];
  std::size_t iovecs_used = 0, headers_used = 0, addresses_used = 0;

  bool HasRoom() const {
    return iovecs_used + kGatherBuffers <= kIovecs && headers_used < kSmall &&
           addresses_used < kSmall;
  }
  void Reset() { iovecs_used = headers_used = addresses_used = 0; }
};

class UringBackend final : public Backend {
 public:
  ~UringBackend() override;

  Error Open(const BackendContext& context) override;
  bool BelongsToOneThread() const override { return true; }
  Error WatchDescriptor(std::intptr_t descriptor) override;
  void WatchAgain() override;
  bool WatchIsQuiet() const override { return watch_posted_; }
  Error Attach(Connection&) override { return Error::kOk; }
  Error Attach(Listener& listener) override;
  void SubmitConnect(Connection& connection) override;
  void SubmitReceive(Connection& connection, ChunkClass chunk_class) override;
  void SubmitReadable(Connection& connection) override;
  // A multishot may have brought what the core did not ask for yet: that comes first.
  bool IsReceiving(const Connection& connection) const override {
    const UringNotes& notes = connection.uring;
    const bool is_poll = notes.request == ReceiveRequest::kPoll;
    return (notes.request != ReceiveRequest::kNone && !is_poll) || !notes.held.empty();
  }
  bool Withdraw(Connection& connection) override {
    return connection.receive.state == OperationState::kIdle ||
           connection.uring.request == ReceiveRequest::kPoll;
  }
  void SubmitSend(Connection& connection) override;
  void SubmitShutdown(Connection&) override {}  // LCOV_EXCL_LINE: no pipes here
  void SubmitAccept(Listener& listener) override;
  void ResumeAccepts() override;
  void Share(Listener& listener) override;
  Error Attach(DatagramSocket& datagrams) override;
  void AwaitReadable(DatagramSocket& datagrams, bool may_be_now) override {
    datagrams_.AwaitReadable(datagrams, may_be_now);
  }
  void AwaitWritable(DatagramSocket& datagrams) override { datagrams_.AwaitWritable(datagrams); }
  bool Detach(DatagramSocket& datagrams) override {
    datagrams_.Detach(datagrams);
    return true;
  }
  void Cancel(Connection& connection) override;
  void Cancel(Listener& listener) override;
  void Wait(int timeout_ms) override;
  void Report() override;
  std::uint32_t UsableChunks(ChunkClass chunk_class) const override {
    return buffers_.Usable(chunk_class);
  }
  std::uint32_t TrimPosted() override;
  void Wake() override;

 private:
  // --- io_uring.cc
  io_uring_sqe* NextRequest(std::uint8_t opcode, int fd, std::uint64_t user_data);
  void Flush();
  void Enter(UringRing::Mode mode, int timeout_ms);
  void Reap();
  void ReportConnects(std::uint32_t count);
  void Report(const io_uring_cqe& packet);
  void ReportWake(const io_uring_cqe& packet);
  void PostWakePoll();
  void PostWatch();

  // --- io_uring_datagrams.cc
  void PostDatagramPoll();
  void NoteDatagrams();

  // --- io_uring_receive.cc
  void PostReceive(Connection& connection, ChunkClass chunk_class);
  void EndReceive(Connection& connection);
  void PostHangupWatch(Connection& connection);
  void EndHangupWatch(Connection& connection);
  void CancelReceive(Connection& connection);
  void CheckCancelledHangup(Connection& connection, int result);
  bool LeftBytesBehind(const Connection& connection, const io_uring_cqe& packet,
                       std::uint32_t chunk) const;
  void ReportReceive(Connection& connection, const io_uring_cqe& packet);
  void ReportReadable(Connection& connection, int result);
  void ReportHangup(Connection& connection);
  void ReportCancelledReceive(Connection& connection);
  void ReportMissedReceive(Connection& connection, std::int32_t result);
  void DeliverOrHold(Connection& connection, std::int32_t result, std::uint32_t chunk);
  void ReportHeld();

  // --- io_uring_data.cc
  void PostSend(Connection& connection, bool poll_first);
  void AwaitRoomForFile(Connection& connection);
  void PostCancel(Operation& operation);
  void ReportOperation(Operation& operation, const io_uring_cqe& packet);
  void ReportSend(Connection& connection, bool cancelled, int result);
  void CheckCancel(Operation& operation, int result);

  // --- io_uring_accept.cc
  void LookAtShared();
  void PostAccept(UringAccept& accept);
  void PostAccept(UringAccept& accept, AcceptRequest how);
  void PostAcceptPause(UringAccept& accept);
  void HoldIfTold(UringAccept& accept);
  void PostCancel(UringAccept& accept);
  void ReportAccept(UringAccept& accept, const io_uring_cqe& packet);
  void Deliver(UringAccept& accept, AcceptRequest request, int socket);
  void ContinueAccepting(UringAccept& accept, int result);
  void TurnAwayOne(UringAccept& accept);
  void CheckCancel(UringAccept& accept, int result);
  void StopIfDone(UringAccept& accept);

  BackendEvents* events_ = nullptr;
  ChunkPool* chunks_ = nullptr;
  Counters* counters_ = nullptr;
  int wake_fd_ = -1;
  int watched_fd_ = -1;
  bool must_gather_ = false;  // what was submitted completes at once, by task work
  bool watch_posted_ = false;
  std::vector<UringAccept*> held_;
  SpareDescriptor spare_;
  DatagramSet datagrams_;
  int datagram_set_fd_ = -1;  // from the first datagram socket on
  SharedAccepts<UringAccept> shared_;
  Staging staging_;
  std::vector<Connection*> holding_;  // to report from Wait: their receives need no kernel
  UringBuffers buffers_;              // given up after the ring
  UringRing ring_;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IO_URING_BACKEND_H_
