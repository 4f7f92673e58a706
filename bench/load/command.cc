// Another load generator below ours, with the same readings around it.
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "client.h"
#include "modes.h"
#include "print.h"

int RunCommand(const Options& options) {
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  const pid_t child = fork();
  if (child < 0) Fail("fork", errno);
  if (child == 0) {
    // It ends with us, and in time by itself: an alarm outlives exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(static_cast<unsigned>(options.seconds) + 1);
    execvp(options.command[0], options.command.data());
    Fail(options.command[0], errno);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) Fail("waitpid", errno);
  }
  Print(begin, meter.Read(), 0, 0, "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
