// Bytes that say where they stand: byte `offset` of stream `seed`. A lost, doubled or moved byte
// shows, and so does a byte of another stream.
#ifndef COMPLETION_PORT_TEST_PATTERN_H_
#define COMPLETION_PORT_TEST_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace completion_port::test {

// Eight bytes of the stream at once.
inline std::uint64_t PatternWord(std::uint64_t seed, std::uint64_t word) {
  std::uint64_t x = (word + 1) * 0x9e3779b97f4a7c15u ^ seed * 0xbf58476d1ce4e5b9u;
  x ^= x >> 29;
  x *= 0x94d049bb133111ebu;
  return x ^ x >> 32;
}

inline void FillPattern(std::uint64_t seed, std::uint64_t offset, std::uint8_t* out,
                        std::size_t length) {
  std::size_t done = 0;
  while (done < length) {
    const std::uint64_t word = PatternWord(seed, (offset + done) / 8);
    const std::size_t skip = (offset + done) % 8;
    const std::size_t take = length - done < 8 - skip ? length - done : 8 - skip;
    std::memcpy(out + done, reinterpret_cast<const std::uint8_t*>(&word) + skip, take);
    done += take;
  }
}

inline std::vector<std::uint8_t> PatternBytes(std::uint64_t seed, std::uint64_t offset,
                                              std::size_t length) {
  std::vector<std::uint8_t> bytes(length);
  FillPattern(seed, offset, bytes.data(), length);
  return bytes;
}

// Follows one stream from its start.
class PatternReader {
 public:
  explicit PatternReader(std::uint64_t seed = 0) : seed_(seed) {}

  // False from the first wrong byte on.
  bool Feed(const std::uint8_t* data, std::size_t length) {
    std::uint8_t expected[4096];
    for (std::size_t done = 0; done < length && right_;) {
      const std::size_t part = length - done < sizeof(expected) ? length - done : sizeof(expected);
      FillPattern(seed_, offset_, expected, part);
      right_ = std::memcmp(expected, data + done, part) == 0;
      offset_ += part;
      done += part;
    }
    return right_;
  }
  bool Feed(const std::vector<std::uint8_t>& data) { return Feed(data.data(), data.size()); }
  bool right() const { return right_; }
  std::uint64_t offset() const { return offset_; }

 private:
  std::uint64_t seed_;
  std::uint64_t offset_ = 0;
  bool right_ = true;
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_PATTERN_H_
