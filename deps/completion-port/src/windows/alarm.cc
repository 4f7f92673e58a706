// See os/alarm.h.
#include "os/alarm.h"

#include "os/socket.h"

namespace completion_port::os {

namespace {

HANDLE TimerOf(std::intptr_t native) { return reinterpret_cast<HANDLE>(native); }

// CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, which older SDK headers lack. Windows 10 version 1803 and
// later; others refuse it.
constexpr DWORD kHighResolution = 2;

// One that rings once for each time that it is set.
HANDLE CreateTimer(DWORD flags) {
  return CreateWaitableTimerExW(nullptr, nullptr, flags, SYNCHRONIZE | TIMER_MODIFY_STATE);
}

}  // namespace

Alarm::~Alarm() {
  if (native_ != -1) CloseHandle(TimerOf(native_));
}

Error Alarm::Open() {
  HANDLE timer = CreateTimer(kHighResolution);
  if (timer == nullptr) timer = CreateTimer(0);
  if (timer == nullptr) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  native_ = reinterpret_cast<std::intptr_t>(timer);
  return Error::kOk;
}

// Without high resolution it rings with a tick of the system's clock, up to 16 ms late.
bool Alarm::Set(std::uint32_t microseconds) {
  LARGE_INTEGER due;
  due.QuadPart = -static_cast<LONGLONG>(microseconds) * 10;  // in 100 ns, relative
  return SetWaitableTimer(TimerOf(native_), &due, 0, nullptr, nullptr, FALSE) != FALSE;
}

void Alarm::Wait() { WaitForSingleObject(TimerOf(native_), INFINITE); }

}  // namespace completion_port::os
