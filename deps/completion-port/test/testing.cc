// The runner: one test after the other, TAP on stdout, a watchdog that ends a stuck process.
//
//   completion_port_test [--filter part-of-a-name] [--seed N] [--repeat N] [--bail]
//                        [--part I/N] [--threads] [--list]
#include "testing.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

#include "peer.h"

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CP_SANITIZED 1
#else
#define CP_SANITIZED 0
#endif

namespace completion_port::test {
namespace {

constexpr int kTestMs = 20000;

std::vector<TestCase>& Tests() {
  static std::vector<TestCase> tests;
  return tests;
}

struct RunState {
  std::mutex mutex;
  std::condition_variable changed;
  // All guarded by mutex.
  std::string failures;
  std::string skipped;
  std::string label;  // of the running test; empty: none
  std::chrono::steady_clock::time_point deadline;
  bool done = false;
  int number = 0;
  int passed = 0;
  int failed = 0;
  int skips = 0;
  std::uint64_t seed = 0;
};
RunState& State() {
  static RunState state;
  return state;
}

std::string_view BaseName(const char* file) {
  std::string_view path(file);
  return path.substr(path.find_last_of("/\\") + 1);
}

void PrintTotals() {
  RunState& state = State();
  if (state.skips != 0) std::printf("# %d skipped\n", state.skips);
  std::printf("1..%d\n%d passed, %d failed\n", state.number, state.passed, state.failed);
  std::fflush(stdout);
}

// A test that hangs cannot be unwound: say which one, and end the process.
void Watch() {
  RunState& state = State();
  std::unique_lock<std::mutex> lock(state.mutex);
  while (!state.done) {
    if (state.label.empty()) {
      state.changed.wait(lock);
    } else if (state.changed.wait_until(lock, state.deadline) == std::cv_status::timeout &&
               !state.label.empty() && std::chrono::steady_clock::now() >= state.deadline) {
      ++state.failed;
      std::printf("not ok %d - %s\n%s  # timed out\n", ++state.number, state.label.c_str(),
                  state.failures.c_str());
      PrintTotals();
      std::_Exit(1);
    }
  }
}

std::string Describe(const Setup& setup) {
  const char* const driver = !setup.SubmitterDrives() ? "thread"
                             : setup.helper           ? "submitter and helper"
                                                      : "submitter";
  return std::string(BackendName(setup.backend)) + ", " + driver;
}

bool RunsOn(const TestCase& test, const Setup& setup) {
  if (test.runs == Runs::kWithAThread) return !setup.SubmitterDrives();
  return test.runs != Runs::kWithASubmitter || setup.SubmitterDrives();
}

void RunOne(const TestCase& test, const Setup& setup) {
  RunState& state = State();
  std::string label = test.name;
  if (test.runs != Runs::kOnce) label += " # " + Describe(setup);
  {
    std::lock_guard<std::mutex> lock(state.mutex);
    state.failures.clear();
    state.skipped.clear();
    state.label = label;
    state.deadline = std::chrono::steady_clock::now() +
                     std::chrono::milliseconds(static_cast<int>(kTestMs * Slowness()));
    state.changed.notify_all();
  }
  const std::uint64_t started_ms = NowMs();
  test.run(setup);
  const std::uint64_t took_ms = NowMs() - started_ms;
  std::lock_guard<std::mutex> lock(state.mutex);
  state.label.clear();
  ++state.number;
  if (!state.failures.empty()) {
    ++state.failed;
    std::printf("not ok %d - %s\n%s", state.number, label.c_str(), state.failures.c_str());
  } else if (!state.skipped.empty()) {
    ++state.skips;
    std::printf("ok %d - %s # SKIP %s\n", state.number, label.c_str(), state.skipped.c_str());
  } else {
    ++state.passed;
    std::printf("ok %d - %s\n", state.number, label.c_str());
  }
  if (took_ms >= 500) std::printf("# %llu ms\n", static_cast<unsigned long long>(took_ms));
  std::fflush(stdout);
}

std::vector<BackendKind> UsableBackends() {
  std::vector<BackendKind> usable;
  for (const BackendKind kind : BackendCandidates()) {
    const Error error = ProbeBackend(kind);
    if (error == Error::kOk) {
      usable.push_back(kind);
    } else {
      std::printf("# %s cannot be used here: %s\n", BackendName(kind), ErrorName(error));
    }
  }
  return usable;
}

// Each backend with each driver.
std::vector<Setup> UsableSetups() {
  std::vector<Setup> setups;
  for (const BackendKind backend : UsableBackends()) {
    setups.push_back({backend, Driving::kThread, false});
    setups.push_back({backend, Driving::kSubmitter, false});
    // An io_uring belongs to one thread: nobody can help.
    if (backend != BackendKind::kIoUring) setups.push_back({backend, Driving::kSubmitter, true});
  }
  return setups;
}

std::vector<WaitingTurns*>& TurnsOfThisThread() {
  static thread_local std::vector<WaitingTurns*> turns;
  return turns;
}

}  // namespace

Registration::Registration(const TestCase& test) { Tests().push_back(test); }

void Fail(const char* file, int line, const std::string& what) {
  RunState& state = State();
  std::lock_guard<std::mutex> lock(state.mutex);
  if (state.failures.size() > 4000) return;
  state.failures +=
      "  # " + std::string(BaseName(file)) + ":" + std::to_string(line) + ": " + what + "\n";
}

bool Failed() {
  RunState& state = State();
  std::lock_guard<std::mutex> lock(state.mutex);
  return !state.failures.empty();
}

void Skip(const std::string& reason) {
  RunState& state = State();
  std::lock_guard<std::mutex> lock(state.mutex);
  state.skipped = reason;
}

std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 60)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > 60 ? "\"... (" + std::to_string(text.size()) + ")" : "\"");
}

