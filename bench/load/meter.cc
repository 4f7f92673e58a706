#include "meter.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

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

std::uint64_t ThreadTime(int pid, int thread) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, thread);
  unsigned long long values[1] = {};
  return ReadNumbers(path, "", values) ? values[0] : 0;
}

bool IsPort(int pid, int thread) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, thread);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return false;
  char name[32] = {};
  const bool read = std::fgets(name, sizeof(name), file) != nullptr;
  std::fclose(file);
  return read && std::strncmp(name, "cport-", 6) == 0;
}

std::vector<int> FindPorts(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/task", pid);
  std::vector<int> ports;
  DIR* threads = opendir(path);
  if (threads == nullptr) return ports;
  while (const dirent* entry = readdir(threads)) {
    const int thread = std::atoi(entry->d_name);
    if (thread > 0 && IsPort(pid, thread)) ports.push_back(thread);
  }
  closedir(threads);
  return ports;
}

std::uint64_t PortsTime(int pid, const std::vector<int>& ports) {
  std::uint64_t sum = 0;
  for (const int thread : ports) sum += ThreadTime(pid, thread);
  return sum;
}

std::uint64_t PeakBytes(int pid) {
  char path[64];
  std::snprintf(path, sizeof(path), "/proc/%d/status", pid);
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return 0;
  char line[256];
  unsigned long long kilobytes = 0;
  while (kilobytes == 0 && std::fgets(line, sizeof(line), file) != nullptr) {
    std::sscanf(line, "VmHWM: %llu", &kilobytes);
  }
  std::fclose(file);
  return kilobytes * 1024;
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

Meter::Meter(int pid) : pid_(pid), ports_(FindPorts(pid)) {}

Reading Meter::Read() const {
  return {NowNs(),
          ProcessTime(pid_),
          ThreadTime(pid_, pid_),
          PortsTime(pid_, ports_),
          Used(RUSAGE_SELF) + Used(RUSAGE_CHILDREN),
          MachineTime(),
          ResidentBytes(pid_),
          PeakBytes(pid_)};
}

std::string Difference(const Reading& begin, const Reading& end) {
  const double seconds = static_cast<double>(end.at - begin.at) / kSecond;
  const auto used = [&](std::uint64_t Reading::*sum) {
    return static_cast<double>(end.*sum - begin.*sum) / kSecond;
  };
  const double process = used(&Reading::process);
  const double own = used(&Reading::own);
  const double foreign = (used(&Reading::machine) - process - own) / seconds;
  char text[400];
  std::snprintf(text, sizeof(text),
                "\"begin\":%.6f,\"seconds\":%.6f,\"cpu\":%.6f,\"cpuMain\":%.6f,\"cpuPorts\":%.6f,"
                "\"loadCores\":%.3f,\"foreignCores\":%.3f,\"residentBytes\":%llu,"
                "\"peakBytes\":%llu",
                static_cast<double>(begin.at) / kSecond, seconds, process, used(&Reading::main),
                used(&Reading::ports), own / seconds, std::max(0.0, foreign),
                static_cast<unsigned long long>(end.resident),
                static_cast<unsigned long long>(end.peak));
  return text;
}
