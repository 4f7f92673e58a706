// Runs scenarios, and makes one that fails simpler.
#ifndef COMPLETION_PORT_TEST_SIM_RUN_H_
#define COMPLETION_PORT_TEST_SIM_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "scenario.h"

namespace completion_port::sim {

struct Outcome {
  std::string violation;   // empty: all was right
  std::uint64_t hash = 0;  // of everything that happened
  std::vector<std::uint32_t> chance;
};

enum class Print : std::uint8_t { kNothing, kWhatHappens };

// Chance decides by the seed.
Outcome Run(const Scenario& scenario, std::uint64_t seed, Print print = Print::kNothing);
// ... or as it is written in the scenario.
Outcome Replay(const Scenario& scenario, Print print = Print::kNothing);

// One that fails in the same way with fewer steps, less chance and smaller numbers.
Scenario Shrink(const Scenario& failing, const std::string& violation);

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_RUN_H_
