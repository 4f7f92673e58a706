// A submitter that keeps books, and drives where the setup says so. It follows the wake-up protocol
// of layout.h to the letter and fails the running test whenever a port breaks one of its promises:
//
//   - every operation completes exactly once, sends and receives in order;
//   - nothing comes beyond the credit, after the end, after kLinger or after kClose;
//   - a receive into pinned memory completes once, in its turn among the credit, and nothing but
//     its bytes is ever written there;
//   - no chunk is handed out twice, and no two chunks overlap;
//   - the port no longer looks at sent bytes after their completion (they are overwritten then);
//   - when the client goes, everything has balanced, and stopping was quick.
//
// One thread uses a client: the submitter.
#ifndef COMPLETION_PORT_TEST_CLIENT_H_
#define COMPLETION_PORT_TEST_CLIENT_H_

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "completion_port/completion_port.h"
#include "ring.h"
#include "testing.h"

namespace completion_port::test {

// Stands for a result that has not come.
inline constexpr Error kNone = Error::kCount;
inline Error At(const std::vector<Error>& results, std::size_t index) {
  return index < results.size() ? results[index] : kNone;
}
inline Error Last(const std::vector<Error>& results) {
  return results.empty() ? kNone : results.back();
}

struct ClientOptions {
  std::uint32_t ports = 1;
  std::uint32_t ports_for_accepted = ~0u;  // the first so many
  std::uint32_t submission_entries = 1024;
  std::uint32_t completion_entries = 1024;
  std::size_t receive_slab_bytes = 8 * 1024 * 1024;
  std::size_t send_slab_bytes = 1024 * 1024;
  std::uint32_t socket_capacity = 8192;
  std::uint32_t linger_ms = 1000;
  int core = -1;
  bool may_fail_to_open = false;
  bool may_lack_memory = false;  // allocations are made to fail
  HelperThresholds helper_thresholds;
  bool batch_sends = true;
};

struct HeldChunk {
  std::uint32_t chunk;
  std::uint32_t offset;
  std::uint32_t length;
};

// The bytes of one request under way. They are overwritten when it completes.
struct SendRequest {
  std::vector<std::vector<std::uint8_t>> pinned;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> in_slab;  // offset, length
};

// A receive into memory of its own. That is poisoned while the port has it, so that what is written
// shows, and once more when the port is done with it.
inline constexpr std::uint8_t kPoisonBefore = 0xa5;
inline constexpr std::uint8_t kPoisonAfter = 0x5a;
struct PinnedMemory {
  std::vector<std::uint8_t> bytes;
  bool at_once = false;
  std::uint32_t credit_behind = 0;  // granted after it, and before the next of these
};

// A socket, as the submitter knows it. Lives as long as the client, also after kClose.
struct Sock {
  std::uint32_t port = 0;  // ordinal
  SocketId id = 0;

  // What is expected.
  bool connect_pending = false;
  std::uint32_t credit = 0;
  std::deque<PinnedMemory> pinned;  // under way
  std::deque<PinnedMemory> spent;   // the last ones that were; looked at later
  std::uint32_t withdrawals = 0;    // submitted
  std::deque<SendRequest> sends;
  std::uint32_t shutdowns_pending = 0;
  std::size_t sends_before_shutdown = 0;  // the first of those pending
  bool close_submitted = false;

  // What came.
  std::optional<Error> connected;
  std::uint32_t receives = 0;  // completions with data
  std::uint64_t received = 0;  // bytes, pinned ones among them
  std::uint64_t received_pinned = 0;
  std::uint32_t withdrawn = 0;               // credit that came back
  std::vector<std::int32_t> pinned_results;  // of each, as it completed
  std::vector<std::uint8_t> data;            // the bytes, unless there is a sink
  std::uint32_t largest = 0;                 // of the chunks
  std::optional<Error> ended;                // kOk: end of stream
  std::vector<Error> send_results;           // of each request
  std::uint32_t taken_of_failed = 0;         // bytes of the first that failed
  std::vector<Error> shutdown_results;
  bool lingers = false;
  bool closed = false;
  std::deque<HeldChunk> held;  // not given back yet

