// The simulated system: a clock that stands still unless somebody waits, descriptors, and TCP.
//
// A stream is three numbers: how much was sent, has arrived, was read. What the bytes are is known
// to a Content. By default a byte is known by its place (pattern.h): what is sent is checked when
// the call is made, every byte, in order, and none twice; what is read is made up anew.
//
// One kernel is in use at a time, and what os/ and the backend ask for goes to that one.
#ifndef COMPLETION_PORT_TEST_SIM_KERNEL_H_
#define COMPLETION_PORT_TEST_SIM_KERNEL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "choices.h"
#include "completion_port/completion_port.h"
#include "fibers.h"

namespace completion_port::sim {

class SimBackend;

enum class Segment : std::uint8_t { kBytes, kEnd, kReset };
struct OnTheWire {
  std::uint64_t at_ns;
  Segment what;
  std::uint32_t bytes;
};

inline constexpr std::uint64_t kFirstNs = 1'000'000'000;  // what the clock shows first

// One direction of a connection.
struct Stream {
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;
  std::uint64_t read = 0;
  bool end_sent = false;
  bool end_arrived = false;
  std::deque<OnTheWire> wire;

  std::uint64_t Unread() const { return arrived - read; }
};

enum class SocketState : std::uint8_t { kFresh, kListening, kConnected, kReset };

// What descriptors refer to. Lives as long as the kernel, so that its books can be looked at.
struct Socket {
  std::uint32_t stream = 0;  // number of the bytes that it sends
  SocketState state = SocketState::kFresh;
  std::uint32_t handles = 0;
  bool closed = false;  // no handle is left
  std::uint16_t port = 0;
  Socket* peer = nullptr;
  Stream out;
  Error error = Error::kOk;  // of the reset, to be told once
  bool resets_on_close = false;
  bool has_reset = false;  // has sent RST
  std::uint32_t held = 0;  // operations of it that are with the system
  bool met_end_of_file = false;
  std::deque<Socket*> backlog;
  std::size_t backlog_limit = 0;
};

// Who is told what the core does to a socket, to judge it.
class Judge {
 public:
  virtual ~Judge() = default;
  virtual void OnEnd(const Socket& socket) = 0;    // FIN
  virtual void OnClose(const Socket& socket) = 0;  // the last handle goes
};

// What the bytes of streams are.
class Content {
 public:
  virtual ~Content() = default;
  // False where these are not what the sender has to send next, behind its `out.sent`.
  virtual bool Take(const Socket& sender, const std::uint8_t* data, std::size_t length) = 0;
  // Those at that place of what it has sent.
  virtual void Give(const Socket& sender, std::uint64_t at, std::uint8_t* data,
                    std::size_t length) = 0;
};

struct KernelLimits {
  std::uint32_t window = 4096;  // bytes on the way and unread of one stream
  std::uint32_t descriptors = 1000;
  std::uint32_t fault_one_in = 0;  // 0: none
};

class Kernel {
 public:
  Kernel(Choices* choices, const KernelLimits& limits);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  static Kernel& Current();

  Choices& choices() { return *choices_; }
  Fibers& fibers() { return fibers_; }
  void SetJudge(Judge* judge) { judge_ = judge; }
  void SetContent(std::unique_ptr<Content> content) { content_ = std::move(content); }
  // Who is told when somebody waits without end and nothing is to come. Without one that is wrong.
  void OnStandstill(std::function<void()> told) { standstill_ = std::move(told); }
  void JudgeEnd(const Socket& socket) {
    const bool is_first = socket.state == SocketState::kConnected && !socket.out.end_sent;
    if (judge_ != nullptr && is_first) judge_->OnEnd(socket);
  }
  // From here on nothing is refused.
  void LiftLimits(std::uint32_t window);
  // A new scenario for the same ports, with nothing left of the last one.
  void Restart(const KernelLimits& limits);

  // --- The record of what happened
  void Trace(const char* what, std::uint64_t a = 0, std::uint64_t b = 0, std::int64_t c = 0);
  void Print(bool print) { prints_ = print; }
  std::uint64_t TraceHash() const { return hash_; }
  // Only the first one counts.
  void Violate(const std::string& what);
  const std::string& Violation() const { return violation_; }
  bool IsRight() const { return violation_.empty(); }
  bool Fault() { return choices_->OneIn(limits_.fault_one_in); }

  // --- Time
  std::uint64_t NowNs() const { return now_ns_; }
  const std::uint64_t* Clock() const { return &now_ns_; }
  // What is due on the way there happens, fibers run.
  void AdvanceTo(std::uint64_t ns, Fibers::Stops stops);
  std::uint64_t NextEvent() const;
  void StandStill();
  void Arrive();  // what is due on the wires
  std::uint64_t SomeDelayNs();
  void Add(SimBackend* backend) { backends_.push_back(backend); }
  void Remove(SimBackend* backend) { std::erase(backends_, backend); }

  // --- Alarms
  std::intptr_t NewAlarm();
  void SetAlarm(std::intptr_t alarm, std::uint64_t us);
  void WaitForAlarm(std::intptr_t alarm);

  // --- Descriptors
  Error Open(int* out);
  Error NewHandle(Socket* socket, int* out);
  Socket* At(int handle) const;  // null, and a violation, where there is none
  void Close(int handle);
  std::uint32_t OpenHandles() const;

  // --- TCP
  Socket* NewSocket();
  Error Listen(Socket* socket, std::uint16_t port, std::size_t backlog);
  std::uint16_t FreePort() { return next_port_++; }
  Error Connect(Socket* client, std::uint16_t port);
  Socket* Accept(Socket* listener);
  Socket* ConnectedPair(Socket* socket);  // its new peer
  // Bytes, 0 (would wait) or -Error.
  std::int32_t Send(Socket* socket, const std::uint8_t* data, std::size_t length);
  std::int32_t Receive(Socket* socket, std::uint8_t* data, std::size_t room);
  Error Shutdown(Socket* socket);
  void Reset(Socket* socket);
  void CloseSocket(Socket* socket);  // all handles of it are gone
  static bool IsReadable(const Socket& socket);
  bool IsWritable(const Socket& socket) const;
  const std::vector<std::unique_ptr<Socket>>& sockets() const { return sockets_; }

 private:
  static constexpr std::uint16_t kFirstPort = 1000;
  static constexpr std::uint64_t kEmptyHash = 0xcbf29ce484222325u;

  std::uint64_t Room(const Socket& socket) const;
  void PutOnWire(Socket* from, Segment what, std::uint32_t bytes);
  void Take(Socket* from, const OnTheWire& segment);
  void Break(Socket* socket, Error error);

  Choices* const choices_;
  KernelLimits limits_;
  Kernel* const before_;
  Judge* judge_ = nullptr;
  std::unique_ptr<Content> content_;
  std::function<void()> standstill_;
  std::uint64_t now_ns_ = kFirstNs;
  std::uint64_t began_ns_ = kFirstNs;  // the scenario
  Fibers fibers_;
  std::vector<SimBackend*> backends_;
  std::vector<std::uint64_t> alarms_;  // when each rings
  std::vector<std::unique_ptr<Socket>> sockets_;
  std::vector<Socket*> handles_;
  std::uint16_t next_port_ = kFirstPort;
  std::uint64_t hash_ = kEmptyHash;
  bool prints_ = false;
  std::string violation_;
};

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_KERNEL_H_
