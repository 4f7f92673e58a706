// The parts of the epoll backend, and how they fit together.
//
//   epoll.cc          the turn: report, wait, note what happened; waking
//   epoll_receive.cc  receive
//   epoll_send.cc     send and connect (send_file_linux.h)
//   epoll_accept.cc   listeners
//   datagrams_linux.* datagram sockets, which are only watched
//
// How epoll works. It does nothing for us: it says of which descriptors a call would now get
// somewhere, and the call is ours to make, without waiting. So an operation is tried with others at
// the next Wait() or Report() (a send: send_batch_linux.h) or when there may be something (a
// receive), and where that gets nowhere it waits for an event. Nothing is ever with the kernel, and
// cancelling is only a note.
//
// What finishes, or should be tried, goes on a list, ready_, from which Wait() reports.
//
// Events come once for each change (EPOLLET). A connection is known to epoll from the first time
// that something of it has to wait, with all its events at once; the kernel then also says what had
// happened before. One that is served without waiting never is. Whether a send can go on is asked
// for only once one had to wait: a local socket would tell of every message that its peer reads.
//
// Hints save calls. A receive that found less than it had room for has emptied the socket, and the
// next one waits for an event without a try; for the exceptions see ShortReceive. So a lone message
// costs one epoll_wait and one recv.
//
// A peer on the same processor has often answered before we come to wait. So while one connection
// alone has something each time, its receive is tried ahead of the event, which saves asking for
// that (ReceiveAhead). Where that finds nothing it is tried less and less often. The event that
// comes all the same says what is true then: nothing, or that more has arrived.
//
// No event of the kernel can reach the wrong connection: a batch is noted as a whole before the
// core is called, and only the core closes sockets; and a closed socket is taken out of the set
// first, because the kernel would keep it there as long as a duplicate of it is open somewhere.
//
// Our own sockets are blocking, as those of io_uring, but for connecting. Adopted ones have the
// mode they had, which is shared with every duplicate. Therefore each call says itself that it does
// not wait. Only accept has no such flag: a listener is made non-blocking, also an adopted one.
#ifndef COMPLETION_PORT_BACKEND_EPOLL_BACKEND_H_
#define COMPLETION_PORT_BACKEND_EPOLL_BACKEND_H_

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "allocation.h"
#include "backend/accept_linux.h"
#include "backend/backend.h"
#include "backend/datagrams_linux.h"
#include "backend/epoll_timer.h"
#include "backend/ready_list.h"
#include "backend/send_batch_linux.h"

namespace completion_port {

// What an event is about: the low three bits of its data are a tag, the rest is a pointer.
enum class EpollTag : std::uint64_t {
  kConnection,
  kListener,
  kWake,
  kDescriptor,
  kTimer,
  kDatagrams
};
inline constexpr std::uint64_t kEpollTagMask = 7;
static_assert(alignof(Connection) > kEpollTagMask && alignof(Listener) > kEpollTagMask &&
              alignof(DatagramSocket) > kEpollTagMask);

enum class EpollAcceptState : std::uint8_t {
  kWatching,
  kPaused,   // after an error that lasts
  kHeld,     // the core wants no more for now
  kStopped,  // Cancel was called
};

struct EpollAccept final : AcceptPool {
  explicit EpollAccept(Listener& owner) : listener(&owner) {}
  Listener* listener;
  EpollAcceptState state = EpollAcceptState::kWatching;
  bool error_reported = false;  // one report for an error that lasts, not one for every try
  std::uint32_t burst = 1;      // how many to accept in a turn
  std::uint64_t paused_until_ms = 0;
};

class EpollBackend final : public Backend {
 public:
  EpollBackend() = default;
  ~EpollBackend() override;
  EpollBackend(const EpollBackend&) = delete;
  EpollBackend& operator=(const EpollBackend&) = delete;

