// What one echoed message costs the core, in counts that do not depend on how fast a machine is.
//
//   completion_port_guard MESSAGES
//
// One port holds both ends of 64 connections. In each round every connecting end sends 64 bytes,
// every accepting end sends back what it received, and all are awaited. An echoed message is
// therefore two sends and two receives. Prints, as JSON and over all rounds but the first ten, the
// allocations, the port's own counters and, where the compiler calls __sanitizer_cov_trace_pc in
// each basic block (common.gypi), how many of those were executed by this thread and the port's.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

#include "completion_port/completion_port.h"
#include "ring.h"

namespace {

std::atomic<std::uint64_t> allocations;
std::atomic<std::uint64_t> blocks;

}  // namespace

#if defined(COUNT_BLOCKS)
// It must not be counted itself: it would call itself. So would std::atomic's code
// where it is not inlined.
extern "C" __attribute__((no_sanitize_coverage)) void __sanitizer_cov_trace_pc() {
  __atomic_fetch_add(reinterpret_cast<std::uint64_t*>(&blocks), 1, __ATOMIC_RELAXED);
}
#endif

// clang-format off: it is of two minds about the space after `operator new`.
void* operator new(std::size_t bytes) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* memory = std::malloc(bytes)) return memory;
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
// clang-format on

namespace completion_port {
namespace {

constexpr std::uint32_t kConnections = 64;
constexpr std::uint32_t kMessageBytes = 64;
constexpr std::uint32_t kCredit = 4;
constexpr std::uint64_t kWarmRounds = 10;
constexpr int kPatienceMs = 1000;
constexpr std::uint32_t kEntries = 1024;
constexpr std::size_t kReceiveSlabBytes = 8 * 1024 * 1024;
constexpr std::size_t kSendSlabBytes = 2 * kConnections * kMessageBytes;

struct alignas(kCacheLineBytes) Memory {
  std::uint8_t rings[RingMemoryBytes(kEntries, kEntries)];
  alignas(4096) std::uint8_t receive_slab[kReceiveSlabBytes];
  alignas(4096) std::uint8_t send_slab[kSendSlabBytes];
};
Memory memory;

[[noreturn]] void Fail(const char* what) {
  std::fprintf(stderr, "guard: %s\n", what);
  std::exit(1);
}

// One end of a connection. Its block of the send slab is free again when its message has arrived.
struct End {
  SocketId id = 0;
  bool connecting = false;
  std::uint32_t block = 0;     // offset in the send slab
  std::uint32_t received = 0;  // bytes of the message under way
};

class Echo {
 public:
  Echo() {
    submissions_.Use(memory.rings, kSubmissionsOffset, kEntries);
    completions_.Use(memory.rings, CompletionsOffset(kEntries), kEntries);
    PortOptions options;
    options.backend = BackendCandidates().front();
    options.ring_memory = memory.rings;
    options.submission_entries = kEntries;
    options.completion_entries = kEntries;
    options.receive_slab = memory.receive_slab;
    options.receive_slab_bytes = sizeof(memory.receive_slab);
    options.send_slab = memory.send_slab;
    options.send_slab_bytes = sizeof(memory.send_slab);
    options.socket_capacity = 1024;
    options.driving = Driving::kSubmitter;
    options.helper = false;  // counts are of what a message costs, not of who is away when
    if (group_.Add(options, &port_) != Error::kOk) Fail("no port can be opened here");
    by_slot_.resize(1u << 12, nullptr);
    ends_.resize(2 * kConnections);
  }

  void Connect() {
    ListenOptions listen;
    if (ParseAddress("127.0.0.1", 0, &listen.address) != Error::kOk) Fail("no address");
    ListenerId listener = 0;
    ConnectOptions connect;
    if (port_->PrepareListener(listen, &listener) != Error::kOk ||
        port_->ListenerAddress(listener, &connect.remote) != Error::kOk) {
      Fail("no listener");
    }
    Submit(Opcode::kAccept, listener, kCredit);
    for (std::uint32_t i = 0; i < kConnections; ++i) {
      SocketId id = 0;
      if (port_->PrepareConnect(connect, &id) != Error::kOk) Fail("no socket");
      Adopt(id, true);
      Submit(Opcode::kConnect, id);
      Submit(Opcode::kReceive, id, kCredit);
    }
    RunUntil([&] { return known_ == ends_.size() && connected_ == kConnections; });
  }

