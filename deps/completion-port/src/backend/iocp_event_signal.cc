// See iocp_event_signal.h.
#include "backend/iocp_event_signal.h"

namespace completion_port {

IocpEventSignal::~IocpEventSignal() {
  if (wait_ != nullptr) UnregisterWaitEx(wait_, INVALID_HANDLE_VALUE);
  if (event_ != nullptr) CloseHandle(event_);
}

int IocpEventSignal::Open(HANDLE port, OVERLAPPED* overlapped) {
  port_ = port;
  overlapped_ = overlapped;
  // Reset by the wait itself, so that one wait serves every call.
  event_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
  if (event_ == nullptr) return static_cast<int>(GetLastError());
  if (!RegisterWaitForSingleObject(&wait_, event_, Post, this, INFINITE, WT_EXECUTEINWAITTHREAD)) {
    wait_ = nullptr;
    return static_cast<int>(GetLastError());
  }
  return 0;
}

// The packet needs a little kernel memory, and must not be lost: its operation would never end.
VOID CALLBACK IocpEventSignal::Post(PVOID signal, BOOLEAN) {
  const auto& self = *static_cast<const IocpEventSignal*>(signal);
  while (!PostQueuedCompletionStatus(self.port_, 0, 0, self.overlapped_)) Sleep(1);
}

}  // namespace completion_port
