// What a backend promises and a port does not show.
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "backend/backend.h"
#include "testing.h"

namespace completion_port::test {

namespace {

constexpr int kLongMs = 3000;
constexpr int kShortMs = 60;

class NoEvents final : public BackendEvents {
 public:
  void OnReceive(Connection&, std::int32_t, std::uint32_t) override {}
  void OnSend(Connection&, std::int32_t) override {}
  void OnReadable(Connection&, Error) override {}
  void OnConnect(Connection&, Error) override {}
  void OnShutdown(Connection&, Error) override {}
  void OnAccept(Listener&, NativeSocket, Error) override {}
  void OnAcceptStopped(Listener&) override {}
  std::uint32_t AcceptsWanted(Listener&) override { return 0; }
  void OnReadable(DatagramSocket&) override {}
  void OnWritable(DatagramSocket&, Error) override {}
  void OnDetached(DatagramSocket&) override {}
};

struct OpenBackend {
  explicit OpenBackend(BackendKind kind) : backend(CreateBackend(kind)) {
    counters.Use(counter_memory);
    CHECK(chunks.Use(slab.data(), slab.size()));
    REQUIRE_EQ(backend->Open({&events, &chunks, &counters, 64, true}), Error::kOk);
    REQUIRE_EQ(pipe(ends), 0);
  }
  ~OpenBackend() {
    backend.reset();
    for (const int end : ends) close(end);
  }
  std::uint64_t WaitsFor(int timeout_ms) {
    const std::uint64_t start_ms = NowMs();
    backend->WatchAgain();
    backend->Wait(timeout_ms);
    return NowMs() - start_ms;
  }

  // A wait can also be cut short by what the system has to do in this thread.
  bool FindsNothing() {
    const auto packets = [this] {
      return counter_words()[static_cast<std::size_t>(Counter::kPackets)];
    };
    const std::uint64_t before = packets();
    backend->Wait(kShortMs);
    return packets() == before;
  }
  const std::uint64_t* counter_words() const {
    return reinterpret_cast<const std::uint64_t*>(counter_memory);
  }

