// Runs a program where io_uring is forbidden, as the default profiles of Docker, Kubernetes and
// gVisor do it: its three system calls fail, all others are allowed.
//
//   without-io-uring EPERM|ENOSYS PROGRAM [ARGUMENT...]
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>

namespace {

constexpr int kRefused = 125;

int Refuse(const char* what) {
  std::fprintf(stderr, "without-io-uring: %s: %s\n", what, std::strerror(errno));
  return kRefused;
}

bool Forbid(int error) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      // io_uring_setup, io_uring_enter and io_uring_register follow each other.
      BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, SYS_io_uring_setup, 0, 2),
      BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SYS_io_uring_register, 1, 0),
      BPF_STMT(BPF_RET | BPF_K,
               SECCOMP_RET_ERRNO | (static_cast<unsigned>(error) & SECCOMP_RET_DATA)),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
  return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("usage: without-io-uring EPERM|ENOSYS PROGRAM [ARGUMENT...]\n", stderr);
    return kRefused;
  }
  const int error = std::strcmp(argv[1], "ENOSYS") == 0 ? ENOSYS : EPERM;
  if (!Forbid(error)) return Refuse("seccomp");
  // A filter that lets through what it is for would prove nothing.
  if (syscall(SYS_io_uring_setup, 1, nullptr) != -1 || errno != error) {
    std::fputs("without-io-uring: io_uring is still there\n", stderr);
    return kRefused;
  }
  execvp(argv[2], argv + 2);
  return Refuse(argv[2]);
}
