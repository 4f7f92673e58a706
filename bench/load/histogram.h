// Latencies in buckets 1.6 % wide or less: 64 for each power of two.
#ifndef BENCH_LOAD_HISTOGRAM_H_
#define BENCH_LOAD_HISTOGRAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

class Histogram {
 public:
  void Add(std::uint64_t value) {
    ++buckets_[BucketOf(value)];
    ++count_;
  }
  std::uint64_t Count() const { return count_; }

  // The lower end of the bucket that holds this share of all values.
  std::uint64_t Quantile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      seen += buckets_[bucket];
      if (seen > rank) return LowerEnd(bucket);
    }
    return 0;
  }

  // As members of a JSON object, in microseconds. `quantiles` is what a picture needs.
  std::string Json() const {
    std::string text = "\"p50\":" + Micros(0.5) + ",\"p99\":" + Micros(0.99) +
                       ",\"p999\":" + Micros(0.999) + ",\"quantiles\":[";
    const char* comma = "";
    for (const char* share : {"0", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95", "0.98", "0.99",
                              "0.995", "0.998", "0.999", "0.9995", "0.9999"}) {
      text += std::string(comma) + "[" + share + "," + Micros(std::stod(share)) + "]";
      comma = ",";
    }
    return text + "]";
  }

 private:
  std::string Micros(double share) const {
    return std::to_string(static_cast<double>(Quantile(share)) / 1e3);
  }

  static constexpr int kBits = 6;
  static constexpr std::uint64_t kPart = 1u << kBits;

  // Values below 64 have a bucket each; above, the six bits after the leading one tell.
  static std::size_t BucketOf(std::uint64_t value) {
    if (value < kPart) return static_cast<std::size_t>(value);
    const int shift = 63 - __builtin_clzll(value) - kBits;
    const std::uint64_t part = (value >> shift) - kPart;
    return static_cast<std::size_t>(kPart * static_cast<std::uint64_t>(shift + 1) + part);
  }
  static std::uint64_t LowerEnd(std::size_t bucket) {
    if (bucket < kPart) return bucket;
    return (kPart + bucket % kPart) << (bucket / kPart - 1);
  }

  std::vector<std::uint64_t> buckets_ = std::vector<std::uint64_t>(kPart * (64 - kBits + 1));
  std::uint64_t count_ = 0;
};

#endif  // BENCH_LOAD_HISTOGRAM_H_
