// What the load generator is asked to do. Everything has an upper limit, so no run lasts long.
#ifndef BENCH_LOAD_OPTIONS_H_
#define BENCH_LOAD_OPTIONS_H_

#include <cstdint>
#include <string>
#include <vector>

struct Options {
  std::string mode;
  int port = 0;
  int pid = 0;  // the server, whose CPU time is read
  int connections = 1;
  int newcomers = 0;  // storm: how many more connect while the others are busy
  int quiet = 0;      // echo: how many more are connected and send nothing
  int slow = 0;       // echo: how many more send without end and hardly read
  int size = 64;      // bytes of a message
  int depth = 1;      // messages that each connection has under way
  double rate = 0;    // > 0: so many messages a second, whatever the server does (an open loop)
  double warm = 0.3;  // seconds before the window
  double seconds = 1;
  std::uint64_t operations = 1'000'000'000;  // the window ends early after so many
  std::vector<char*> command;                // run: the program and its arguments
};

// Ends the process with a message when something is missing or out of bounds.
Options ReadOptions(int argc, char** argv);

#endif  // BENCH_LOAD_OPTIONS_H_
