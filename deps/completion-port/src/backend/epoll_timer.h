// The timer that ends a wait in epoll.
//
// A limit given to epoll_wait sets the processor's clock before each wait, and takes that back when
// something else came first. In a virtual machine both are trips to the hypervisor, and together
// they cost as much as a small message. But the same limit, or a later one, is wanted again and
// again: so the wait has none, and a timer beside it is set to the first limit of all. It is not
// touched before it has fired. Then it may have been early for the limit of the present wait, which
// nobody minds: whoever waits looks for what is due, and waits again.
#ifndef COMPLETION_PORT_BACKEND_EPOLL_TIMER_H_
#define COMPLETION_PORT_BACKEND_EPOLL_TIMER_H_

#include <algorithm>
#include <cstdint>

#include "os/alarm.h"
#include "os/socket.h"

namespace completion_port {

class EpollTimer {
 public:
  Error Open() { return alarm_.Open(); }
  int fd() const { return static_cast<int>(alarm_.native()); }

  // Fires in so many milliseconds (> 0) at the latest; one system call, or none. False: it does
  // not.
  [[nodiscard]] bool FireWithin(int timeout_ms) {
    const auto wait_ms = static_cast<std::uint32_t>(std::min(timeout_ms, kLongestMs));
    const std::uint64_t deadline_ns = os::NowNs() + wait_ms * std::uint64_t{1'000'000};
    if (IsSet() && set_to_ns_ <= deadline_ns) return true;
    if (!alarm_.Set(wait_ms * 1000)) return false;
    set_to_ns_ = deadline_ns;
    return true;
  }
  bool IsSet() const { return set_to_ns_ != 0; }
  // It has fired.
  void Fired() { set_to_ns_ = 0; }

 private:
  static constexpr int kLongestMs = 3'600'000;  // of what an alarm can be set to

  os::Alarm alarm_;
  std::uint64_t set_to_ns_ = 0;  // on the clock of os::NowNs; 0: not set
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_EPOLL_TIMER_H_
