// The clock of a simulated process, loaded before the C library (LD_PRELOAD). The main thread sees
// time stand still from the start of the process on, until the addon tells whose clock counts. So
// libuv's timers, performance.now() and Date go by the simulated system's time, and what a process
// does is the same each time it runs. Other threads see the time that it is.
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>

#define SHOWN __attribute__((visibility("default")))

namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kEpochSeconds = 1'800'000'000;  // of Date, when the clock shows 0
constexpr std::uint64_t kStandingNs = kSecondNs;        // kFirstNs of kernel.h

// Of the main thread, which is the one that loads this file.
thread_local const std::uint64_t* clock_ns = nullptr;

__attribute__((constructor)) void StandStill() { clock_ns = &kStandingNs; }

bool IsOfTheDay(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE; }

bool IsSimulated(clockid_t id) {
  return clock_ns != nullptr &&
         (IsOfTheDay(id) || id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE ||
          id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME);
}

}  // namespace

extern "C" {

// From here on the calling thread goes by that.
SHOWN void iocp_net_simulated_clock(const std::uint64_t* now_ns) { clock_ns = now_ns; }

SHOWN int clock_gettime(clockid_t id, struct timespec* out) {
  if (!IsSimulated(id)) return static_cast<int>(syscall(SYS_clock_gettime, id, out));
  const std::uint64_t first = IsOfTheDay(id) ? kEpochSeconds : 0;
  out->tv_sec = static_cast<time_t>(first + *clock_ns / kSecondNs);
  out->tv_nsec = static_cast<long>(*clock_ns % kSecondNs);
  return 0;
}

SHOWN int gettimeofday(struct timeval* out, void*) {
  struct timespec now;
  const int failed = clock_gettime(CLOCK_REALTIME, &now);
  out->tv_sec = now.tv_sec;
  out->tv_usec = now.tv_nsec / 1000;
  return failed;
}

}  // extern "C"
