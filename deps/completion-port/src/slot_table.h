// Slots addressed by generation-tagged ids. An id that outlived its slot's use finds nothing, so a
// late submission can never reach the next owner of the slot.
//
// A slot waits long for its next use: behind all that were free before it, and at least
// kLeastFree of them, as long as there are others to be had. So it takes that many times the number
// of generations before an id comes round.
//
// Any thread may allocate and find; only the driver frees. Slots are recycled and freed only with
// the table: the kernel may hold pointers into them.
#ifndef COMPLETION_PORT_SLOT_TABLE_H_
#define COMPLETION_PORT_SLOT_TABLE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "completion_port/layout.h"

namespace completion_port {

inline constexpr std::uint32_t kIndexMask = (1u << kSlotIndexBits) - 1;
inline constexpr std::uint32_t kLastGeneration = (1u << (32 - kSlotIndexBits)) - 1;
inline constexpr std::size_t kLeastFree = 64;

constexpr std::uint32_t IndexOf(std::uint32_t id) { return id & kIndexMask; }

template <typename T>
class SlotTable {
 public:
  explicit SlotTable(std::uint32_t capacity)
      : capacity_(capacity), slots_(new std::atomic<T*>[capacity]()) {}
  ~SlotTable() {
    for (std::uint32_t i = 0; i < used_; ++i) delete slots_[i].load(std::memory_order_relaxed);
  }
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  // Null when every slot is taken. The id is visible to Find at once.
  T* Allocate() {
    std::lock_guard<std::mutex> lock(mutex_);
    std::uint32_t index;
    if (free_.size() < kLeastFree && used_ < capacity_) {
      index = used_++;
      generations_.push_back(0);
      slots_[index].store(new T(), std::memory_order_release);
    } else if (!free_.empty()) {
      index = free_.front();
      free_.pop_front();
    } else {
      return nullptr;
    }
    // Generation 0 is skipped, so that no id is 0.
    std::uint16_t& generation = generations_[index];
    generation = generation >= kLastGeneration ? 1 : static_cast<std::uint16_t>(generation + 1);
    T* slot = slots_[index].load(std::memory_order_relaxed);
    slot->id.store(static_cast<std::uint32_t>(generation) << kSlotIndexBits | index,
                   std::memory_order_release);
    ++live_;
    return slot;
  }

  T* Find(std::uint32_t id) const {
    const std::uint32_t index = IndexOf(id);
    if (id == 0 || index >= capacity_) return nullptr;
    T* slot = slots_[index].load(std::memory_order_acquire);
    return slot != nullptr && slot->id.load(std::memory_order_acquire) == id ? slot : nullptr;
  }

  void Free(T* slot) {
    std::lock_guard<std::mutex> lock(mutex_);
    free_.push_back(IndexOf(slot->id.load(std::memory_order_relaxed)));
    slot->id.store(0, std::memory_order_release);
    --live_;
  }

  std::uint32_t Live() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return live_;
  }

  // The slots in use now. The caller may free them while it walks the list.
  std::vector<T*> Snapshot() const {
    std::lock_guard<std::mutex> lock(mutex_);
    std::vector<T*> live;
    for (std::uint32_t i = 0; i < used_; ++i) {
      T* slot = slots_[i].load(std::memory_order_relaxed);
      if (slot->id.load(std::memory_order_relaxed) != 0) live.push_back(slot);
    }
    return live;
  }

 private:
  const std::uint32_t capacity_;
  std::unique_ptr<std::atomic<T*>[]> slots_;  // capacity_ pointers, touched as used
  mutable std::mutex mutex_;                  // guards what follows
  std::uint32_t used_ = 0;
  std::uint32_t live_ = 0;
  std::vector<std::uint16_t> generations_;
  std::deque<std::uint32_t> free_;  // who waits longest is first
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_SLOT_TABLE_H_
