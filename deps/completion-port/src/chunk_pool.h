// The receive slab, cut into chunks of two sizes: small ones for messages, large ones for bulk.
// Only the driver uses it. The budget is the slab: when it is used up, receives wait.
//
// The free lists are stacks, so the same few warm chunks serve while there is little to do, and
// Trim() can give the pages of the cold ones back to the OS.
#ifndef COMPLETION_PORT_CHUNK_POOL_H_
#define COMPLETION_PORT_CHUNK_POOL_H_

#include <cstddef>
#include <cstdint>

#include "allocation.h"
#include "completion_port/layout.h"

namespace completion_port {

enum class ChunkClass : std::uint8_t { kSmall, kLarge };
inline constexpr std::size_t kChunkClasses = 2;
inline constexpr std::uint32_t kChunkBytes[kChunkClasses] = {4 * 1024, kLargestChunkBytes};
constexpr std::size_t Index(ChunkClass chunk_class) {
  return static_cast<std::size_t>(chunk_class);
}
constexpr std::uint32_t ChunkBytes(ChunkClass chunk_class) {
  return kChunkBytes[Index(chunk_class)];
}
constexpr ChunkClass OtherClass(ChunkClass chunk_class) {
  return chunk_class == ChunkClass::kSmall ? ChunkClass::kLarge : ChunkClass::kSmall;
}
inline constexpr std::uint32_t kNoChunk = 0xffffffffu;

class ChunkPool {
 public:
  ChunkPool() = default;
  ~ChunkPool();
  ChunkPool(const ChunkPool&) = delete;
  ChunkPool& operator=(const ChunkPool&) = delete;

  // Half of the slab in large chunks, but 4 MiB at most; the rest in small ones. False where there
  // is no memory for what is noted of them; there are none then.
  [[nodiscard]] bool Use(std::uint8_t* slab, std::size_t bytes);

  std::uint32_t Acquire(ChunkClass chunk_class);  // kNoChunk when there is none
  // The preferred class, else the other if it may stand in.
  std::uint32_t AcquireAny(ChunkClass preferred);
  // It is the consumer's from here on, who releases it when it has read the bytes.
  void Deliver(std::uint32_t chunk);
  void Release(std::uint32_t chunk);  // checked: a chunk is released once
  bool IsAcquired(std::uint32_t chunk) const;
  bool IsDelivered(std::uint32_t chunk) const;

  // Whether a receive that wants a chunk of this class, of which there is none, should take one of
  // the other. A large one holds what a small one does. A small one cuts what is large to pieces,
  // each with a receive, a completion and most often a send of its own: that is worse than to wait,
  // if the consumer is to give large ones back.
  bool OtherMayStandIn(ChunkClass wanted) const {
    return wanted == ChunkClass::kSmall || delivered_[Index(wanted)] == 0;
  }

  std::uint8_t* Data(std::uint32_t chunk) const { return slab_ + Offset(chunk); }
  std::uint32_t Offset(std::uint32_t chunk) const {  // in the slab, in bytes
    const std::size_t i = Index(ClassOf(chunk));
    return offset_[i] + (chunk - begin_[i]) * kChunkBytes[i];
  }
  std::uint32_t Bytes(std::uint32_t chunk) const { return ChunkBytes(ClassOf(chunk)); }
  ChunkClass ClassOf(std::uint32_t chunk) const {
    return chunk < begin_[1] ? ChunkClass::kSmall : ChunkClass::kLarge;
  }

  std::uint32_t Total() const { return begin_[kChunkClasses]; }
  std::uint32_t Total(ChunkClass chunk_class) const;
  std::uint32_t InUse() const { return in_use_count_; }
  std::uint32_t Free(ChunkClass chunk_class) const;

  // Gives back the pages of chunks that were free all the time since the last Trim. Returns how
  // many. Meant to be called about once a second while idle.
  std::uint32_t Trim();

 private:
  bool AllocateNotes();
  std::uint32_t TrimClass(std::size_t i);

  std::uint8_t* slab_ = nullptr;
  std::size_t first_ = 0;  // where the first chunk starts: on a page
  // Indices [begin_[i], begin_[i + 1]) are of class i.
  std::uint32_t begin_[kChunkClasses + 1] = {};
  std::uint32_t offset_[kChunkClasses] = {};  // in the slab, of the first chunk of class i
  std::uint32_t in_use_count_ = 0;
  std::uint32_t delivered_[kChunkClasses] = {};
  // Stacks, with room for all chunks of their class.
  ZeroedArray<std::uint32_t> free_[kChunkClasses];
  std::uint32_t free_count_[kChunkClasses] = {};
  std::uint32_t lowest_free_[kChunkClasses] = {};  // least depth of the stack since the last Trim
  enum class ChunkState : std::uint8_t { kFree, kAcquired, kDelivered };
  ZeroedArray<ChunkState> states_;
  ZeroedArray<bool> touched_;  // has pages that Trim could give back
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_CHUNK_POOL_H_
