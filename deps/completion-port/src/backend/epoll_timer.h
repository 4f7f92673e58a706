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

#include <cstdint>

#include "completion_port/error.h"

namespace completion_port {

class EpollTimer {
 public:
  EpollTimer() = default;
  ~EpollTimer();
  EpollTimer(const EpollTimer&) = delete;
  EpollTimer& operator=(const EpollTimer&) = delete;

  Error Open();
  int fd() const { return fd_; }

  // Fires then at the latest; one system call, or none. False: it could not be set.
  bool FireBy(std::uint64_t deadline_ns);
  bool IsSet() const { return set_to_ns_ != 0; }
  // It has fired.
  void Fired() { set_to_ns_ = 0; }

 private:
  int fd_ = -1;
  std::uint64_t set_to_ns_ = 0;  // on the clock of os::NowNs; 0: not set
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_EPOLL_TIMER_H_
