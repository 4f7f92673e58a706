// Handles of files that are sent from. See completion_port.h.
#include "completion_port/completion_port.h"
#include "os/socket.h"

namespace completion_port {

namespace {

HANDLE AsFile(std::intptr_t file) { return reinterpret_cast<HANDLE>(file); }

}  // namespace

// A new opening of the same file has a position of its own, which sending from it moves. What
// cannot be opened again, by its kind or because of who else has it open, is duplicated.
Error DuplicateFile(std::intptr_t file, std::intptr_t* duplicate) {
  constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  HANDLE copy = ReOpenFile(AsFile(file), GENERIC_READ, kShareAll, FILE_FLAG_SEQUENTIAL_SCAN);
  if (copy == INVALID_HANDLE_VALUE &&
      !DuplicateHandle(GetCurrentProcess(), AsFile(file), GetCurrentProcess(), &copy, 0, FALSE,
                       DUPLICATE_SAME_ACCESS)) {
    return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  }
  *duplicate = reinterpret_cast<std::intptr_t>(copy);
  return Error::kOk;
}

void CloseFile(std::intptr_t file) { CloseHandle(AsFile(file)); }

}  // namespace completion_port
