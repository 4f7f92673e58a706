// Simulated scenarios of a port, by seed or from a file.
//
//   completion_port_sim --scenarios N --seed S [--from I]   those of seed S, from the Ith on
//   completion_port_sim --one SEED                          one, and what happens in it
//   completion_port_sim --script FILE [--print]             those written in a file
//
// A scenario that fails is made simpler and printed, to be kept in a file. Ends with "N passed,
// N failed".
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>

#include <unistd.h>

#include "run.h"

namespace completion_port::sim {
namespace {

constexpr unsigned kMostSeconds = 20;  // for one scenario
constexpr unsigned kMostSecondsToShrink = 120;
constexpr std::uint64_t kSpread = 1'000'000'007;
constexpr std::uint64_t kTwiceOneIn = 64;  // of which it is proved that they repeat

char running[64];  // for the handler

extern "C" void OnSignal(int signal) {
  const char* what = signal == SIGALRM ? " does not end\n" : " crashes\n";
  const char* const texts[] = {running, what};
  for (const char* text : texts) {
    if (write(STDOUT_FILENO, text, std::strlen(text)) < 0) break;
  }
  _exit(3);
}

void Announce(const std::string& which) {
  std::snprintf(running, sizeof running, "%s", which.c_str());
  alarm(kMostSeconds);
}

struct Count {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
};

void ReportFailure(Scenario scenario, const Outcome& outcome) {
  std::printf("not ok - %s: %s\n", running, outcome.violation.c_str());
  std::fflush(stdout);
  scenario.chance = outcome.chance;
  if (Replay(scenario).violation != outcome.violation) {
    std::printf("# it does not repeat\n");
    return;
  }
  alarm(kMostSecondsToShrink);
  std::printf("%s", ToText(Shrink(scenario, outcome.violation)).c_str());
  std::fflush(stdout);
}

void RunSeed(std::uint64_t seed, Count* count) {
  Announce("seed " + std::to_string(seed));
  const Scenario scenario = Generate(seed);
  Outcome outcome = Run(scenario, seed);
  if (seed % kTwiceOneIn == 0 && Run(scenario, seed).hash != outcome.hash) {
    outcome.violation = "the same seed goes another way";
  }
  if (outcome.violation.empty()) {
    ++count->passed;
    return;
  }
  ++count->failed;
  ReportFailure(scenario, outcome);
}

bool RunScript(const char* file, Print print, Count* count) {
  std::ifstream text(file);
  if (!text) return std::printf("cannot read %s\n", file), false;
  Scenario scenario;
  std::string error;
  for (int number = 1; Parse(text, &scenario, &error); ++number) {
    Announce("scenario " + std::to_string(number) + " of " + file);
    const Outcome outcome = Replay(scenario, print);
    ++(outcome.violation.empty() ? count->passed : count->failed);
    if (!outcome.violation.empty()) {
      std::printf("not ok - %s: %s\n", running, outcome.violation.c_str());
    }
  }
  if (error.empty()) return true;
  std::printf("%s\n", error.c_str());
  return false;
}

void RunOne(std::uint64_t seed, Count* count) {
  Announce("seed " + std::to_string(seed));
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // what is printed is seen if it does not end
  const Scenario scenario = Generate(seed);
  std::printf("%s", ToText(scenario).c_str());
  const Outcome outcome = Run(scenario, seed, Print::kWhatHappens);
  ++(outcome.violation.empty() ? count->passed : count->failed);
  if (!outcome.violation.empty()) ReportFailure(scenario, outcome);
}

const char* Option(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  }
  return nullptr;
}

std::uint64_t Number(const char* text, std::uint64_t otherwise) {
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

int Main(int argc, char** argv) {
  for (const int signal : {SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGALRM}) {
    std::signal(signal, OnSignal);
  }
  Count count;
  bool understood = true;
  const bool prints = std::strcmp(argv[argc - 1], "--print") == 0;
  if (const char* file = Option(argc, argv, "--script")) {
    understood = RunScript(file, prints ? Print::kWhatHappens : Print::kNothing, &count);
  } else if (const char* seed = Option(argc, argv, "--one")) {
    RunOne(Number(seed, 0), &count);
  } else {
    const std::uint64_t from = Number(Option(argc, argv, "--from"), 0);
    const std::uint64_t end = from + Number(Option(argc, argv, "--scenarios"), 1000);
    const std::uint64_t first = Number(Option(argc, argv, "--seed"), 1) * kSpread;
    for (std::uint64_t i = from; i < end && count.failed < 20; ++i) RunSeed(first + i, &count);
  }
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(count.passed),
              static_cast<unsigned long long>(count.failed));
  return understood && count.failed == 0 ? 0 : 1;
}

}  // namespace completion_port::sim

int main(int argc, char** argv) { return completion_port::sim::Main(argc, argv); }
