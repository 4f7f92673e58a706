// What every mode prints at its end.
#ifndef BENCH_LOAD_PRINT_H_
#define BENCH_LOAD_PRINT_H_

#include <cstdint>
#include <string>

#include "meter.h"

inline std::uint64_t In(double seconds) {
  return NowNs() + static_cast<std::uint64_t>(seconds * 1e9);
}

// One line of JSON: operations of the window and with the warm-up, the readings, and `more`.
void Print(const Reading& begin, const Reading& end, std::uint64_t operations, std::uint64_t all,
           const std::string& more);

#endif  // BENCH_LOAD_PRINT_H_
