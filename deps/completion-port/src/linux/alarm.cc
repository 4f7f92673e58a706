// See os/alarm.h.
#include "os/alarm.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace completion_port::os {

Alarm::~Alarm() {
  if (native_ >= 0) close(static_cast<int>(native_));
}

Error Alarm::Open() {
  native_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
  return native_ < 0 ? FromOsError(errno, Operating::kControl) : Error::kOk;
}

bool Alarm::Set(std::uint32_t microseconds) {
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(microseconds / 1000000);
  when.it_value.tv_nsec = static_cast<long>(microseconds % 1000000) * 1000;
  return timerfd_settime(static_cast<int>(native_), 0, &when, nullptr) == 0;
}

void Alarm::Wait() {
  std::uint64_t rings = 0;
  while (read(static_cast<int>(native_), &rings, sizeof rings) < 0 && errno == EINTR) {
  }
}

}  // namespace completion_port::os
