// Wake-ups of a port that its submitter drives, with a helper that drives meanwhile.
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "completion_port/completion_port.h"
#include "peer.h"
#include "ring.h"
#include "testing.h"

namespace completion_port::test {
namespace {

constexpr std::uint32_t kEntries = 64;
constexpr std::size_t kReceiveBytes = 1024 * 1024;
constexpr std::size_t kSendBytes = 64 * 1024;

std::uint64_t ElapsedMs(std::chrono::steady_clock::time_point since) {
  const auto passed = std::chrono::steady_clock::now() - since;
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
}

template <typename Condition>
bool Within(std::uint64_t ms, Condition condition) {
  const auto since = std::chrono::steady_clock::now();
  while (!condition()) {
    if (ElapsedMs(since) > ms) return false;
    std::this_thread::yield();
  }
  return true;
}

// A port with one prepared socket on it, so that a helper has a reason to come.
struct DrivenPort {
  struct alignas(4096) Memory {
    std::uint8_t receive[kReceiveBytes];
    std::uint8_t send[kSendBytes];
    std::uint8_t rings[64 * 1024];
  };

  explicit DrivenPort(BackendKind backend) : memory(std::make_unique<Memory>()) {
    CHECK_AT_MOST(RingMemoryBytes(kEntries, kEntries), sizeof(Memory::rings));
    PortOptions options;
    options.backend = backend;
    options.driving = Driving::kSubmitter;
    options.ring_memory = memory->rings;
    options.submission_entries = kEntries;
    options.completion_entries = kEntries;
    options.receive_slab = memory->receive;
    options.receive_slab_bytes = kReceiveBytes;
    options.send_slab = memory->send;
    options.send_slab_bytes = kSendBytes;
    header.Use(memory->rings);
    if (group.Add(options, &port) != Error::kOk) return;
    ConnectOptions connect;
    connect.remote = Loopback(9);
    is_ready = port->PrepareConnect(connect, &socket) == Error::kOk;
  }
  ~DrivenPort() { group.Stop(); }

  bool IsDrivenBy(Driver who) const {
    return header.At(kDriver).load() == static_cast<std::uint32_t>(who);
  }
  std::uint64_t Count(Counter counter) const {
    const auto* values =
        reinterpret_cast<const std::atomic<std::uint64_t>*>(memory->rings + kCountersOffset);
    return values[static_cast<std::size_t>(counter)].load();
  }

  std::unique_ptr<Memory> memory;
  RingHeader header;
  PortGroup group;
  Port* port = nullptr;
  SocketId socket = 0;
  bool is_ready = false;
};

}  // namespace

SUBMITTER_TEST(AWakeUpThatTheHelperTakesIsNotLost) {
  DrivenPort driven(setup.backend);
  REQUIRE(driven.is_ready);
  constexpr int kLongMs = 400;
  for (int round = 0; round < 10; ++round) {
    driven.port->Drive(0);
    // The submitter is away. Where the queue belongs to one thread, nobody helps.
    if (!Within(1000, [&] { return driven.IsDrivenBy(Driver::kThread); })) return;
    const std::uint64_t wakeups = driven.Count(Counter::kPortWakeups);
    driven.port->Wake();
    REQUIRE(Within(1000, [&] { return driven.Count(Counter::kPortWakeups) != wakeups; }));
    const auto since = std::chrono::steady_clock::now();
    driven.port->Drive(kLongMs);
    CHECK_AT_MOST(ElapsedMs(since), kLongMs / 2);
  }
}

}  // namespace completion_port::test
