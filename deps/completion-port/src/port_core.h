// The port: its loop, its sockets' state machines and its rings. What is the same on every
// operating system is here; what differs is behind Backend.
//
//   port_core.cc     the turn: submissions in, Wait, completions out; stop
//   port_drive.cc    who takes the turns
//   port_control.cc  the control plane, on the submitter's thread
//   port_adopt.cc    sockets that were made elsewhere
//   port_data.cc     receive, send, shutdown
//   port_accept.cc   listeners, accepted sockets, connects
//   port_close.cc    the order of closing
//   port_datagrams.cc  datagram sockets
#ifndef COMPLETION_PORT_PORT_CORE_H_
#define COMPLETION_PORT_PORT_CORE_H_

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/backend.h"
#include "chunk_pool.h"
#include "completion_port/completion_port.h"
#include "connection.h"
#include "counters.h"
#include "datagram_socket.h"
#include "drive.h"
#include "growable.h"
#include "helper.h"
#include "os/thread.h"
#include "ring.h"
#include "slot_table.h"

namespace completion_port {

class PortCore final : public Port, private BackendEvents {
 public:
  PortCore(PortGroup* group, std::uint32_t ordinal, const PortOptions& options);
  ~PortCore() override;

  // Opens the queue, on the thread that is to drive where that is one of the port's own.
  Error Start();
  // Both idempotent. Every port of a group is asked before the first is joined, because they hand
  // accepted sockets to each other.
  void RequestStop();
  void Join();
  // After Join: the kernel may still hold operations in our slots.
  bool HoldsMemory() const override {
    return connections_.Live() + listeners_.Live() + datagrams_.Live() != 0;
  }

  // Port: the control plane.
  Error PrepareListener(const ListenOptions& options, ListenerId* id) override;
  Error PrepareConnect(const ConnectOptions& options, SocketId* id) override;
  Error AdoptConnection(std::intptr_t native, SocketId* id) override;
  Error AdoptListener(std::intptr_t native, int backlog, ListenerId* id) override;
  Error SetNoDelay(SocketId id, bool enable) override;
  Error SetKeepAlive(SocketId id, const KeepAlive& options) override;
  Error SetTypeOfService(SocketId id, int value) override;
  Error TypeOfService(SocketId id, int* out) override;
  Error LocalAddress(SocketId id, Address* out) override;
  Error PeerAddress(SocketId id, Address* out) override;
  Error ListenerAddress(ListenerId id, Address* out) override;
  Error SetListenerAccess(ListenerId id, bool readable, bool writable) override;
  Error UnlinkListener(ListenerId id) override;
  std::intptr_t NativeHandle(SocketId id) override;
  std::intptr_t NativeListenerHandle(ListenerId id) override;
  Error Duplicate(SocketId id, std::intptr_t* native) override;
  Error DuplicateListener(ListenerId id, std::intptr_t* native) override;
  Error PrepareDatagrams(const DatagramOptions& options, DatagramId* id) override;
  Error ConnectDatagrams(DatagramId id, const Address& remote) override;
  Error DatagramAddress(DatagramId id, Address* out) override;
  Error DatagramPeer(DatagramId id, Address* out) override;
  Error SetDatagramOption(DatagramId id, DatagramOption option, int value) override;
  Error SetMulticastInterface(DatagramId id, const Address& through) override;
  Error JoinGroup(DatagramId id, const Membership& membership, bool join) override;
  Error DatagramBufferSize(DatagramId id, DatagramBuffer buffer, int* bytes) override;
  std::intptr_t NativeDatagramHandle(DatagramId id) override;
  std::int32_t ReceiveDatagrams(DatagramId id, DatagramRecord* records, std::uint32_t count,
                                std::uint8_t* payloads) override;
  void SendDatagrams(DatagramRecord* records, std::uint32_t count,
                     const std::uint8_t* payloads) override;
  std::int32_t SendNow(SocketId id, const std::uint8_t* data, std::size_t length) override;
  bool HasUnread(SocketId id) override;
  bool ConsumerSleeps() override;
  bool Drive(int timeout_ms) override;
  bool Submit(SocketId id) override;
  bool HasCompletions() const override;
  CompletionCounts Completed() const override;
  Error WatchDescriptor(std::intptr_t descriptor) override;
  bool WatchIsQuiet() const override { return backend_->WatchIsQuiet(); }
  bool HasSubmissions() const override { return submissions_.Available() != 0; }
  std::intptr_t QueueDescriptor() const override { return backend_->QueueDescriptor(); }
  void Wake() override;

