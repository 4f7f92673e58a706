// See os/thread.h.
#include "os/thread.h"

#include <pthread.h>

#include <memory>

namespace completion_port::os {

namespace {

struct Call {
  void (*body)(void*);
  void* context;
};

void* Run(void* argument) {
  const std::unique_ptr<Call> call(static_cast<Call*>(argument));
  call->body(call->context);
  return nullptr;
}

}  // namespace

Error Thread::Start(void (*body)(void*), void* context) {
  auto call = std::make_unique<Call>(Call{body, context});
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, Run, call.get());
  if (error != 0) return FromOsError(error, Operating::kControl);
  call.release();  // the thread's from here
  native_ = reinterpret_cast<std::uintptr_t>(reinterpret_cast<void*>(thread));
  started_ = true;
  return Error::kOk;
}

void Thread::Join() {
  if (!started_) return;
  pthread_join(reinterpret_cast<pthread_t>(reinterpret_cast<void*>(native_)), nullptr);
  started_ = false;
}

}  // namespace completion_port::os
