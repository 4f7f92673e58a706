// The names of errors, as Node prints them in error.code.
#include "completion_port/error.h"

#include <cstddef>
#include <iterator>

namespace completion_port {

const char* ErrorName(Error error) {
  static constexpr const char* kNames[] = {"OK",
#define X(name, node) #node,
                                           COMPLETION_PORT_ERRORS(X)
#undef X
  };
  static_assert(std::size(kNames) == static_cast<std::size_t>(Error::kCount));
  const auto index = static_cast<std::size_t>(error);
  return index < std::size(kNames) ? kNames[index] : "UNKNOWN";
}

}  // namespace completion_port