  // For whoever drives: one turn, which waits at most so long (kNoLimit: until there is something).
  static constexpr int kNoLimit = -1;
  void TakeTurn(int limit_ms);
  // The helper has driven for so long.
  void CountHelper(std::uint64_t ns);
  void CountLook() { counters_.Add(Counter::kHelperLooks); }
  // Moves while the submitter submits.
  std::uint32_t SubmissionTail() const { return header_.At(kSubmissionTail).load(); }

  // A socket accepted by a sibling, to live here. Whoever drives that one.
  struct AcceptedSocket {
    NativeSocket socket;
    SocketKind kind;
    ListenerId listener;
    std::uint32_t listener_port;  // ordinal
    std::uint32_t credit;
  };
  // False where there is no memory to note it.
  bool HandOver(const AcceptedSocket& accepted);
  // Accepted sockets, here or on their way here, that the consumer has not read of. Whoever
  // drives a port of the group.
  std::uint32_t UnreadAccepts();
  // Sockets alive here or on their way here; what the group balances.
  std::uint32_t Load() const { return load_.load(std::memory_order_relaxed); }

 private:
  // --- port_control.cc
  // Null with the reason where the id names no connection of TCP.
  Connection* FindTcp(SocketId id, Error* error);

  // --- port_core.cc
  void TakeSubmissions();
  void Dispatch(const Submission& submission);
  void TakeInbox();
  bool HasWorkBeforeSleep();
  int NextTimeoutMs(int limit_ms);
  void SleepAndWait(int limit_ms);
  void Complete(Opcode opcode, std::uint32_t id, std::int32_t result, std::uint32_t arg0 = 0,
                std::uint32_t arg1 = 0);
  void FlushOverflow();
  void PublishCompletions();
  void PlanTrim();
  void TrimWhenIdle();
  void StopEverything();

  // --- port_drive.cc
  Error OpenQueue();
  Error StartThread();
  void RunThread();
  bool DriveOnce(int timeout_ms);
  std::uint32_t CompletionsReady() const;
  void LearnBatch(std::uint32_t ready);
  void LearnLoad(std::uint64_t began_ns, std::uint32_t ready);
  void SetSaturated(bool saturated);

  // --- port_data.cc
  void Receive(const Submission& submission);
  void Release(const Submission& submission);
  void IssueReceive(Connection& connection);
  void WithdrawReceives(SocketId id);
  void ReceivePinned(const Submission& submission);
  void ListPinned(Connection& connection);
  void RefusePinned(Connection& connection);
  void ServeListedPinned();
  void ServePinned(Connection& connection);
  bool WaitsForReadable(const Connection& connection) const;
  void CompletePinned(Connection& connection, std::int32_t result);
  void IssueReceive(Connection& connection, ChunkClass chunk_class);
  bool ServeStarved();
  bool ServeStarved(ChunkClass wanted, ChunkClass given, std::uint32_t* usable);
  bool IsAnyStarved() const;
  bool Starve(Connection& connection);
  void Send(const Submission& submission);
  SendBuffer BufferOf(const Submission& submission) const;
  void IssueListedSends();
  void IssueSend(Connection& connection);
  void FailSends(Connection& connection, Error error);
  void FinishRefusedSends(Connection& connection);
  void Shutdown(const Submission& submission);
  void FinishShutdown(Connection& connection);
  void OnReceive(Connection& connection, std::int32_t result, std::uint32_t chunk) override;
  void LearnChunkClass(Connection& connection, std::uint32_t bytes, std::uint32_t room);
  void DeliverChunk(Connection& connection, std::int32_t result, std::uint32_t chunk);
  void OnReadable(Connection& connection, Error error) override;
  void OnSend(Connection& connection, std::int32_t result) override;
  void OnShutdown(Connection& connection, Error error) override;

  // --- port_accept.cc
  void Connect(const Submission& submission);
  void OnConnect(Connection& connection, Error error) override;
  void Accept(const Submission& submission);
  void OnAccept(Listener& listener, NativeSocket socket, Error error) override;
  bool TakesAccepted(const Listener& listener) const;
  void Adopt(const AcceptedSocket& accepted);
  void TurnAway(Connection& connection);
  void CloseListener(const Submission& submission);
  void OnAcceptStopped(Listener& listener) override;
  std::uint32_t AcceptsWanted(Listener& listener) override;
  std::uint32_t UnreadAcceptsOfGroup();
  void NoteAcceptCompletion();
  void ResumeHeldAccepts();
  void FreeListener(Listener& listener);

