// See os/thread.h.
#include "os/thread.h"

#include <pthread.h>

namespace completion_port::os {

Error Thread::Start(void (*body)(void*), void* context) {
  body_ = body;
  context_ = context;
  const auto run = [](void* self) -> void* {
    const auto* thread = static_cast<Thread*>(self);
    thread->body_(thread->context_);
    return nullptr;
  };
  pthread_t thread;
  const int error = pthread_create(&thread, nullptr, run, this);
  if (error != 0) return FromOsError(error, Operating::kControl);
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
