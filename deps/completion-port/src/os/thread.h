// A thread whose start can fail: std::thread answers a refusal with an exception, and nothing
// native may throw. Implemented by posix/thread.cc and windows/thread.cc.
#ifndef COMPLETION_PORT_OS_THREAD_H_
#define COMPLETION_PORT_OS_THREAD_H_

#include <cstdint>

#include "completion_port/error.h"

namespace completion_port::os {

class Thread {
 public:
  Thread() = default;
  ~Thread() { Join(); }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // Runs body(context) on a new thread. kTryAgain and the like where the system has none to give.
  Error Start(void (*body)(void*), void* context);
  bool IsStarted() const { return started_; }
  // Waits for the body to return. Idempotent.
  void Join();

 private:
  // The thread's, from its start to its end.
  void (*body_)(void*) = nullptr;
  void* context_ = nullptr;
  std::uintptr_t native_ = 0;
  bool started_ = false;
};

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_OS_THREAD_H_