  // --- port_datagrams.cc
  void SendRun(DatagramId id, DatagramRecord* records, std::uint32_t count,
               const std::uint8_t* payloads);
  DatagramSocket* FindAttached(Opcode opcode, DatagramId id);
  void AwaitReadable(const Submission& submission);
  void AwaitWritable(const Submission& submission);
  void OnReadable(DatagramSocket& datagrams) override;
  void OnWritable(DatagramSocket& datagrams, Error error) override;
  void CloseDatagrams(const Submission& submission);
  void CloseDatagrams(DatagramSocket& datagrams);
  void OnDetached(DatagramSocket& datagrams) override;
  void FreeDatagrams(DatagramSocket& datagrams);

  // --- port_close.cc
  void Close(const Submission& submission);
  void Linger(Connection& connection);
  void ContinueClose(Connection& connection);
  void CancelAndClose(Connection& connection);
  void FinishClose(Connection& connection);
  void ExpireLingering();

  PortGroup* const group_;
  const std::uint32_t ordinal_;
  const PortOptions options_;

  RingHeader header_;
  SubmissionReader submissions_;
  CompletionWriter completions_;
  GrowableQueue<Completion> overflow_;  // completions for which the ring had no room
  Counters counters_;
  bool has_memory_ = false;  // for all tables; without, Start() fails
  ChunkPool chunks_;
  SlotTable<Connection> connections_;
  SlotTable<Listener> listeners_;
  SlotTable<DatagramSocket> datagrams_;
  std::unique_ptr<Backend> backend_;  // outlives the thread: siblings may still wake it

  struct Lingering {
    SocketId id;
    std::uint64_t deadline_ms;
  };
  GrowableQueue<Lingering> lingering_;  // in the order of their deadlines: all wait equally long
  // Connections whose receive found no chunk, by the class they want; oldest first.
  struct Starved {
    GrowableQueue<SocketId> waiting;
    std::size_t counted = 0;  // of them, from the front: had to wait
  };
  Starved starved_[kChunkClasses];
  GrowableArray<SocketId> sends_to_issue_;
  GrowableArray<SocketId> pinned_to_serve_;
  bool trim_planned_ = false;
  bool chunks_used_since_trim_ = false;
  std::uint64_t next_trim_ns_ = 0;
  std::uint32_t packet_sends_ = 0;  // sends that completed in this turn; see StopEverything

  std::mutex inbox_mutex_;
  GrowableArray<AcceptedSocket> inbox_;  // guarded by inbox_mutex_
  // Taken out of the inbox, and no completion yet: the accepting port counts them, too. Guarded by
  // inbox_mutex_; 0 except within TakeInbox().
  std::uint32_t adopting_ = 0;
  bool inbox_closed_ = false;  // guarded by inbox_mutex_
  std::atomic<bool> inbox_filled_{false};
  // Where in the completion ring the kAccept are that were not read when we last looked.
  GrowableQueue<std::uint32_t> unread_accepts_;  // guarded by inbox_mutex_
  bool accepts_held_ = false;                    // AcceptsWanted() has said 0
  std::atomic<std::uint32_t> load_{0};

  std::atomic<bool> stopping_{false};
  static constexpr Error kOpening = Error::kCount;  // the thread has not said yet
  // Not an atomic to wait on. With that (libstdc++ 12 for Windows) 2 of 80 programs under Wine, all
  // cores busy, stood still where a port starts, and 1 of 49 before; with this, none of 240.
  std::mutex open_mutex_;
  std::condition_variable queue_opened_;
  Error opened_ = kOpening;     // guarded by open_mutex_
  bool queue_is_open_ = false;  // the driver's

  class Drive drive_;
  std::atomic<std::uint64_t> connects_made_{0};
  std::atomic<bool> woken_{false};   // by Wake(); the submitter has not come back from a turn since
  std::uint64_t turn_began_ns_ = 0;  // the driver's: when it began its last turn
  // The submitter's, of how busy it is.
  std::uint64_t waited_until_ns_ = 0;
  std::uint64_t queue_asked_ns_ = 0;  // when it last came back from a wait, for ReceiveAhead
  std::uint64_t busy_since_ns_ = 0;
  std::uint32_t average_batch_ = 0;  // in sixteenths
  bool can_be_saturated_ = false;
  bool is_saturated_ = false;

  os::Thread thread_;  // drives, with Driving::kThread
  Helper helper_;      // last: it is joined before what it touches goes
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_PORT_CORE_H_
