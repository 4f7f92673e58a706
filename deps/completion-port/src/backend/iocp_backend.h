// The Windows backend, inside.
//
// How an I/O completion port works. You start an operation ("overlapped") and give the kernel an
// OVERLAPPED, a small record that stays at its address until the kernel has finished with it. When
// the operation ends, the kernel fills the record in and puts a packet, which is little more than
// the record's address, into the port of that handle. One thread takes packets out, many at a time.
// Our OVERLAPPED is the first member of Operation, so the address in a packet is the Operation.
//
// Three things that make it quick
//   - A call that succeeds at once leaves no packet (Notification::kSkippedOnSuccess). Its result
//     goes on a list, ready_, from which Wait() reports it: never a callback inside a Submit*.
//   - A receive on a quiet connection has no buffer: the zero-byte receive completes when there is
//     something to read, and only then a chunk is taken and the bytes are fetched. A receive on a
//     busy connection takes its chunk along and so saves that second call; but a posted chunk is
//     locked in memory until bytes arrive, so at most a quarter of the chunks of a size wait so.
//   - 32 accepts stand ready, each with a socket made beforehand.
//
// Why there is no race between a call and its packet. Elsewhere a packet can be dequeued on another
// thread before the call that caused it has returned. Here whoever drives issues operations and
// dequeues, and nobody else does either until the drive is let go (drive.h); so whatever a Submit*
// writes after the call is written before its packet is looked at.
//
// Threads that come and go. An operation belongs to its handle, not to the thread that issued it:
// since Windows Vista a thread that exits takes no operation along, where the handle is associated
// with a completion port. It does where the handle is not (the accepts of a shared listener,
// iocp_event_signal.h). Whoever has driven outlives those: the helper is joined, and the thread
// that runs JavaScript ends, only when the port stops, and that cancels them all.
//
// Memory the kernel owns: the OVERLAPPED, the chunk or the sent bytes, and the AcceptEx address
// block, from the call until the packet. Operations live in slots and pools that outlive them.
//
//   iocp.cc           the queue: open, attach, wait, wake, cancel
//   iocp_receive.cc   zero-byte and chunk receives, and which of them to use
//   iocp_send.cc      gathered sends, and files
//   iocp_connect.cc   ConnectEx
//   iocp_accept.cc    the pool of AcceptEx operations, and of pipe instances
//   iocp_pipe.cc      what named pipes do otherwise
//   iocp_datagrams.cc datagram sockets
#ifndef COMPLETION_PORT_BACKEND_IOCP_BACKEND_H_
#define COMPLETION_PORT_BACKEND_IOCP_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "allocation.h"
#include "backend/backend.h"
#include "backend/ready_list.h"

namespace completion_port {

static_assert(std::is_standard_layout_v<Operation> && offsetof(Operation, overlapped) == 0,
              "a packet carries the address of the OVERLAPPED, which must be the Operation's");

enum class PipeWatch : std::uint8_t;
struct IocpAcceptPool;
struct IocpAccept;

class IocpBackend final : public Backend {
 public:
  IocpBackend() = default;
  ~IocpBackend() override;
  IocpBackend(const IocpBackend&) = delete;
  IocpBackend& operator=(const IocpBackend&) = delete;

  Error Open(const BackendContext& context) override;
  // A completion port cannot wait for another one.
  Error WatchDescriptor(std::intptr_t) override { return Error::kOperationNotSupported; }
  Error Attach(Connection& connection) override;
  Error Attach(Listener& listener) override;
  void SubmitConnect(Connection& connection) override;
  void SubmitReceive(Connection& connection, ChunkClass chunk_class) override;
  void SubmitReadable(Connection& connection) override;
  bool IsReceiving(const Connection& connection) const override {
    return connection.kind == SocketKind::kLocal;  // a pipe
  }
  bool Withdraw(Connection& connection) override {
    return connection.receive.state == OperationState::kIdle ||
           connection.receive.kind == OperationKind::kReadable;
  }
  void SubmitSend(Connection& connection) override;
  void SubmitShutdown(Connection& connection) override;
  void SubmitAccept(Listener& listener) override;
  void ResumeAccepts() override;
  // Nothing to do: the system serves accepts in the order in which they were posted.
  void Share(Listener&) override {}
  Error Attach(DatagramSocket& datagrams) override;
  void AwaitReadable(DatagramSocket& datagrams, bool may_be_now) override;
  void AwaitWritable(DatagramSocket& datagrams) override;
  bool Detach(DatagramSocket& datagrams) override;
  void Cancel(Connection& connection) override;
  void Cancel(Listener& listener) override;
  void Wait(int timeout_ms) override;
  void Report() override;
  std::uint32_t UsableChunks(ChunkClass chunk_class) const override {
    return chunks_->Free(chunk_class);
  }
  void Wake() override;

 private:
  // Packets taken out with one call, 32 bytes each. A batch larger than what waits saves nothing,
  // and the first connection of a batch is answered only after the last one was looked at.
  static constexpr ULONG kBatch = 128;

