// Counters in shared memory: written by the driver (a few by the submitter), read by anyone
// without a call. Relaxed: each is exact by itself, no two are a snapshot.
#ifndef COMPLETION_PORT_COUNTERS_H_
#define COMPLETION_PORT_COUNTERS_H_

#include <atomic>
#include <cstdint>

#include "completion_port/layout.h"

namespace completion_port {

class Counters {
 public:
  void Use(void* memory) { values_ = static_cast<std::atomic<std::uint64_t>*>(memory); }

  // One writer per counter, therefore no locked instruction.
  void Add(Counter counter, std::uint64_t n = 1) {
    auto& value = values_[static_cast<std::size_t>(counter)];
    value.store(value.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void Set(Counter counter, std::uint64_t n) {
    values_[static_cast<std::size_t>(counter)].store(n, std::memory_order_relaxed);
  }
  void AddSubmitted(Opcode opcode, std::uint64_t n = 1) { Add(PerOpcode(opcode, 0), n); }
  void AddCompleted(Opcode opcode, std::uint64_t n = 1) { Add(PerOpcode(opcode, 1), n); }
  std::uint64_t Completed(Opcode opcode) const {
    const auto index = static_cast<std::size_t>(PerOpcode(opcode, 1));
    return values_[index].load(std::memory_order_relaxed);
  }

 private:
  static Counter PerOpcode(Opcode opcode, std::uint32_t which) {
    return static_cast<Counter>(static_cast<std::uint32_t>(Counter::kPerOpcode) +
                                2 * static_cast<std::uint32_t>(opcode) + which);
  }
  std::atomic<std::uint64_t>* values_ = nullptr;
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace completion_port

#endif  // COMPLETION_PORT_COUNTERS_H_
