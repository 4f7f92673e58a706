// What chance decides in a scenario. Every decision of the simulated system is one number, so a
// scenario is repeated by repeating the numbers, and made simpler by making them fewer or smaller:
// 0 is always what an undisturbed system would do.
#ifndef COMPLETION_PORT_TEST_SIM_CHOICES_H_
#define COMPLETION_PORT_TEST_SIM_CHOICES_H_

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "testing.h"

namespace completion_port::sim {

class Choices {
 public:
  // Decides by chance, and keeps what was decided.
  explicit Choices(std::uint64_t seed) : random_(seed), is_replay_(false) {}
  // Decides as it was decided before; 0 where the list has ended.
  explicit Choices(std::vector<std::uint32_t> made)
      : random_(0), is_replay_(true), made_(std::move(made)) {}

  // Begins anew, by chance.
  void Restart(std::uint64_t seed) {
    random_ = test::Random(seed);
    made_.clear();
    is_calm_ = false;
  }

  // From here on everything is undisturbed.
  void CalmDown() { is_calm_ = true; }
  bool IsCalm() const { return is_calm_; }

  // Less than `limit`.
  std::uint32_t Below(std::uint32_t limit) {
    if (is_calm_ || limit < 2) return 0;
    if (is_replay_) return at_ < made_.size() ? made_[at_++] % limit : 0;
    made_.push_back(random_.Below(limit));
    return made_.back();
  }
  bool OneIn(std::uint32_t n) {
    if (is_calm_ || n == 0) return false;
    if (is_replay_) return at_ < made_.size() && made_[at_++] != 0;
    made_.push_back(random_.OneIn(n) ? 1 : 0);
    return made_.back() != 0;
  }

  const std::vector<std::uint32_t>& Made() const { return made_; }

 private:
  test::Random random_;
  const bool is_replay_;
  bool is_calm_ = false;
  std::size_t at_ = 0;
  std::vector<std::uint32_t> made_;
};

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_CHOICES_H_
