// The consumer of a simulated port, as JavaScript is one, with its peers; and the books that it
// keeps. It does the steps of a scenario and judges, after each, what came of it:
//
//   - every operation completes once, sends and receives in order, nothing after kClose;
//   - the bytes received are those sent, each once, and the end comes behind the last;
//   - nothing comes beyond the credit, and what is taken back is what was left;
//   - a send that is said to be done has been taken by the system, whole;
//   - memory that the consumer owns is not written to: chunks, and what was pinned;
//   - FIN comes behind everything that was submitted before it, and a polite close is no reset;
//   - who sleeps is woken;
//   - at the end nothing is missing: descriptors, chunks, slots, counters.
#ifndef COMPLETION_PORT_TEST_SIM_CONSUMER_H_
#define COMPLETION_PORT_TEST_SIM_CONSUMER_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "completion_port/completion_port.h"
#include "kernel.h"
#include "ring.h"
#include "scenario.h"

namespace completion_port::sim {

// A chunk that the consumer has not given back.
struct HeldChunk {
  std::uint32_t chunk;
  std::uint32_t offset;  // in the slab
  std::uint32_t length;
  std::uint64_t at;  // in the stream
};

struct PinnedMemory {
  std::vector<std::uint8_t> bytes;
  std::uint32_t credit_behind = 0;  // granted after it, and before the next of these
};

// Nothing was written there since the port was done with it.
bool IsSpent(const PinnedMemory& memory);

struct SendRequest {
  std::vector<std::vector<std::uint8_t>> pinned;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> in_slab;  // offset, length
  std::uint64_t end = 0;                                         // in the stream
  bool is_late = false;  // behind the shutdown: to be refused
};

enum class Ending : std::uint8_t { kOpen, kSubmitted, kClosed };

struct Sock {
  std::uint32_t port = 0;  // ordinal
  SocketId id = 0;
  Socket* socket = nullptr;
  bool connecting = false;
  bool connected = false;
  bool send_failed = false;
  std::uint32_t credit = 0;
  std::uint32_t withdrawals = 0;
  std::deque<PinnedMemory> pinned;
  std::deque<PinnedMemory> spent;
  std::deque<SendRequest> sends;
  std::uint64_t submitted = 0;  // bytes, before the end
  std::uint64_t received = 0;
  std::optional<Error> ended;
  bool shutdown_submitted = false;
  std::uint32_t shutdowns = 0;  // under way
  Ending ending = Ending::kOpen;
  std::uint32_t close_mode = 0;
  std::uint64_t closed_at_ns = 0;
  bool lingers = false;
  std::deque<HeldChunk> held;

  std::uint32_t CreditAhead() const;  // of what comes before the pinned ones
};

struct Listening {
  std::uint32_t port = 0;
  ListenerId id = 0;
  Socket* socket = nullptr;
  Ending ending = Ending::kOpen;
  bool has_failed = false;  // it may not accept at all
  int rounds_behind = 0;    // of the end, in a row, with connections left in the backlog
};

struct Remote {
  Socket* socket;
  int handle = -1;  // where it is a duplicate of ours
};

// An operation on an id that names nothing any more.
struct Stray {
  Opcode opcode;
  SocketId id;
  std::uint32_t port;
};

class Consumer final : private Judge {
 public:
  Consumer(Kernel* kernel, const Config& config);
  ~Consumer() override;
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  void Do(const Step& step);
  // Everything comes to its end, undisturbed.
  void Finish();
  // With whatever is under way.
  void Stop();

 private:
  struct PortEnd {
    Port* port = nullptr;
    std::uint8_t* rings = nullptr;
    std::uint8_t* receive_slab = nullptr;
    std::uint8_t* send_slab = nullptr;
    std::vector<std::uint32_t> free_blocks;  // of the send slab
    SubmissionWriter submissions;
    CompletionReader completions;
    RingHeader header;
    bool woken = false;
  };

