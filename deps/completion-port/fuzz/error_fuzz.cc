// Any number of the system's is an error of ours with a name, whatever was being done; 0 alone is
// none.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "completion_port/error.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace cp = completion_port;
  int os_error = 0;
  if (size < sizeof os_error + 1) return 0;
  std::memcpy(&os_error, data, sizeof os_error);
  const auto operating = static_cast<cp::Operating>(data[sizeof os_error] % 7);
  const cp::Error error = cp::FromOsError(os_error, operating);
  if ((error == cp::Error::kOk) != (os_error == 0)) std::abort();
  const char* name = cp::ErrorName(error);
  if (name == nullptr || (os_error != 0 && name[0] == '\0')) std::abort();
  return 0;
}
