// See chunk_pool.h.
#include "chunk_pool.h"

#include <algorithm>

#include "os/socket.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace completion_port {

namespace {

// AddressSanitizer tells on whoever touches a chunk that nobody has.
#if defined(__SANITIZE_ADDRESS__)
void Forbid(const std::uint8_t* begin, std::size_t bytes) {
  __asan_poison_memory_region(begin, bytes);
}
void Permit(const std::uint8_t* begin, std::size_t bytes) {
  __asan_unpoison_memory_region(begin, bytes);
}
#else
void Forbid(const std::uint8_t*, std::size_t) {}
void Permit(const std::uint8_t*, std::size_t) {}
#endif

constexpr std::size_t kPageBytes = 4096;

// Large chunks, at most. With more, what the consumer reads last has left the cache before it does:
// 12 KB pieces on 1,000 connections cost 16.5 us of CPU with 4 MiB of them, 17.8 with 16 and 21.9
// with 64. For small ones, whose receives are many, a chunk too few costs more than that.
constexpr std::size_t kMostLargeBytes = std::size_t{4} * 1024 * 1024;

}  // namespace

ChunkPool::~ChunkPool() {
  // The memory is its owner's again.
  if (Total() != 0) Permit(Data(0), Offset(Total() - 1) + Bytes(Total() - 1) - Offset(0));
}

bool ChunkPool::Use(std::uint8_t* slab, std::size_t bytes) {
  // Chunks start on a page, or a small one would hold no whole page that Trim could give back.
  const auto address = reinterpret_cast<std::uintptr_t>(slab);
  first_ = std::min<std::size_t>((kPageBytes - address % kPageBytes) % kPageBytes, bytes);
  slab_ = slab;
  const std::size_t usable = bytes - first_;
  // Shares of the classes; what does not divide goes to the class below.
  const std::size_t shares[kChunkClasses] = {usable, std::min(usable / 2, kMostLargeBytes)};
  std::uint32_t counts[kChunkClasses];
  std::size_t given = 0;
  for (std::size_t i = kChunkClasses; i-- > 0;) {
    counts[i] = static_cast<std::uint32_t>((shares[i] - given) / kChunkBytes[i]);
    given += std::size_t{counts[i]} * kChunkBytes[i];
  }
  std::uint32_t offset = static_cast<std::uint32_t>(first_);
  for (std::size_t i = 0; i < kChunkClasses; ++i) {
    begin_[i + 1] = begin_[i] + counts[i];
    offset_[i] = offset;
    offset += counts[i] * kChunkBytes[i];
  }
  in_use_count_ = 0;
  for (auto& count : delivered_) count = 0;
  for (auto& count : free_count_) count = 0;
  if (!AllocateNotes()) {
    for (auto& begin : begin_) begin = 0;
    return false;
  }
  // The lowest indices on top.
  for (std::uint32_t i = Total(); i-- > 0;) {
    const std::size_t of_class = Index(ClassOf(i));
    free_[of_class][free_count_[of_class]++] = i;
    Forbid(Data(i), Bytes(i));
  }
  for (std::size_t i = 0; i < kChunkClasses; ++i) lowest_free_[i] = free_count_[i];
  return true;
}

bool ChunkPool::AllocateNotes() {
  for (std::size_t i = 0; i < kChunkClasses; ++i) {
    if (!free_[i].Allocate(Total(static_cast<ChunkClass>(i)))) return false;
  }
  return states_.Allocate(Total()) && touched_.Allocate(Total());
}

std::uint32_t ChunkPool::Acquire(ChunkClass chunk_class) {
  const std::size_t i = Index(chunk_class);
  if (free_count_[i] == 0) return kNoChunk;
  const std::uint32_t chunk = free_[i][--free_count_[i]];
  lowest_free_[i] = std::min(lowest_free_[i], free_count_[i]);
  states_[chunk] = ChunkState::kAcquired;
  touched_[chunk] = true;
  ++in_use_count_;
  Permit(Data(chunk), Bytes(chunk));
  return chunk;
}

std::uint32_t ChunkPool::AcquireAny(ChunkClass preferred) {
  const std::uint32_t chunk = Acquire(preferred);
  if (chunk != kNoChunk || !OtherMayStandIn(preferred)) return chunk;
  return Acquire(OtherClass(preferred));
}

void ChunkPool::Deliver(std::uint32_t chunk) {
  states_[chunk] = ChunkState::kDelivered;
  ++delivered_[Index(ClassOf(chunk))];
}

void ChunkPool::Release(std::uint32_t chunk) {
  if (!IsAcquired(chunk)) return;
  const std::size_t i = Index(ClassOf(chunk));
  if (states_[chunk] == ChunkState::kDelivered) --delivered_[i];
  states_[chunk] = ChunkState::kFree;
  --in_use_count_;
  free_[i][free_count_[i]++] = chunk;
  Forbid(Data(chunk), Bytes(chunk));
}

bool ChunkPool::IsAcquired(std::uint32_t chunk) const {
  return chunk < Total() && states_[chunk] != ChunkState::kFree;
}

bool ChunkPool::IsDelivered(std::uint32_t chunk) const {
  return chunk < Total() && states_[chunk] == ChunkState::kDelivered;
}

std::uint32_t ChunkPool::Total(ChunkClass chunk_class) const {
  return begin_[Index(chunk_class) + 1] - begin_[Index(chunk_class)];
}

std::uint32_t ChunkPool::Free(ChunkClass chunk_class) const {
  return free_count_[Index(chunk_class)];
}

std::uint32_t ChunkPool::Trim() {
  std::uint32_t trimmed = 0;
  for (std::size_t i = 0; i < kChunkClasses; ++i) trimmed += TrimClass(i);
  return trimmed;
}

// What lies deeper in a stack than it ever sank was free all the time. In which order it lies there
// is of no account.
std::uint32_t ChunkPool::TrimClass(std::size_t i) {
  std::uint32_t* const deepest = free_[i].begin();
  std::uint32_t* const end = std::partition(
      deepest, deepest + lowest_free_[i], [this](std::uint32_t chunk) { return touched_[chunk]; });
  lowest_free_[i] = free_count_[i];
  // Neighbours go in one call.
  std::sort(deepest, end);
  for (std::uint32_t* first = deepest; first != end;) {
    std::uint32_t* last = first;
    while (last + 1 != end && last[1] == last[0] + 1) ++last;
    os::DiscardPages(Data(*first), Offset(*last) + Bytes(*last) - Offset(*first));
    first = last + 1;
  }
  for (std::uint32_t* chunk = deepest; chunk != end; ++chunk) touched_[*chunk] = false;
  return static_cast<std::uint32_t>(end - deepest);
}

}  // namespace completion_port