  NoEvents events;
  std::vector<std::uint8_t> slab = std::vector<std::uint8_t>(1024 * 1024);
  ChunkPool chunks;
  alignas(8) std::uint8_t counter_memory[kCountersBytes] = {};
  Counters counters;
  int ends[2] = {-1, -1};
  std::unique_ptr<Backend> backend;
};

}  // namespace

PORT_TEST(WaitReturnsWhenAskedAndAWatchedDescriptorIsReadable) {
  OpenBackend open(setup.backend);
  REQUIRE_EQ(open.backend->WatchDescriptor(open.ends[0]), Error::kOk);
  CHECK(open.FindsNothing());
  REQUIRE_EQ(write(open.ends[1], "x", 1), 1);
  for (int i = 0; i < 5; ++i) {
    CHECK_AT_MOST(open.WaitsFor(kLongMs), kLongMs / 2);
    CHECK(!open.backend->WatchIsQuiet());
  }
  CHECK(open.FindsNothing());  // nobody has asked again
  char byte = 0;
  REQUIRE_EQ(read(open.ends[0], &byte, 1), 1);
  open.backend->Wait(0);  // one that was under way may still be answered
  open.backend->Wait(0);
  CHECK(open.FindsNothing());
  open.backend->WatchAgain();
  CHECK(open.FindsNothing());
  CHECK(open.backend->WatchIsQuiet());
  REQUIRE_EQ(write(open.ends[1], "x", 1), 1);
  CHECK_AT_MOST(open.WaitsFor(kLongMs), kLongMs / 2);
}

PORT_TEST(QueueDescriptorIsReadableAsLongAsAWaitWouldFindSomething) {
  OpenBackend open(setup.backend);
  CHECK_EQ(open.backend->QueueDescriptor() >= 0, setup.backend == BackendKind::kEpoll);
  if (open.backend->QueueDescriptor() < 0) return;
  const auto is_readable = [&](int timeout_ms) {
    pollfd queue{static_cast<int>(open.backend->QueueDescriptor()), POLLIN, 0};
    return poll(&queue, 1, timeout_ms) == 1 && queue.revents == POLLIN;
  };
  open.backend->Wait(0);
  for (int i = 0; i < 3; ++i) {
    CHECK(!is_readable(kShortMs));
    open.backend->Wake();
    CHECK(is_readable(kLongMs));
    CHECK(is_readable(0));
    open.backend->Wait(0);
    open.backend->Wait(0);
  }
  CHECK(!is_readable(kShortMs));
}

PORT_TEST(WakeMadeWhileNobodyWaitsIsNotLost) {
  OpenBackend open(setup.backend);
  std::thread([&] { open.backend->Wake(); }).join();
  CHECK_AT_MOST(open.WaitsFor(kLongMs), kLongMs / 2);
  CHECK(open.FindsNothing());  // and is over
}

// A limit may be that of an earlier wait, which something else has ended.
PORT_TEST(WaitsEndInTimeWhateverTheLimitsBefore) {
  OpenBackend open(setup.backend);
  for (const int before_ms : {kLongMs, kShortMs / 2, 0}) {
    open.backend->Wake();
    CHECK_AT_MOST(open.WaitsFor(before_ms), kLongMs / 2);
    for (int i = 0; i < 3; ++i) {
      CHECK_AT_MOST(open.WaitsFor(kShortMs), kLongMs / 2);
      CHECK_AT_MOST(open.WaitsFor(1), kLongMs / 2);
    }
  }
}

// The helper thread drives what the other thread opened, and gives it back.
PORT_TEST(AnyThreadMayDriveABackendThatBelongsToNone) {
  OpenBackend open(setup.backend);
  CHECK_EQ(open.backend->BelongsToOneThread(), setup.backend == BackendKind::kIoUring);
  if (open.backend->BelongsToOneThread()) return;
  REQUIRE_EQ(open.backend->WatchDescriptor(open.ends[0]), Error::kOk);
  REQUIRE_EQ(write(open.ends[1], "x", 1), 1);
  std::uint64_t waited_ms = 0;
  std::thread([&] { waited_ms = open.WaitsFor(kLongMs); }).join();
  CHECK_AT_MOST(waited_ms, kLongMs / 2);
  CHECK_AT_MOST(open.WaitsFor(kLongMs), kLongMs / 2);
}

namespace {

// A connection of the backend's that is none of a port's, and its peer.
struct LoneConnection {
  explicit LoneConnection(Backend* backend) : backend_(backend) {
    int ends[2] = {-1, -1};
    REQUIRE_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    connection.socket = ends[0];
    connection.kind = SocketKind::kLocal;
    connection.state = ConnectionState::kOpen;
    peer = ends[1];
    CHECK_EQ(backend->Attach(connection), Error::kOk);
  }
  LoneConnection(const LoneConnection&) = delete;
  LoneConnection& operator=(const LoneConnection&) = delete;
  ~LoneConnection() {
    backend_->Cancel(connection);
    for (int i = 0; i < 100 && connection.InFlight(); ++i) backend_->Wait(10);
    backend_->Detach(connection);
    close(connection.socket);
    close(peer);
  }
  bool PeerHas(std::size_t bytes) const {
    char into[16];
    return recv(peer, into, sizeof into, MSG_DONTWAIT) == static_cast<ssize_t>(bytes);
  }

  Connection connection;
  int peer = -1;

 private:
  Backend* backend_;
};

}  // namespace

// The turn that has received ahead of the queue is over without a Wait().
PORT_TEST(ReceivingAheadSendsWhatWasSubmitted) {
  OpenBackend open(setup.backend);
  if (setup.backend != BackendKind::kEpoll) return Skip("does not receive ahead");
  LoneConnection receives(open.backend.get());
  LoneConnection sends(open.backend.get());
  open.backend->SubmitReceive(receives.connection, ChunkClass::kSmall);
  open.backend->Wait(0);
  REQUIRE_EQ(write(receives.peer, "x", 1), 1);
  open.backend->Wait(kShortMs);
  open.backend->SubmitReceive(receives.connection, ChunkClass::kSmall);
  open.backend->Wait(0);
  REQUIRE_EQ(write(receives.peer, "x", 1), 1);
  const std::uint8_t text[] = {'y', 'z'};
  CHECK(sends.connection.sends.Push({text, sizeof text, true}));
  open.backend->SubmitSend(sends.connection);
  CHECK(open.backend->ReceiveAhead());
  CHECK(sends.PeerHas(sizeof text));
}

}  // namespace completion_port::test
