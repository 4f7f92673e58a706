// Handles of files that are sent from. See completion_port.h.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "completion_port/completion_port.h"

namespace completion_port {

Error DuplicateFile(std::intptr_t file, std::intptr_t* duplicate) {
  const int copy = fcntl(static_cast<int>(file), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return FromOsError(errno, Operating::kControl);
  *duplicate = copy;
  return Error::kOk;
}

void CloseFile(std::intptr_t file) { close(static_cast<int>(file)); }

}  // namespace completion_port
