// Memory from the system, on Windows.
#include "completion_port/pages.h"

#include <windows.h>

namespace completion_port {

bool Pages::Allocate(std::size_t bytes) {
  Free();
  data_ = VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
  bytes_ = data_ == nullptr ? 0 : bytes;
  return data_ != nullptr;
}

void Pages::Free() {
  if (data_ != nullptr) VirtualFree(data_, 0, MEM_RELEASE);
  Abandon();
}

}  // namespace completion_port
