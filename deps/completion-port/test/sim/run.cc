// See run.h.
#include "run.h"

#include <utility>

#include "consumer.h"
#include "kernel.h"

namespace completion_port::sim {

namespace {

Outcome Run(const Scenario& scenario, Choices* choices, Print print) {
  KernelLimits limits;
  limits.window = scenario.config.window;
  limits.descriptors = scenario.config.descriptors;
  limits.fault_one_in = scenario.config.fault_one_in;
  Kernel kernel(choices, limits);
  kernel.Print(print == Print::kWhatHappens);
  {
    Consumer consumer(&kernel, scenario.config);
    for (const Step& step : scenario.steps) {
      if (!kernel.IsRight()) break;
      consumer.Do(step);
    }
    if (kernel.IsRight() && scenario.config.stops != 0) consumer.Stop();
    if (kernel.IsRight() && scenario.config.stops == 0) consumer.Finish();
    choices->CalmDown();
  }
  return {kernel.Violation(), kernel.TraceHash(), choices->Made()};
}

}  // namespace

Outcome Run(const Scenario& scenario, std::uint64_t seed, Print print) {
  Choices choices(seed);
  return Run(scenario, &choices, print);
}

Outcome Replay(const Scenario& scenario, Print print) {
  Choices choices(scenario.chance);
  return Run(scenario, &choices, print);
}

}  // namespace completion_port::sim