  // --- consumer.cc: what it does
  bool DrivesItself() const { return config_.driving != 2; }
  void OpenPorts();
  Sock* Pick(std::uint32_t number, Ending ending = Ending::kOpen);
  Remote* PickRemote(std::uint32_t number);
  std::uint32_t PickPort(std::uint32_t number) const {
    return number % static_cast<std::uint32_t>(ends_.size());
  }
  void Write(std::uint32_t port, const Submission& submission);
  void Write(std::uint32_t port, Opcode opcode, std::uint32_t id, std::uint32_t flags = 0,
             std::uint32_t arg0 = 0, std::uint32_t arg1 = 0, std::uint32_t arg2 = 0);
  void HandOver(std::uint32_t port);
  void Publish();
  void Listen(std::uint32_t port);
  void Connect(std::uint32_t port, std::uint32_t to);
  void Adopt(std::uint32_t port);
  void Send(Sock* sock, std::uint32_t bytes, std::uint32_t how);
  void SendPiece(Sock* sock, SendRequest* request, std::uint32_t bytes, bool pinned, bool more);
  void SendFile(Sock* sock, std::uint32_t bytes);
  void SendNow(Sock* sock, std::uint32_t bytes);
  void Grant(Sock* sock, std::uint32_t credit);
  void GiveBack(Sock* sock, std::uint32_t credit);
  void ReceivePinned(Sock* sock, std::uint32_t bytes, bool at_once);
  void Withdraw(Sock* sock);
  void Shutdown(Sock* sock);
  void Close(Sock* sock, std::uint32_t mode);
  void Late(Sock* sock, std::uint32_t which);
  void CloseListener(Listening* listening);

  // --- consumer_time.cc: how it waits, and the end
  void DoInTime(const Step& step);
  void Drive(std::uint32_t port, int ms);
  void Sleep(std::uint64_t us);
  void CheckWakes();
  bool IsFree(const Remote& remote);
  void PeerActs(const Step& step);
  void PeerSends(Socket* peer, std::uint32_t bytes);
  void PeerReads(Socket* peer, std::uint64_t bytes);
  void TakeRemote();
  void Pass(int ms);
  bool HasCome() const;
  void CheckBacklogs();
  void Encourage(int round);
  bool AllClosed();
  std::string WhatIsMissing() const;
  void CheckBalance();
  std::uint64_t Count(std::uint32_t port, Counter counter) const;
  std::uint64_t CountOf(Opcode opcode, std::uint32_t which) const;

  // --- books.cc: what comes
  void Read(std::uint32_t most);
  void OnCompletion(std::uint32_t port, const Completion& completion);
  bool OnStray(std::uint32_t port, const Completion& completion);
  void OnAccept(std::uint32_t port, const Completion& completion);
  void OnConnect(Sock* sock, std::int32_t result);
  void OnReceive(Sock* sock, const Completion& completion);
  void OnBytes(Sock* sock, const Completion& completion);
  void OnPinned(Sock* sock, std::int32_t result);
  void OnWithdrawn(Sock* sock, std::uint32_t credit);
  void OnSend(Sock* sock, const Completion& completion);
  void OnShutdown(Sock* sock, std::int32_t result);
  void OnClosed(Sock* sock);
  void Spend(Sock* sock, PinnedMemory memory);
  void Forget(std::uint32_t port, SendRequest* request);
  void CheckBytes(const Sock& sock, const std::uint8_t* data, std::size_t length, std::uint64_t at);
  Sock* Find(std::uint32_t port, SocketId id);
  Sock* Find(const Socket& socket);
  void OnEnd(const Socket& socket) override;
  void OnClose(const Socket& socket) override;
  void Expect(bool holds, const char* what);

  Kernel* const kernel_;
  const Config config_;
  std::vector<PortEnd> ends_;
  std::deque<Sock> socks_;
  std::deque<Listening> listeners_;
  std::deque<Remote> remotes_;
  std::vector<Stray> strays_;
  Socket* remote_listener_ = nullptr;
  std::uint64_t accepted_ = 0;
  bool stopping_ = false;
  std::unique_ptr<PortGroup> group_;
};

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_CONSUMER_H_
