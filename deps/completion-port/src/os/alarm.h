// A clock that one thread sets, and that another, or a queue of the system's, waits for. Setting it
// does not wake anybody before its time, which is the point: whoever turns out not to need the
// other thread has not disturbed it. Implemented by linux/alarm.cc and windows/alarm.cc.
#ifndef COMPLETION_PORT_OS_ALARM_H_
#define COMPLETION_PORT_OS_ALARM_H_

#include <cstdint>

#include "completion_port/error.h"

namespace completion_port::os {

class Alarm {
 public:
  Alarm() = default;
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  Error Open();
  // Rings once, `microseconds` (> 0) from now. One system call. Any thread. False: the system has
  // refused it, and it rings when it would have without the call.
  [[nodiscard]] bool Set(std::uint32_t microseconds);
  // Until it rings; for ever where it is not set.
  void Wait();
  // The timer's descriptor or HANDLE, for a queue to wait for; this object's to close.
  std::intptr_t native() const { return native_; }

 private:
  std::intptr_t native_ = -1;
};

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_ALARM_H_
