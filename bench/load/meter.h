// Reads, at both ends of a window, how much CPU time the server has used, and the machine.
#ifndef BENCH_LOAD_METER_H_
#define BENCH_LOAD_METER_H_

#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

std::uint64_t NowNs();

// The sums up to now, in nanoseconds.
struct Reading {
  std::uint64_t at;
  std::uint64_t process;   // all threads of the server, exact
  std::uint64_t main;      // its main thread, that is JavaScript, exact
  std::uint64_t ports;     // its threads named cport-*, that is our I/O threads, exact
  std::uint64_t own;       // this process and the children it has waited for
  std::uint64_t machine;   // everything on all cores, in clock ticks
  std::uint64_t resident;  // bytes of the server in memory
  std::uint64_t peak;      // the most there ever were
};

class Meter {
 public:
  // Looks for the ports' threads, once: among thousands it takes too long within a window.
  explicit Meter(int pid);

  Reading Read() const;

 private:
  int pid_;
  std::vector<int> ports_;
};

// The difference as members of a JSON object, without braces. `foreign` is how many cores were used
// by anything that is neither the server nor the load.
std::string Difference(const Reading& begin, const Reading& end);

#endif  // BENCH_LOAD_METER_H_
