// See epoll_timer.h.
#include "backend/epoll_timer.h"

#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>

namespace completion_port {

namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

EpollTimer::~EpollTimer() {
  if (fd_ >= 0) close(fd_);
}

Error EpollTimer::Open() {
  fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  return fd_ < 0 ? FromOsError(errno, Operating::kControl) : Error::kOk;
}

bool EpollTimer::FireBy(std::uint64_t deadline_ns) {
  if (set_to_ns_ != 0 && set_to_ns_ <= deadline_ns) return true;
  itimerspec when{};
  when.it_value.tv_sec = static_cast<time_t>(deadline_ns / kNsPerSecond);
  when.it_value.tv_nsec = static_cast<long>(deadline_ns % kNsPerSecond);
  if (timerfd_settime(fd_, TFD_TIMER_ABSTIME, &when, nullptr) != 0) return false;
  set_to_ns_ = deadline_ns;
  return true;
}

}  // namespace completion_port