  Error Open(const BackendContext& context) override;
  Error WatchDescriptor(std::intptr_t descriptor) override;
  void WatchAgain() override;
  bool WatchIsQuiet() const override { return watch_ == DescriptorWatch::kArmed; }
  std::intptr_t QueueDescriptor() const override { return epoll_fd_; }
  Error Attach(Connection&) override { return Error::kOk; }
  Error Attach(Listener& listener) override;
  void Detach(Connection& connection) override;
  bool ReceiveAhead() override;
  void SubmitConnect(Connection& connection) override;
  void SubmitReceive(Connection& connection, ChunkClass chunk_class) override;
  void SubmitReadable(Connection& connection) override;
  bool Withdraw(Connection& connection) override;
  void SubmitSend(Connection& connection) override;
  void SubmitShutdown(Connection&) override {}  // LCOV_EXCL_LINE: no pipes here
  void SubmitAccept(Listener& listener) override;
  void ResumeAccepts() override;
  void Share(Listener& listener) override;
  Error Attach(DatagramSocket& datagrams) override { return datagrams_.Attach(datagrams); }
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
    return chunks_->Free(chunk_class);
  }
  void Wake() override;

 private:
  // Events taken out with one call.
  static constexpr int kBatch = 128;

  // --- epoll.cc
  int Control(int operation, int fd, std::uint32_t events, const void* about, EpollTag tag);
  void Poll(int timeout_ms);
  void Note(const epoll_event& event);
  void Note(Connection& connection, std::uint32_t events);
  int WatchReads(Connection& connection);
  int WatchWrites(Connection& connection);
  bool ReportReady();
  bool Report(Operation& operation);  // true: the core was told of something
  int UntilNextDeadline(int timeout_ms) const;
  void CountCall() { counters_->Add(Counter::kOsCalls); }

  // --- epoll_receive.cc
  void StartReceive(Connection& connection, OperationKind kind);
  void AwaitReadable(Connection& connection);
  bool ReportReceive(Connection& connection);  // as Report
  bool ReportReadable(Connection& connection);
  bool TryReceive(Connection& connection);

  // --- epoll_send.cc
  void StartSend(Connection& connection, OperationKind kind);
  void FinishSend(Connection& connection, std::int32_t result);
  void AwaitWritable(Connection& connection);
  void Pause(Connection& connection);
  void SendSubmitted() {
    if (!submitted_sends_.empty() || !submitted_files_.empty()) SendAllSubmitted();
  }
  void SendAllSubmitted();
  void SendTogether(Connection* const* connections, std::size_t count);
  void TrySend(Connection& connection);
  void Sent(Connection& connection, ssize_t sent);
  void TrySendsAgain();
  void CheckConnect(Connection& connection);
  void Continue(Connection& connection);
  void ReportSend(Connection& connection);

  // --- epoll_accept.cc
  void GoOn(EpollAccept& accept);
  void StepAside(EpollAccept& accept, EpollAcceptState state);
  void Pause(EpollAccept& accept);
  template <typename Condition>
  void GoOnWhere(Condition condition);
  void EndPauses();
  void AcceptReady();
  void AcceptSome(EpollAccept& accept);
  bool AcceptOne(EpollAccept& accept);
  bool TurnAwayOne(EpollAccept& accept);
  void Deliver(EpollAccept& accept, int socket);
  void ReportOnce(EpollAccept& accept, int os_error);
  void LookAtShared();
  bool ReportStopped();

  BackendEvents* events_ = nullptr;
  ChunkPool* chunks_ = nullptr;
  Counters* counters_ = nullptr;
  int epoll_fd_ = -1;
  int wake_fd_ = -1;
  EpollTimer timer_;
  int watched_fd_ = -1;
  enum class DescriptorWatch : std::uint8_t { kNone, kArmed, kFired };
  DescriptorWatch watch_ = DescriptorWatch::kNone;

  // ReceiveAhead: the connection that alone had something to receive at the last look, how many
  // chances to leave out after the last try that found nothing, and how many of them are left.
  Connection* lone_ = nullptr;
  std::uint32_t ahead_pause_ = 0;
  std::uint32_t ahead_pause_left_ = 0;

  ReadyList<Operation*> ready_;
  std::vector<Connection*> submitted_sends_;  // EpollWait::kOthers
  std::vector<Connection*> submitted_files_;  // likewise, with a file in front
  SendBatch batch_sends_;
  std::vector<Connection*> paused_sends_;    // EpollWait::kPause
  std::uint64_t next_sends_ms_ = 0;          // when to try those again
  std::vector<EpollAccept*> ready_accepts_;  // noted in this turn
  std::vector<EpollAccept*> waiting_;        // paused or held
  SharedAccepts<EpollAccept> shared_;
  std::vector<Listener*> stopped_;  // event still owed
  SpareDescriptor spare_;
  DatagramSet datagrams_;
  epoll_event batch_[kBatch] = {};
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_EPOLL_BACKEND_H_
