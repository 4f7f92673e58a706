// Whichever call of the system fails, whenever: what was asked for succeeds or ends with an error.
// The books of Client see to it that everything completes once and nothing hangs.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "client.h"
#include "faults_linux.h"
#include "local_pair.h"
#include "pattern.h"
#include "peer.h"

namespace completion_port::test {
namespace {

constexpr int kStepMs = 1500;
constexpr std::size_t kSmall = 2000;
constexpr std::size_t kLarge = 3 * 1024 * 1024;  // beyond what the system takes at once
// Of one kind in the scenario, that are tried. Of waiting there are as many as there is time, and
// ThreadSanitizer takes ten times as long.
#if defined(__SANITIZE_THREAD__)
constexpr std::uint32_t kMostCalls = 48;
#else
constexpr std::uint32_t kMostCalls = 400;
#endif
// A helper sets its alarm again and again, and so more often the slower all is.
constexpr std::uint32_t kFirstTimers = 8;

bool IsOver(const Sock* sock) {
  return sock->closed || sock->ended.has_value() ||
         (sock->connected.has_value() && *sock->connected != Error::kOk) ||
         (!sock->send_results.empty() && Last(sock->send_results) != Error::kOk);
}

// A connection through a port from its beginning to its end, as far as it gets.
class Scenario {
 public:
  Scenario(const Setup& setup, const Address& address)
      : client_(setup, Options()), address_(address) {}

  void Run() {
    if (!client_.started() || !Listen() || !Connect() || !Accepted()) return;
    Send(here_, {Filled(kSmall, 1)[0]});
    client_.Send(there_, "and back");
    WaitReceived(there_, kSmall);
    client_.ReceivePinned(there_, 64 * 1024);
    Send(here_, {Filled(kLarge, 2)[0]});
    WaitReceived(there_, kSmall + kLarge);
    client_.Shutdown(here_);
    client_.WaitUntil([&] { return there_->ended || IsOver(here_) || IsOver(there_); }, kStepMs);
    client_.Close(there_);
    client_.WaitUntil([&] { return there_->closed; }, kStepMs);
    CHECK(there_->closed);
  }

  bool Completed() const { return there_ != nullptr && there_->received == kSmall + kLarge; }

 private:
  static ClientOptions Options() {
    ClientOptions options;
    options.may_fail_to_open = true;
    options.linger_ms = 200;
    options.socket_capacity = 64;
    return options;
  }

  bool Listen() {
    ListenOptions options;
    options.address = address_;
    listener_ = client_.Listen(options);
    if (listener_ == nullptr) return false;
    client_.Accept(listener_, 4);
    client_.Flush();
    return true;
  }

  bool Connect() {
    ConnectOptions options;
    options.remote = listener_->address;
    here_ = client_.Prepare(options);
    if (here_ == nullptr) return false;
    client_.Connect(here_);
    const bool told = client_.WaitUntil([&] { return !here_->connect_pending; }, kStepMs);
    CHECK(told);
    if (!told || here_->connected != Error::kOk) return false;
    here_->refill = 1;
    client_.Grant(here_, 4);
    return true;
  }

  // A shortage at accepting is told or passes; in either case somebody hears of it.
  bool Accepted() {
    const auto told = [&] {
      return !listener_->accepted.empty() || !listener_->errors.empty() || IsOver(here_);
    };
    const bool came = client_.WaitUntil(told, kStepMs);
    CHECK(came);
    if (listener_->accepted.empty()) return false;
    there_ = listener_->accepted[0];
    there_->refill = 1;
    return true;
  }

  void Send(Sock* sock, std::vector<std::vector<std::uint8_t>> parts) {
    client_.Send(sock, std::move(parts));
    client_.Flush();
  }

  void WaitReceived(Sock* sock, std::size_t bytes) {
    const auto told = [&] { return sock->received >= bytes || IsOver(here_) || IsOver(there_); };
    const bool came = client_.WaitUntil(told, kStepMs);
    CHECK(came);
  }

