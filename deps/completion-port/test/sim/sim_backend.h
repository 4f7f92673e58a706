// The simulated system's queue, behind the contract of backend.h, in the ways in which the real
// ones work:
//
//   kEpoll     says when a call would get somewhere, and makes it: nothing is ever with the system,
//              and what is cancelled is so at once
//   kIocp      has the operation with it, buffers and all, until it reports the end; what is
//              cancelled comes back later, as cancelled or with what it still did. Any thread
//              drives
//   kIoUring   the same, but the queue belongs to one thread
//
// Chance decides which of the things that are ready are reported, in which order, how soon, and how
// much of what was asked for was done.
#ifndef COMPLETION_PORT_TEST_SIM_SIM_BACKEND_H_
#define COMPLETION_PORT_TEST_SIM_SIM_BACKEND_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "backend/backend.h"
#include "kernel.h"

namespace completion_port::sim {

class SimBackend final : public Backend {
 public:
  explicit SimBackend(BackendKind kind);
  ~SimBackend() override;

  Error Open(const BackendContext& context) override;
  bool BelongsToOneThread() const override { return kind_ == BackendKind::kIoUring; }
  Error WatchDescriptor(std::intptr_t) override { return Error::kOk; }
  Error Attach(Connection& connection) override;
  Error Attach(Listener& listener) override;
  void Detach(Connection& connection) override;
  void SubmitConnect(Connection& connection) override;
  void SubmitReceive(Connection& connection, ChunkClass chunk_class) override;
  void SubmitReadable(Connection& connection) override;
  bool Withdraw(Connection& connection) override;
  void SubmitSend(Connection& connection) override;
  void SubmitShutdown(Connection& connection) override;
  void SubmitAccept(Listener& listener) override;
  void ResumeAccepts() override;
  void Share(Listener&) override {}
  void Cancel(Connection& connection) override;
  void Cancel(Listener& listener) override;
  void Wait(int timeout_ms) override;
  bool ReceiveAhead() override;
  void Report() override;
  std::uint32_t UsableChunks(ChunkClass chunk_class) const override {
    kernel_->fibers().MayStop();
    return chunks_->Free(chunk_class);
  }
  void Wake() override;

  // When something that is with the system can end of itself.
  std::uint64_t NextEvent() const;

 private:
  struct Pending {
    std::uint64_t number;
    Connection* connection;
    Socket* socket;
    OperationKind kind;
    std::uint64_t due_ns;
    std::uint32_t chunk = kNoChunk;
    ChunkClass chunk_class = ChunkClass::kSmall;
    bool looks_at_once = false;       // of a receive: whatever there is
    std::vector<SendBuffer> buffers;  // of a send that is with the system
    std::int32_t result = 0;          // of a send, once it was made; 0: not yet
    bool file_has_ended = false;      // of a send whose first buffer is one's
  };
  enum class AcceptState : std::uint8_t { kReady, kHeld, kStopping };
  struct Accepting {
    Listener* listener;
    AcceptState state = AcceptState::kReady;
    bool error_reported = false;
    std::uint64_t due_ns = 0;
  };
  // What could be reported: an operation, or an accept's listener.
  struct Ready {
    std::uint64_t number;  // of the operation; 0: an accept
    Listener* listener;
  };
  enum class Reports : std::uint8_t { kEverything, kWithoutTheSystem };

  bool HoldsBuffers() const { return kind_ != BackendKind::kEpoll; }
  void Submit(Connection& connection, Operation& operation, Pending pending);
  Pending* Find(std::uint64_t number);
  Operation& OperationOf(const Pending& pending) const;
  Pending Finish(std::uint64_t number);
  bool IsReady(const Pending& pending) const;
  bool IsReady(const Accepting& accepting) const;
  bool HasReady() const;
  void Collect(Reports what, std::vector<Ready>* out) const;
  bool ReportSome(Reports what);
  bool ReportOne(const Ready& ready);
  bool ReportOperation(std::uint64_t number);

  bool ReportReceive(Pending& pending);
  bool ReportReadable(Pending& pending);
  bool ReportSend(Pending& pending);
  bool ReportConnect(Pending& pending);
  std::int32_t SendOne(Socket* socket, const SendBuffer& buffer);
  std::int32_t SendBuffers(const Pending& pending);

  // --- sim_accept.cc
  Accepting* Find(const Listener* listener);
  bool ReportAccept(Listener* listener);
  bool AcceptOne(Listener* listener, bool* reported);
  bool RefuseOne(Listener* listener, Error error, bool* reported);
  void ReportStopped(Listener* listener);

  const BackendKind kind_;
  Kernel* const kernel_;
  BackendEvents* events_ = nullptr;
  ChunkPool* chunks_ = nullptr;
  Counters* counters_ = nullptr;
  std::uint64_t last_number_ = 0;
  std::vector<Pending> pending_;
  std::vector<Accepting> accepting_;
  std::vector<const Connection*> attached_;
  bool woken_ = false;
  std::uint64_t without_wait_ns_ = 0;
  int waits_in_vain_ = 0;  // one after the other, at one time
};

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_SIM_BACKEND_H_
