// The receive chunks that lie ready in the kernel: one ring of them per ChunkClass.
//
// Only as many are posted as the last turns used up, because the kernel goes round in the ring:
// every posted chunk is touched in turn, and chunks that fit in the processor's cache are worth
// having. A chunk in a ring is acquired in the pool, whether or not the kernel has put bytes in it.
#ifndef COMPLETION_PORT_BACKEND_IO_URING_BUFFERS_H_
#define COMPLETION_PORT_BACKEND_IO_URING_BUFFERS_H_

#include <cstdint>

#include "backend/io_uring_ring.h"
#include "chunk_pool.h"

namespace completion_port {

class UringBuffers {
 public:
  // 0 or -errno.
  int Open(const UringRing& ring, ChunkPool* chunks);

  static std::uint16_t Group(ChunkClass chunk_class) {
    return static_cast<std::uint16_t>(chunk_class);
  }

  // Tops the rings up. Once a turn, before the kernel is entered.
  void Refill();

  // The chunk that a completion of a receive names. The caller owns it.
  std::uint32_t Take(std::uint16_t id);

  // Gives back the pages of posted chunks in rings that nothing was taken from since the last call.
  // Returns how many. Not while there are completions to read.
  std::uint32_t Trim();

  // How many the kernel will have after the next Refill. Not while there are completions to read.
  std::uint32_t Usable(ChunkClass chunk_class) const;

 private:
  // Of the pages of the posted chunks, for Trim.
  enum class Warmth : std::uint8_t {
    kWarm,     // used since the last Trim
    kCooling,  // not since then
    kCold,     // given back
  };

  struct Supply {
    UringBufferRing ring;
    ChunkClass chunk_class;
    std::uint16_t first_id = 0;
    Warmth warmth = Warmth::kCold;
    std::uint32_t least = 0;  // bounds of `target`
    std::uint32_t most = 0;
    std::uint32_t target = 0;  // how many to post
    std::uint32_t used = 0;    // since the last Refill
    std::uint32_t peak = 0;    // the most used between two Refills, lately
  };

  void Adapt(Supply& supply);
  void TopUp(Supply& supply);

  ChunkPool* chunks_ = nullptr;
  Supply supplies_[kChunkClasses];
  std::uint32_t refills_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IO_URING_BUFFERS_H_
