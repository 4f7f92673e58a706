// See os/thread.h.
#include "os/thread.h"

#include <process.h>

#include "os/socket.h"

namespace completion_port::os {

// _beginthreadex and not CreateThread: the body uses the C runtime.
Error Thread::Start(void (*body)(void*), void* context) {
  body_ = body;
  context_ = context;
  using Run = unsigned(__stdcall*)(void*);
  const Run run = [](void* self) -> unsigned {
    const auto* thread = static_cast<Thread*>(self);
    thread->body_(thread->context_);
    return 0;
  };
  native_ = _beginthreadex(nullptr, 0, run, this, 0, nullptr);
  if (native_ == 0) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  started_ = true;
  return Error::kOk;
}

void Thread::Join() {
  if (!started_) return;
  const HANDLE thread = reinterpret_cast<HANDLE>(native_);
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
  started_ = false;
}

}  // namespace completion_port::os