  // What the client does by itself with a chunk: give it back and grant as much credit again.
  bool gives_back = true;
  std::uint32_t refill = 0;
  std::function<void(const std::uint8_t*, std::size_t)> sink;

  // Of `credit`: what comes before the pinned ones under way.
  std::uint32_t CreditAhead() const;
  bool Idle() const { return !connect_pending && sends.empty() && shutdowns_pending == 0; }
  std::string Text() const { return std::string(data.begin(), data.end()); }
};

struct Accepting {
  std::uint32_t port = 0;
  ListenerId id = 0;
  Address address;
  std::uint32_t credit = 0;  // of each accepted socket
  bool armed = false;
  bool close_submitted = false;
  bool closed = false;
  std::vector<Sock*> accepted;
  std::vector<Error> errors;
};

class Client : private WaitingTurns {
 public:
  explicit Client(const Setup& setup, const ClientOptions& options = {});
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() override;  // Finish()

  // --- Operations. Written to the ring; seen by the port after Flush() or any wait.
  // Null, with the reason, when the preparing call failed.
  Accepting* Listen(const ListenOptions& options, std::uint32_t port = 0, Error* error = nullptr);
  void Accept(Accepting* listener, std::uint32_t credit);
  Sock* Prepare(const ConnectOptions& options, std::uint32_t port = 0, Error* error = nullptr);
  void Connect(Sock* sock);
  // Of a handle that the port owns from here; Connect() makes it join.
  Sock* AdoptNative(std::intptr_t native, std::uint32_t port = 0, Error* error = nullptr);
  Accepting* AdoptNativeListener(std::intptr_t native, std::uint32_t port = 0,
                                 Error* error = nullptr);
  void Grant(Sock* sock, std::uint32_t credit);
  void GiveBack(Sock* sock, std::uint32_t credit = 0);  // the oldest chunk held
  // Into memory of the client's, whose bytes are then taken like those of a chunk.
  void ReceivePinned(Sock* sock, std::size_t length, bool at_once = false);
  void Withdraw(Sock* sock);
  void Send(Sock* sock, const std::string& text);  // from the slab
  void Send(Sock* sock, std::vector<std::vector<std::uint8_t>> pinned_parts);
  void SendPart(Sock* sock, std::vector<std::uint8_t> pinned);  // kSendMore: Send() ends it
  // The file stays open until the send is done.
  void SendFile(Sock* sock, std::intptr_t file, std::uint64_t offset, std::uint32_t length);
  void Shutdown(Sock* sock);
  void Close(Sock* sock, bool reset = false);
  void Release(Sock* sock);
  void CloseListener(Accepting* listener);
  // A record as it is, without books: for ids that name nothing.
  void Submit(std::uint32_t port, Opcode opcode, std::uint32_t id, std::uint32_t arg0 = 0,
              std::uint32_t arg1 = 0, std::uint32_t arg2 = 0, std::uint32_t flags = 0);
  bool TryWrite(std::uint32_t port, const Submission& submission);
  // How an operation on an id that names nothing ended, in the order of completion.
  struct Stray {
    Opcode opcode;
    std::uint32_t id;
    Error result;
  };
  std::vector<Stray> strays;
  std::uint32_t strays_expected = 0;
  // What was told of datagram sockets, in order.
  std::vector<Stray> datagram_events;

  // --- Short cuts for what most tests begin with; null (and a failed test) when it did not work.
  Accepting* ListenOnLoopback(std::uint32_t port = 0, Family family = Family::kIpv4);
  Accepting* ListenAndAccept(std::uint32_t credit, std::uint32_t port = 0,
                             Family family = Family::kIpv4);
  Sock* WaitAccepted(Accepting* listener, std::size_t index = 0);
  Sock* ConnectTo(const Address& remote, std::uint32_t port = 0);