std::uint64_t Seed() { return State().seed; }

bool UnderWine() {
#ifdef _WIN32
  static const bool is_wine =
      GetProcAddress(GetModuleHandleA("ntdll.dll"), "wine_get_version") != nullptr;
  return is_wine;
#else
  return false;
#endif
}

double Slowness() { return (CP_SANITIZED ? 3.0 : 1.0) * (UnderWine() ? 2.0 : 1.0); }

int Patience(int ms) {
  const int patience = static_cast<int>(ms * Slowness());
  return Failed() ? std::min(patience, 300) : patience;
}

std::uint64_t NowMs() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

void SleepMs(int ms) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (WaitingTurnsCount() != 0 && std::chrono::steady_clock::now() < until) {
    TakeWaitingTurns();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::this_thread::sleep_until(until);
}

void WaitingTurns::BeginTurns() { TurnsOfThisThread().push_back(this); }
void WaitingTurns::EndTurns() { std::erase(TurnsOfThisThread(), this); }
std::size_t WaitingTurnsCount() { return TurnsOfThisThread().size(); }
void TakeWaitingTurns() {
  for (WaitingTurns* turns : TurnsOfThisThread()) turns->TakeTurns();
}

static int Main(int argc, char** argv) {
  std::string_view filter;
  int repeat = 1;
  bool list = false;
  bool threads = false;
  bool bail = false;
  std::size_t part = 0;
  std::size_t parts = 1;
  State().seed = std::random_device{}();
  for (int i = 1; i < argc; ++i) {
    const std::string_view option = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--list") list = true;
    if (option == "--bail") bail = true;        // stops at the first failure
    if (option == "--threads") threads = true;  // leaves out where a port has but one
    if (option == "--filter") filter = value;
    if (option == "--seed") State().seed = std::strtoull(value, nullptr, 10);
    if (option == "--repeat") repeat = std::atoi(value);
    if (option == "--part") {  // every N-th test, from the I-th (1 to N) on
      char* rest = nullptr;
      part = std::max(std::strtoul(value, &rest, 10), 1ul) - 1;
      parts = *rest == '/' ? std::max(std::strtoul(rest + 1, nullptr, 10), 1ul) : 1;
    }
  }
  std::vector<TestCase>& tests = Tests();
  std::sort(tests.begin(), tests.end(), [](const TestCase& a, const TestCase& b) {
    const int order = std::strcmp(a.file, b.file);
    return order != 0 ? order < 0 : a.line < b.line;
  });
  if (list) {
    for (const TestCase& test : tests) std::printf("%s\n", test.name);
    return 0;
  }
  StartPeers();
  std::printf("TAP version 13\n# seed %llu\n", static_cast<unsigned long long>(Seed()));
  const std::vector<Setup> setups = UsableSetups();
  std::thread watchdog(Watch);
  for (; repeat > 0; --repeat) {
    for (std::size_t i = part; i < tests.size(); i += parts) {
      const TestCase& test = tests[i];
      if (std::string_view(test.name).find(filter) == std::string_view::npos) continue;
      if (bail && State().failed != 0) break;
      if (test.runs == Runs::kOnce) {
        RunOne(test, {});
        continue;
      }
      for (const Setup& setup : setups) {
        if (threads && setup.SubmitterDrives() && !setup.helper) continue;
        if (RunsOn(test, setup)) RunOne(test, setup);
      }
    }
  }
  RunState& state = State();
  {
    std::lock_guard<std::mutex> lock(state.mutex);
    state.done = true;
    state.changed.notify_all();
  }
  watchdog.join();
  PrintTotals();
  return state.failed > 0 || state.passed == 0 ? 1 : 0;
}

}  // namespace completion_port::test

int main(int argc, char** argv) { return completion_port::test::Main(argc, argv); }
