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
#include <mutex>
#include <new>

#include "allocation.h"
#include "completion_port/error.h"
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
      : capacity_(entries_.Allocate(capacity) ? capacity : 0), has_memory_(capacity_ == capacity) {}
  ~SlotTable() {
    for (std::uint32_t i = 0; i < used_; ++i) delete entries_[i].slot;
  }
  SlotTable(const SlotTable&) = delete;
  SlotTable& operator=(const SlotTable&) = delete;

  // False: there was none for the table itself, which has no slot then.
  bool HasMemory() const { return has_memory_; }

  // Null with the reason: kTooManyFiles when every slot is taken, kNoMemory when there is none for
  // another. The id is visible to Find at once.
  T* Allocate(Error* reason = nullptr) {
    std::lock_guard<std::mutex> lock(mutex_);
    const bool may_be_new = used_ < capacity_;
    std::uint32_t index = used_;
    if ((free_count_ >= kLeastFree || !may_be_new || !AddSlot()) && !TakeFree(&index)) {
      if (reason != nullptr) *reason = may_be_new ? Error::kNoMemory : Error::kTooManyFiles;
      return nullptr;
    }
    // Generation 0 is skipped, so that no id is 0.
    std::uint16_t& generation = entries_[index].generation;
    generation = generation >= kLastGeneration ? 1 : static_cast<std::uint16_t>(generation + 1);
    T* slot = SlotAt(index).load(std::memory_order_relaxed);
    slot->id.store(static_cast<std::uint32_t>(generation) << kSlotIndexBits | index,
                   std::memory_order_release);
    ++live_;
    return slot;
  }

  T* Find(std::uint32_t id) const {
    const std::uint32_t index = IndexOf(id);
    if (id == 0 || index >= capacity_) return nullptr;
    T* slot = SlotAt(index).load(std::memory_order_acquire);
    return slot != nullptr && slot->id.load(std::memory_order_acquire) == id ? slot : nullptr;
  }

  void Free(T* slot) {
    std::lock_guard<std::mutex> lock(mutex_);
    const std::uint32_t index = IndexOf(slot->id.load(std::memory_order_relaxed));
    if (free_count_ == 0) {
      first_free_ = index;
    } else {
      entries_[last_free_].next_free = index;
    }
    last_free_ = index;
    ++free_count_;
    slot->id.store(0, std::memory_order_release);
    --live_;
  }

  std::uint32_t Live() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return live_;
  }

  // Calls with each slot that is in use, which may be freed by that.
  template <typename Callback>
  void ForEachLive(Callback callback) const {
    for (std::uint32_t i = 0; T* slot = SlotInUse(&i); ++i) callback(*slot);
  }

 private:
  struct Entry {
    T* slot;                  // written once
    std::uint32_t next_free;  // of an entry that is free, and not the last
    std::uint16_t generation;
  };

  std::atomic_ref<T*> SlotAt(std::uint32_t index) const {
    return std::atomic_ref<T*>(entries_[index].slot);
  }

  bool AddSlot() {
    T* const slot = new (std::nothrow) T();
    if (slot == nullptr) return false;
    SlotAt(used_).store(slot, std::memory_order_release);
    ++used_;
    return true;
  }

  // The one that waits longest.
  bool TakeFree(std::uint32_t* index) {
    if (free_count_ == 0) return false;
    *index = first_free_;
    first_free_ = entries_[first_free_].next_free;
    --free_count_;
    return true;
  }

  // The first from `*index` on, which is set to where it is.
  T* SlotInUse(std::uint32_t* index) const {
    std::lock_guard<std::mutex> lock(mutex_);
    for (; *index < used_; ++*index) {
      T* const slot = SlotAt(*index).load(std::memory_order_relaxed);
      if (slot->id.load(std::memory_order_relaxed) != 0) return slot;
    }
    return nullptr;
  }

  ZeroedArray<Entry> entries_;
  const std::uint32_t capacity_;
  const bool has_memory_;
  mutable std::mutex mutex_;  // guards what follows, and entries but for their slots
  std::uint32_t used_ = 0;
  std::uint32_t live_ = 0;
  std::uint32_t first_free_ = 0;  // these two while free_count_ is not 0
  std::uint32_t last_free_ = 0;
  std::uint32_t free_count_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_SLOT_TABLE_H_
