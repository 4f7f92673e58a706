// See io_uring_buffers.h.
#include "backend/io_uring_buffers.h"

#include <algorithm>

namespace completion_port {

namespace {

constexpr std::uint32_t kLeastSmall = 32;
constexpr std::uint32_t kMostSmall = 1024;  // a power of two
constexpr std::uint32_t kLeastLarge = 8;
constexpr std::uint32_t kMostLarge = 64;  // a power of two

constexpr std::uint16_t kFirstLargeId = kMostSmall;

constexpr std::uint32_t kRefillsPerReview = 256;

}  // namespace

int UringBuffers::Open(const UringRing& ring, ChunkPool* chunks) {
  chunks_ = chunks;
  const int error = OpenSupply(ring, ChunkClass::kSmall, kLeastSmall, kMostSmall, 0);
  if (error != 0) return error;
  return OpenSupply(ring, ChunkClass::kLarge, kLeastLarge, kMostLarge, kFirstLargeId);
}

int UringBuffers::OpenSupply(const UringRing& ring, ChunkClass chunk_class, std::uint32_t least,
                             std::uint32_t entries, std::uint16_t first_id) {
  Supply& supply = Of(chunk_class);
  supply.chunk_class = chunk_class;
  // In a small pool half stays out of the rings, for whoever has the other half in hand.
  supply.most = std::min(entries, std::max(1u, chunks_->Total(chunk_class) / 2));
  supply.least = supply.target = std::min(least, supply.most);
  return supply.ring.Open(ring, Group(chunk_class), entries, first_id);
}

void UringBuffers::Refill() {
  const bool review = ++refills_ % kRefillsPerReview == 0;
  for (Supply& supply : supplies_) {
    if (supply.used != 0) Adapt(supply);
    if (review) {
      if (supply.peak < supply.target / 4) {
        supply.target = std::max(supply.least, supply.target / 2);
      }
      supply.peak = 0;
    }
    if (supply.ring.Posted() < supply.target) TopUp(supply);
  }
}

void UringBuffers::Adapt(Supply& supply) {
  // Nearly all gone in one turn: more next time, before a receive finds none.
  if (supply.used > supply.target - supply.target / 4) {
    supply.target = std::min(supply.most, supply.target * 2);
  }
  supply.peak = std::max(supply.peak, supply.used);
  supply.used = 0;
}

void UringBuffers::TopUp(Supply& supply) {
  bool added = false;
  while (supply.ring.Posted() < supply.target) {
    const std::uint32_t chunk = chunks_->Acquire(supply.chunk_class);
    if (chunk == kNoChunk) break;
    supply.ring.Add(chunks_->Data(chunk), chunks_->Bytes(chunk), chunk);
    added = true;
  }
  if (added) supply.ring.Publish();
}

std::uint32_t UringBuffers::Take(std::uint16_t id) {
  Supply& supply = Of(id < kFirstLargeId ? ChunkClass::kSmall : ChunkClass::kLarge);
  ++supply.used;
  return supply.ring.Take(id);
}

// Posted() also counts chunks whose completions we have yet to read. Then one more try is in vain,
// but no more than one: it is better than to give up while the last chunk is on its way back.
bool UringBuffers::CanServe(const Supply& supply) const {
  return supply.ring.Posted() != 0 || chunks_->Free(supply.chunk_class) != 0;
}

bool UringBuffers::AfterRunningDry(ChunkClass wanted, ChunkClass* usable) {
  const ChunkClass other = wanted == ChunkClass::kSmall ? ChunkClass::kLarge : ChunkClass::kSmall;
  for (const ChunkClass chunk_class : {wanted, other}) {
    *usable = chunk_class;
    if (CanServe(Of(chunk_class))) return true;
  }
  return false;
}

}  // namespace completion_port
