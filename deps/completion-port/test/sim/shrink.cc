// Makes a failing scenario simpler, as long as it fails in the same way. See run.h.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "run.h"

namespace completion_port::sim {

namespace {

constexpr int kMostTries = 800;

class Shrinker {
 public:
  Shrinker(const Scenario& failing, std::string violation)
      : best_(failing), violation_(std::move(violation)) {}

  Scenario Shrink() {
    bool any = true;
    while (any && tries_ < kMostTries) {
      any = false;
      any |= RemoveRuns(&Scenario::steps);
      any |= RemoveRuns(&Scenario::chance);
      any |= Calm();
      any |= SimplifyConfig();
      any |= SimplifySteps();
    }
    return best_;
  }

 private:
  bool Try(const Scenario& simpler) {
    if (++tries_ > kMostTries || Replay(simpler).violation != violation_) return false;
    best_ = simpler;
    return true;
  }

  // From long runs to single ones.
  template <typename Item>
  bool RemoveRuns(std::vector<Item> Scenario::*list) {
    bool any = false;
    for (std::size_t length = (best_.*list).size(); length != 0; length /= 2) {
      for (std::size_t at = 0; at < (best_.*list).size();) {
        Scenario simpler = best_;
        auto& items = simpler.*list;
        const auto from = items.begin() + static_cast<std::ptrdiff_t>(at);
        const auto to = from + static_cast<std::ptrdiff_t>(std::min(length, items.size() - at));
        items.erase(from, to);
        if (Try(simpler)) {
          any = true;
        } else {
          at += length;
        }
      }
    }
    return any;
  }

  bool Calm() {
    bool any = false;
    for (std::size_t i = 0; i < best_.chance.size(); ++i) {
      if (best_.chance[i] == 0) continue;
      Scenario simpler = best_;
      simpler.chance[i] = 0;
      any |= Try(simpler);
    }
    return any;
  }

  bool SimplifyConfig() {
    bool any = false;
#define X(name, usual)                \
  if (best_.config.name != (usual)) { \
    Scenario simpler = best_;         \
    simpler.config.name = usual;      \
    any |= Try(simpler);              \
  }
    COMPLETION_PORT_SIM_SETUP(X)
#undef X
    return any;
  }

  bool SimplifySteps() {
    bool any = false;
    for (std::size_t i = 0; i < best_.steps.size(); ++i) {
      for (std::uint32_t Step::*word : {&Step::a, &Step::b, &Step::c}) {
        for (const std::uint32_t smaller : {0u, 1u, best_.steps[i].*word / 2}) {
          if (smaller >= best_.steps[i].*word) continue;
          Scenario simpler = best_;
          simpler.steps[i].*word = smaller;
          if (!Try(simpler)) continue;
          any = true;
          break;
        }
      }
    }
    return any;
  }

  Scenario best_;
  const std::string violation_;
  int tries_ = 0;
};

}  // namespace

Scenario Shrink(const Scenario& failing, const std::string& violation) {
  return Shrinker(failing, violation).Shrink();
}

}  // namespace completion_port::sim