  Client client_;
  const Address address_;
  Accepting* listener_ = nullptr;
  Sock* here_ = nullptr;  // the end that connected
  Sock* there_ = nullptr;
};

// One error goes the same way as the next, and ThreadSanitizer takes ten times as long.
#if defined(__SANITIZE_THREAD__)
constexpr bool kFirstErrorOnly = true;
#else
constexpr bool kFirstErrorOnly = false;
#endif

std::uint32_t MostCalls(Call call) {
  return call == Call::timerfd_settime ? kFirstTimers : kMostCalls;
}

// With each call of that kind failing in turn, until one more would be none.
void FailEach(const Setup& setup, Call call, int error, bool is_local = false) {
  std::uint32_t nth = 1;
  std::uint32_t completed = 0;
  for (; nth <= MostCalls(call); ++nth) {
    const std::size_t open_before = OpenDescriptors();
    bool struck = false;
    {
      const Fault fault(call, nth, error);
      Scenario scenario(setup, is_local ? UniquePath() : Loopback(Family::kIpv4, 0));
      scenario.Run();
      struck = fault.Struck();
      completed += struck && scenario.Completed() ? 1 : 0;
      if (!struck) CHECK(scenario.Completed());
    }
    CHECK_EQ(OpenDescriptors(), open_before);
    if (Failed()) {
      std::printf("# %s, failing with %d at call %u\n", CallName(call), error, nth);
      return;
    }
    if (!struck) break;
  }
  std::printf("# %s, error %d: %u calls failed, %u of these connections completed\n",
              CallName(call), error, nth - 1, completed);
}

}  // namespace

#define FAULT_TEST(name, call, ...)         \
  PORT_TEST(FaultAt##name) {                \
    for (const int error : {__VA_ARGS__}) { \
      FailEach(setup, Call::call, error);   \
      if (kFirstErrorOnly) break;           \
    }                                       \
  }

FAULT_TEST(Socket, socket, EMFILE, ENOBUFS)
FAULT_TEST(Bind, bind, EADDRINUSE)
FAULT_TEST(Listen, listen, EADDRINUSE)
FAULT_TEST(Accept, accept4, EMFILE, ENFILE, ECONNABORTED, ENOBUFS, EINTR, EPERM)
FAULT_TEST(Connect, connect, ECONNREFUSED, ENETUNREACH, EADDRNOTAVAIL)
FAULT_TEST(Shutdown, shutdown, ENOTCONN)
FAULT_TEST(Send, send, ECONNRESET, ENOBUFS, EINTR)
FAULT_TEST(SendMessage, sendmsg, ECONNRESET, ENOBUFS, EINTR)
FAULT_TEST(Receive, recv, ECONNRESET, ENOMEM, EINTR)
FAULT_TEST(ReceiveMessage, recvmsg, ECONNRESET, ENOMEM)
FAULT_TEST(SetOption, setsockopt, ENOMEM)
FAULT_TEST(GetOption, getsockopt, ENOBUFS)
FAULT_TEST(DescriptorFlags, fcntl, EBADF)
FAULT_TEST(EpollCreate, epoll_create1, EMFILE)
FAULT_TEST(EpollControl, epoll_ctl, ENOMEM, ENOSPC)
FAULT_TEST(EpollWait, epoll_wait, EINTR)
FAULT_TEST(EventDescriptor, eventfd, EMFILE, ENOMEM)
FAULT_TEST(TimerDescriptor, timerfd_create, EMFILE)
FAULT_TEST(SettingATimer, timerfd_settime, EINVAL)
FAULT_TEST(Mapping, mmap, ENOMEM)
FAULT_TEST(RingSetup, io_uring_setup, ENOMEM, EPERM)
FAULT_TEST(RingEnter, io_uring_enter, EINTR, EAGAIN, EBUSY)
FAULT_TEST(RingRegister, io_uring_register, ENOMEM)
FAULT_TEST(Thread, pthread_create, EAGAIN)

PORT_TEST(FaultsOfLocalSockets) {
  for (const Call call : {Call::socket, Call::bind, Call::listen, Call::connect}) {
    FailEach(setup, call, ENOBUFS, true);
  }
  FailEach(setup, Call::accept4, EMFILE, true);
  FailEach(setup, Call::send, ECONNRESET, true);
}

// A helper that sleeps without an alarm, and is refused the one that would end its sleep: without
// it nobody could join it.
PORT_TEST(HelperEndsWhoseAlarmIsRefused) {
  if (!setup.SubmitterDrives() || !setup.helper) return Skip("has no helper");
  auto client = std::make_unique<Client>(setup);
  Accepting* listener = client->ListenAndAccept(4);
  REQUIRE(listener != nullptr);
  const Peer peer = Peer::Connect(listener->address);
  CHECK(client->WaitUntil([&] { return !listener->accepted.empty(); }));
  client->Pass(50);  // the helper is there by now
  {
    const Fault no_more(Call::timerfd_settime, 1, EINVAL, 1000);
    SleepMs(50);
    CHECK(no_more.Struck());
  }
  const Fault fault(Call::timerfd_settime, 1, EINVAL, 9);
  client.reset();
  CHECK(fault.Struck());
}

// What accept() fails with more than once: it is tried again later, and told once where it is none
// of what everybody knows.
PORT_TEST(TroubleAtAcceptPasses) {
  if (setup.backend != BackendKind::kEpoll) return Skip("accepts by requests, not by calls");
  for (const int error : {EMFILE, ENFILE, ENOBUFS, EFAULT}) {
    const std::size_t open_before = OpenDescriptors();
    {
      Client client(setup);
      Accepting* listener = client.ListenAndAccept(4);
      REQUIRE(listener != nullptr);
      const Fault fault(Call::accept4, 1, error, 4);
      Peer peer = Peer::Connect(listener->address);
      CHECK(client.WaitUntil([&] { return !listener->accepted.empty(); }));
      CHECK(fault.Struck());
      CHECK_EQ(listener->errors.size(), error == EFAULT ? 1 : 0);
    }
    CHECK_EQ(OpenDescriptors(), open_before);
  }
}

namespace {

// No descriptor is left while it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const rlimit few = {1024, before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    for (int fd = open("/dev/null", O_RDONLY); fd >= 0; fd = open("/dev/null", O_RDONLY)) {
      taken_.push_back(fd);
    }
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() {
    for (const int fd : taken_) close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

}  // namespace

// The real thing, for every backend: those that wait are turned away rather than left to hang, and
// whoever comes when there are descriptors again is served.
PORT_TEST(ProcessWithoutDescriptorsTurnsConnectionsAway) {
  Client client(setup);
  Accepting* listener = client.ListenOnLoopback();
  REQUIRE(listener != nullptr);
  std::vector<Peer> waiting;
  for (int i = 0; i < 5; ++i) waiting.push_back(Peer::Connect(listener->address));
  {
    const NoDescriptors none;
    client.Accept(listener, 4);
    client.Flush();
    client.Pass(150);
    CHECK_EQ(listener->accepted.size(), 0);
    Error error = Error::kOk;
    CHECK(client.Prepare({listener->address, {}}, 0, &error) == nullptr);
    CHECK_EQ(error, Error::kTooManyFiles);
  }
  const Peer late = Peer::Connect(listener->address);
  CHECK(client.WaitUntil([&] { return !listener->accepted.empty(); }));
}

}  // namespace completion_port::test