  void PlayRound() {
    back_ = 0;
    for (const End& end : ends_) {
      if (end.connecting) Send(end);
    }
    RunUntil([&] { return back_ == kConnections; });
  }

  std::uint64_t Count(Counter counter) const {
    auto* values = reinterpret_cast<std::uint64_t*>(memory.rings + kCountersOffset);
    return std::atomic_ref(values[static_cast<std::size_t>(counter)]).load();
  }

 private:
  void Submit(Opcode opcode, std::uint32_t id, std::uint32_t arg0 = 0, std::uint32_t arg1 = 0) {
    Submission submission{};
    submission.opcode = static_cast<std::uint32_t>(opcode);
    submission.id = id;
    submission.arg0 = arg0;
    submission.arg1 = arg1;
    if (!submissions_.Write(submission)) Fail("the submission ring is full");
  }

  static std::size_t SlotOf(SocketId id) { return id & ((1u << 12) - 1); }

  void Adopt(SocketId id, bool connecting) {
    End& end = ends_[known_];
    end.id = id;
    end.connecting = connecting;
    end.block = static_cast<std::uint32_t>(known_++) * kMessageBytes;
    by_slot_[SlotOf(id)] = &end;
  }

  void Send(const End& end) { Submit(Opcode::kSend, end.id, end.block, kMessageBytes); }

  void Handle(const Completion& completion) {
    const auto opcode = static_cast<Opcode>(completion.opcode);
    if (completion.result < 0) Fail("an operation failed");
    if (opcode == Opcode::kAccept) return Adopt(completion.arg0, false);
    if (opcode == Opcode::kConnect) {
      ++connected_;
      return;
    }
    if (opcode != Opcode::kReceive) return;
    End& end = *by_slot_[SlotOf(completion.id)];
    if (completion.result == 0) Fail("a connection ended");
    std::memcpy(memory.send_slab + end.block + end.received, memory.receive_slab + completion.arg1,
                static_cast<std::size_t>(completion.result));
    Submit(Opcode::kRelease, end.id, completion.arg0, 1);
    end.received += static_cast<std::uint32_t>(completion.result);
    if (end.received < kMessageBytes) return;
    end.received = 0;
    if (end.connecting) {
      ++back_;
    } else {
      Send(end);
    }
  }

  template <typename Done>
  void RunUntil(Done done) {
    while (!done()) {
      submissions_.Publish();
      port_->Drive(kPatienceMs);
      const std::uint32_t count = completions_.Available();
      for (std::uint32_t i = 0; i < count; ++i) Handle(completions_.Read(i));
      completions_.Advance(count);
    }
    submissions_.Publish();
    port_->Submit(0);
  }

  SubmissionWriter submissions_;
  CompletionReader completions_;
  Port* port_ = nullptr;
  std::vector<End> ends_;
  std::vector<End*> by_slot_;
  std::size_t known_ = 0;
  std::uint32_t connected_ = 0;
  std::uint32_t back_ = 0;
  PortGroup group_;  // last: stops before what it uses goes
};

int Run(std::uint64_t messages) {
  Echo echo;
  echo.Connect();
  for (std::uint64_t i = 0; i < kWarmRounds; ++i) echo.PlayRound();
  const std::uint64_t allocations_before = allocations.load();
  const std::uint64_t blocks_before = blocks.load();
  const std::uint64_t calls_before = echo.Count(Counter::kOsCalls);
  const std::uint64_t rounds = (messages + kConnections - 1) / kConnections;
  for (std::uint64_t i = 0; i < rounds; ++i) echo.PlayRound();
  std::printf("{\"messages\":%llu,\"allocations\":%llu,\"blocks\":%llu,\"osCalls\":%llu}\n",
              static_cast<unsigned long long>(rounds * kConnections),
              static_cast<unsigned long long>(allocations.load() - allocations_before),
              static_cast<unsigned long long>(blocks.load() - blocks_before),
              static_cast<unsigned long long>(echo.Count(Counter::kOsCalls) - calls_before));
  return 0;
}

}  // namespace
}  // namespace completion_port

int main(int argc, char** argv) {
  const long messages = argc == 2 ? std::strtol(argv[1], nullptr, 10) : 0;
  if (messages <= 0) {
    std::fprintf(stderr, "usage: completion_port_guard MESSAGES\n");
    return 2;
  }
  return completion_port::Run(static_cast<std::uint64_t>(messages));
}
