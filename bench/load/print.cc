#include "print.h"

#include <cstdio>

void Print(const Reading& begin, const Reading& end, std::uint64_t operations, std::uint64_t all,
           const std::string& more) {
  std::printf("{\"operations\":%llu,\"allOperations\":%llu,%s%s%s}\n",
              static_cast<unsigned long long>(operations), static_cast<unsigned long long>(all),
              Difference(begin, end).c_str(), more.empty() ? "" : ",", more.c_str());
}
