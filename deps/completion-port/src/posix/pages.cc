// Memory from the system, on POSIX.
#include "completion_port/pages.h"

#include <sys/mman.h>

namespace completion_port {

bool Pages::Allocate(std::size_t bytes) {
  Free();
  void* const data =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return false;
  data_ = data;
  bytes_ = bytes;
  return true;
}

void Pages::Free() {
  if (data_ != nullptr) munmap(data_, bytes_);
  Abandon();
}

}  // namespace completion_port
