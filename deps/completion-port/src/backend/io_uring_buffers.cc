// See io_uring_buffers.h.
#include "backend/io_uring_buffers.h"

#include <algorithm>

#include "os/socket.h"

namespace completion_port {

namespace {

// Of each class: how many are posted at least, and at most (a power of two).
constexpr std::uint32_t kLeast[kChunkClasses] = {32, 8};
constexpr std::uint32_t kMost[kChunkClasses] = {1024, 64};

constexpr std::uint32_t kRefillsPerReview = 256;

}  // namespace

int UringBuffers::Open(const UringRing& ring, ChunkPool* chunks) {
  chunks_ = chunks;
  std::uint16_t first_id = 0;
  for (std::size_t i = 0; i < kChunkClasses; ++i) {
    const auto chunk_class = static_cast<ChunkClass>(i);
    Supply& supply = supplies_[i];
    supply.chunk_class = chunk_class;
    supply.first_id = first_id;
    // In a small pool half stays out of the rings, for whoever has the other half in hand.
    supply.most = std::min(kMost[i], std::max(1u, chunks_->Total(chunk_class) / 2));
    supply.least = supply.target = std::min(kLeast[i], supply.most);
    const int error = supply.ring.Open(ring, Group(chunk_class), kMost[i], first_id);
    if (error != 0) return error;
    first_id = static_cast<std::uint16_t>(first_id + kMost[i]);
  }
  return 0;
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
  if (!added) return;
  supply.ring.Publish();
  if (supply.warmth == Warmth::kCold) supply.warmth = Warmth::kCooling;
}

std::uint32_t UringBuffers::Take(std::uint16_t id) {
  std::size_t i = 0;
  while (i + 1 < kChunkClasses && id >= supplies_[i + 1].first_id) ++i;
  Supply& supply = supplies_[i];
  ++supply.used;
  supply.warmth = Warmth::kWarm;
  return supply.ring.Take(id);
}

std::uint32_t UringBuffers::Trim() {
  std::uint32_t trimmed = 0;
  for (Supply& supply : supplies_) {
    if (supply.warmth == Warmth::kCooling) {
      supply.ring.ForEachPosted([&](std::uint32_t chunk) {
        os::DiscardPages(chunks_->Data(chunk), chunks_->Bytes(chunk));
        ++trimmed;
      });
    }
    supply.warmth = supply.warmth == Warmth::kWarm ? Warmth::kCooling : Warmth::kCold;
  }
  return trimmed;
}

std::uint32_t UringBuffers::Usable(ChunkClass chunk_class) const {
  const Supply& supply = supplies_[Index(chunk_class)];
  const std::uint32_t posted = supply.ring.Posted();
  return std::max(posted, std::min(supply.target, posted + chunks_->Free(chunk_class)));
}

}  // namespace completion_port
