// What the echo servers have in common: a listener on loopback, told on standard output, and
// an end that comes by itself.
#ifndef BENCH_PEERS_PEER_H_
#define BENCH_PEERS_PEER_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

[[noreturn]] inline void Fail(const char* what, int error) {
  std::fprintf(stderr, "peer: %s: %s\n", what, std::strerror(error));
  std::exit(1);
}

inline void SetNoDelay(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// What a receive has room for, in bytes.
constexpr std::size_t kReceiveBytes = 64 * 1024;

// Prints "port N" when it listens.
inline int Listen() {
  // Nobody waits for it longer than that, and it does not outlive who started it.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  alarm(120);
  signal(SIGPIPE, SIG_IGN);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (fd < 0 || bind(fd, generic, size) != 0 || listen(fd, 4096) != 0 ||
      getsockname(fd, generic, &size) != 0) {
    Fail("listen", errno);
  }
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

#endif  // BENCH_PEERS_PEER_H_