  // The end of an operation that left no packet.
  struct Ready {
    Operation* operation;
    int os_error;  // 0, a WSA error or a negative NTSTATUS
    DWORD bytes;
  };

  // --- iocp.cc
  Error LoadExtensions();
  Error Associate(SOCKET socket, Notification* notification);
  // Every overlapped call ends here: what will send no packet goes on ready_.
  void Issued(Operation& operation, Notification notification, bool done, int os_error,
              DWORD bytes);
  template <typename Take>
  void TakePackets(DWORD timeout_ms, Take take);
  static Ready ReadyOf(const OVERLAPPED_ENTRY& packet);
  // False if there was nothing to report.
  bool ReportReady();
  bool ReportStopped();
  void Finish(const Ready& ready);
  void CountCall() { counters_->Add(Counter::kOsCalls); }

  // --- iocp_datagrams.cc
  void FinishLook(DatagramLook& look);
  bool ReportDatagrams();

  // --- iocp_receive.cc
  void StartReceive(Connection& connection, std::uint8_t* data, std::uint32_t length, DWORD flags);
  void StartChunk(Connection& connection, std::uint32_t chunk);
  bool PostChunk(Connection& connection, ChunkClass chunk_class);
  void PostZeroByte(Connection& connection);
  void FinishReceive(Connection& connection, int os_error, DWORD bytes);
  void FinishPipeReceive(Connection& connection, std::uint32_t chunk, int os_error, DWORD bytes);
  void FinishReadable(Connection& connection, int os_error);
  void FinishZeroByte(Connection& connection, int os_error);
  void Fetch(Connection& connection);
  void Learn(Connection& connection, std::uint32_t bytes, std::uint32_t room);
  void ReportBytes(Connection& connection, std::uint32_t bytes, std::uint32_t chunk);
  void ReportReceiveError(Connection& connection, Error error);

  // --- iocp_send.cc, iocp_connect.cc
  bool SendAtOnce(Connection& connection);
  bool SubmitFile(Connection& connection);
  void FinishSend(Connection& connection, int os_error, DWORD bytes);
  int PrepareForConnectEx(const Connection& connection, const Address& remote);
  void FinishConnect(Connection& connection, int os_error);

  // --- iocp_pipe.cc
  Notification SkipPackets(HANDLE pipe);
  DWORD AssociatePipe(HANDLE pipe);
  Error AttachPipe(Connection& connection);
  void SubmitPipeWork(Connection& connection, OperationKind kind, PTP_SIMPLE_CALLBACK work);
  void SubmitPipeConnect(Connection& connection);
  void FinishPipeConnect(Connection& connection, int os_error);
  void SubmitPipeSend(Connection& connection);
  void FinishShutdown(Connection& connection, int os_error);
  void Watch(Connection& connection, PipeWatch watch, std::uint64_t ms);
  void AwaitSilence(Connection& connection);
  bool EndAfterSilence(Connection& connection);
  void CancelPipe(Connection& connection);
  void ExpireWatches();
  bool StillWatched(Connection& connection, std::uint64_t now_ms);
  DWORD UntilNextWatch(DWORD timeout_ms) const;

  // --- iocp_accept.cc
  Error OpenSignals(IocpAcceptPool& pool);
  void RepostIdle(IocpAcceptPool& pool);
  void PostAccept(IocpAccept& accept);
  void PostOrHold(IocpAccept& accept);
  void PostPipeInstance(IocpAccept& accept);
  DWORD MakePipeInstance(IocpAcceptPool& pool, HANDLE* out);
  int Introduce(SOCKET accepted, SOCKET listener);
  void FinishAccept(Operation& operation, int os_error);
  bool PostAgain(IocpAccept& accept, Error error);
  DWORD UntilNextRepost(DWORD timeout_ms) const;
  void RepostRested();
  void ReportStopped(Listener& listener);

  BackendEvents* events_ = nullptr;
  ChunkPool* chunks_ = nullptr;
  Counters* counters_ = nullptr;

  HANDLE port_ = nullptr;
  LPFN_ACCEPTEX accept_ex_ = nullptr;
  LPFN_CONNECTEX connect_ex_ = nullptr;
  LPFN_TRANSMITFILE transmit_file_ = nullptr;
  bool can_fail_loopback_fast_ = false;  // see iocp_connect.cc

  std::uint64_t now_ms_ = 0;  // read once for every batch
  std::uint32_t posted_chunks_[kChunkClasses] = {};
  bool cancelled_ = false;  // something, since the queue was last asked

  ReadyList<Ready> ready_;
  std::vector<IocpAcceptPool*> resting_;     // pools that wait before they try again
  std::vector<IocpAcceptPool*> held_;        // pools whose accepts the core does not want now
  std::vector<Connection*> watched_;         // pipes with a PipeWatch; slots stay
  std::vector<DatagramSocket*> readable_;    // may have something: event still owed
  std::vector<DatagramSocket*> unwritable_;  // AwaitWritable: answer still owed
  std::vector<Listener*> stopped_;           // cancelled with nothing in flight: event still owed
  OVERLAPPED_ENTRY packets_[kBatch] = {};
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IOCP_BACKEND_H_
