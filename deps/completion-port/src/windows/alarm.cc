// See os/alarm.h.
#include "os/alarm.h"

#include "os/socket.h"

namespace completion_port::os {

namespace {
HANDLE TimerOf(std::intptr_t native) { return reinterpret_cast<HANDLE>(native); }
}  // namespace

Alarm::~Alarm() {
  if (native_ != -1) CloseHandle(TimerOf(native_));
}

Error Alarm::Open() {
  const HANDLE timer = CreateWaitableTimerW(nullptr, FALSE, nullptr);
  if (timer == nullptr) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  native_ = reinterpret_cast<std::intptr_t>(timer);
  return Error::kOk;
}

// Rings with a tick of the system's clock: up to 16 ms late.
void Alarm::Set(std::uint32_t microseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -static_cast<LONGLONG>(microseconds) * 10;  // in 100 ns, relative
  SetWaitableTimer(TimerOf(native_), &due, 0, nullptr, nullptr, FALSE);
}

void Alarm::Wait() { WaitForSingleObject(TimerOf(native_), INFINITE); }

}  // namespace completion_port::os
