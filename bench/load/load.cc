// The benchmark's load generator: one thread, epoll, loopback only, every received byte checked.
//
//   load echo|storm|churn|idle|receive|send|datagrams --port N --pid N ...
//   load run --pid N --seconds S -- PROGRAM ...
//
// See options.cc. It reads the server's CPU time itself, at the very ends of the measured window.
#include <sys/resource.h>
#include <unistd.h>

#include <string>

#include "client.h"
#include "modes.h"
#include "options.h"

int main(int argc, char** argv) {
  const Options options = ReadOptions(argc, argv);
  if (options.mode == "run") return RunCommand(options);

  // Whatever happens, it ends: the signal's default is to end the process.
  alarm(static_cast<unsigned>(options.warm + options.seconds) + 20);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (options.mode == "echo") {
    options.rate > 0 ? RunPaced(options) : RunEcho(options);
  } else if (options.mode == "storm") {
    RunStorm(options);
  } else if (options.mode == "churn") {
    RunChurn(options);
  } else if (options.mode == "idle") {
    RunIdle(options);
  } else if (options.mode == "receive") {
    RunReceive(options);
  } else if (options.mode == "send") {
    RunSend(options);
  } else if (options.mode == "datagrams") {
    RunDatagrams(options);
  } else {
    Fail("no such mode");
  }
}
