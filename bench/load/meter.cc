#include "meter.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

std::uint64_t Nanoseconds(const timespec& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
         static_cast<std::uint64_t>(time.tv_nsec);
}

std::uint64_t Nanoseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * kSecond +
         static_cast<std::uint64_t>(time.tv_usec) * 1000;
}

std::uint64_t Used(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return Nanoseconds(usage.ru_utime) + Nanoseconds(usage.ru_stime);
}

std::uint64_t ProcessTime(int pid) {
  clockid_t clock{};
  timespec time{};
  if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &time) != 0) {
    std::fprintf(stderr, "load: the server (process %d) is gone\n", pid);
    std::exit(1);
  }
  return Nanoseconds(time);
}

// Whole numbers at the start of a file under /proc, after an optional word.
template <std::size_t kCount>
bool ReadNumbers(const char* path, const char* word, unsigned long long (&values)[kCount]) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  bool complete = std::fscanf(file, word) >= 0;
  for (auto& value : values) complete = complete && std::fscanf(file, "%llu", &value) == 1;
  std::fclose(file);
  return complete;
}

std::uint64_t MainThreadTime(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, pid);
  unsigned long long values[1] = {};
  return ReadNumbers(path, "", values) ? values[0] : 0;
}

std::uint64_t MachineTime() {
  // user nice system idle iowait irq softirq steal
  unsigned long long ticks[8] = {};
  if (!ReadNumbers("/proc/stat", "cpu", ticks)) return 0;
  const auto busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  return busy * (kSecond / static_cast<unsigned long long>(sysconf(_SC_CLK_TCK)));
}

std::uint64_t ResidentBytes(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/statm", pid);
  unsigned long long pages[2] = {};
  if (!ReadNumbers(path, "", pages)) return 0;
  return pages[1] * static_cast<unsigned long long>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t NowNs() {
  timespec time{};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return Nanoseconds(time);
}

Reading Meter::Read() const {
  return {NowNs(),
          ProcessTime(pid_),
          MainThreadTime(pid_),
          Used(RUSAGE_SELF) + Used(RUSAGE_CHILDREN),
          MachineTime(),
          ResidentBytes(pid_)};
}

std::string Difference(const Reading& begin, const Reading& end) {
  const double seconds = static_cast<double>(end.at - begin.at) / kSecond;
  const auto used = [&](std::uint64_t Reading::*sum) {
    return static_cast<double>(end.*sum - begin.*sum) / kSecond;
  };
  const double process = used(&Reading::process);
  const double own = used(&Reading::own);
  const double foreign = (used(&Reading::machine) - process - own) / seconds;
  char text[320];
  std::snprintf(text, sizeof(text),
                "\"begin\":%.6f,\"seconds\":%.6f,\"cpu\":%.6f,\"cpuMain\":%.6f,\"loadCores\":%.3f,"
                "\"foreignCores\":%.3f,\"residentBytes\":%llu",
                static_cast<double>(begin.at) / kSecond, seconds, process, used(&Reading::main),
                own / seconds, std::max(0.0, foreign),
                static_cast<unsigned long long>(end.resident));
  return text;
}
