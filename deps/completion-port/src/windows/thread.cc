// See os/thread.h.
#include "os/thread.h"

#include <process.h>

#include <memory>

#include "os/socket.h"

namespace completion_port::os {

namespace {

struct Call {
  void (*body)(void*);
  void* context;
};

unsigned __stdcall Run(void* argument) {
  const std::unique_ptr<Call> call(static_cast<Call*>(argument));
  call->body(call->context);
  return 0;
}

}  // namespace

// _beginthreadex and not CreateThread: the body uses the C runtime.
Error Thread::Start(void (*body)(void*), void* context) {
  auto call = std::make_unique<Call>(Call{body, context});
  native_ = _beginthreadex(nullptr, 0, Run, call.get(), 0, nullptr);
  if (native_ == 0) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  call.release();  // the thread's from here
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