  // --- Time.
  // Publishes. The port is woken if it sleeps, or hands over at once where this thread drives.
  void Flush();
  void FlushQuietly();        // publishes nothing but kRelease: wakes only who wants chunks
  void TakeTurns() override;  // where this thread drives: one of each port, without reading
  std::size_t Drain();        // reads what has completed, without waiting
  bool WaitUntil(const std::function<bool()>& done, int ms = 5000);
  // Until it is so much; nobody is woken for that.
  bool WaitCount(Counter counter, std::uint64_t least, int ms = 5000);
  void Pass(int ms);              // waits that long, reading completions
  std::uint32_t max_batch = ~0u;  // completions read in one Drain()

  // Closes what is open, waits for the ends, stops, checks that it all balanced. Idempotent.
  void Finish();
  // Stops with whatever is under way; returns after how many ms. The books stay open to look at.
  int Stop();

  Port* port(std::uint32_t ordinal = 0) { return ends_[ordinal]->port; }
  std::uint64_t Count(Counter counter, std::uint32_t port = 0) const;
  std::uint64_t CountSubmitted(Opcode opcode) const;  // of all ports
  std::uint64_t CountCompleted(Opcode opcode) const;
  RingHeader header(std::uint32_t port = 0) const;
  std::uint32_t ports() const { return static_cast<std::uint32_t>(ends_.size()); }
  bool started() const { return open_error_ == Error::kOk; }
  Error open_error() const { return open_error_; }
  std::deque<Sock>& socks() { return socks_; }

 private:
  struct PortEnd {
    Port* port = nullptr;
    void* rings = nullptr;
    std::uint8_t* receive_slab = nullptr;
    std::uint8_t* send_slab = nullptr;
    std::size_t send_slab_used = 0;
    std::uint32_t send_slab_pieces = 0;  // of requests under way
    SubmissionWriter submissions;
    CompletionReader completions;
    RingHeader header;
    std::map<SocketId, Sock*> socks;            // alive
    std::map<std::uint32_t, HeldChunk> chunks;  // with the submitter, by offset
    ~PortEnd();
  };

  static void OnWake(void* context);
  void Write(std::uint32_t port, const Submission& submission);
  Sock* Adopt(std::uint32_t port, SocketId id);
  void OnCompletion(std::uint32_t port, const Completion& completion);
  bool OnStray(std::uint32_t port, const Completion& completion);
  void OnAccepted(std::uint32_t port, const Completion& completion);
  void OnConnected(Sock* sock, const Completion& completion);
  void OnReceived(Sock* sock, const Completion& completion);
  void OnReceivedPinned(Sock* sock, std::int32_t result);
  static bool IsOfPinned(const Sock& sock, const Completion& completion);
  void Spend(Sock* sock, PinnedMemory memory);
  void OnWithdrawn(Sock* sock, std::uint32_t credit);
  void Granted(Sock* sock, std::uint32_t credit);
  void TakeBytes(Sock* sock, const std::uint8_t* bytes, std::uint32_t length);
  void OnSent(Sock* sock, const Completion& completion);
  void OnClosed(Sock* sock);
  bool WaitUntil(const std::function<bool()>& done, std::chrono::steady_clock::time_point deadline);
  void WaitForCompletions(std::chrono::steady_clock::time_point deadline);
  void WaitToBeWoken(std::chrono::steady_clock::time_point deadline);
  void DriveUntil(std::chrono::steady_clock::time_point deadline);
  void Overwrite(PortEnd& end, SendRequest& request);
  bool AnyAvailable() const;
  void CheckBalance();

  const Setup setup_;
  const ClientOptions options_;
  Error open_error_ = Error::kOk;
  bool stopped_ = false;
  bool finished_ = false;
  std::vector<std::unique_ptr<PortEnd>> ends_;
  std::deque<Sock> socks_;
  std::deque<Accepting> listeners_;
  std::map<Sock*, SendRequest> open_requests_;

  std::mutex wake_mutex_;
  std::condition_variable woken_;
  bool was_woken_ = false;      // guarded by wake_mutex_
  std::uint32_t waits_in_ = 0;  // of several ports, the one whose turn may wait

  PortGroup group_;  // last: stops before the memory above goes
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_CLIENT_H_
