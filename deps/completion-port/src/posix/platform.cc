// Threads, the clock and memory, on POSIX. See os/socket.h.
#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#else
#include <pthread.h>
#endif
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

#include "os/socket.h"

namespace completion_port::os {

Error PinThisThread(int core) {
#ifdef __linux__
  if (core < 0 || core >= CPU_SETSIZE) return Error::kInvalidArgument;
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) return FromOsError(errno, Operating::kControl);
  return Error::kOk;
#else
  (void)core;
  return Error::kNotSupported;
#endif
}

void NameThisThread(const char* name) {
#ifdef __linux__
  prctl(PR_SET_NAME, name);  // takes the first 15 bytes
#elif defined(__APPLE__)
  pthread_setname_np(name);
#else
  (void)name;
#endif
}

std::uint64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000000;
}

std::uint64_t NowNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000000000 +
         static_cast<std::uint64_t>(now.tv_nsec);
}

int UsableCores() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

void DiscardPages(void* data, std::size_t bytes) {
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (begin + page - 1) & ~(page - 1);
  const std::uintptr_t last = (begin + bytes) & ~(page - 1);
  // MADV_FREE would be cheaper, but the pages would go on counting as ours until memory is short.
  if (first < last) madvise(reinterpret_cast<void*>(first), last - first, MADV_DONTNEED);
}

}  // namespace completion_port::os
