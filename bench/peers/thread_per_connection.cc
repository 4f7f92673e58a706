// An echo server with a thread for each connection, which waits in recv() and sends what came: what
// one writes without a completion port. Its argument is the size of the threads' stacks in KiB.
//
// Where the system gives no further thread it says how many there are, and closes the connection.
#include <fcntl.h>
#include <pthread.h>

#include <atomic>

#include "peer.h"

namespace {

std::atomic<int> threads{0};

bool SendAll(int fd, const char* bytes, std::size_t length) {
  while (length > 0) {
    const ssize_t taken = send(fd, bytes, length, 0);
    if (taken < 0) return false;
    bytes += taken;
    length -= static_cast<std::size_t>(taken);
  }
  return true;
}

// The descriptor comes as the pointer itself: for memory of its own malloc() would reserve an arena
// of 64 MiB in many a thread, and these would use up the address space before the stacks do.
void* Serve(void* argument) {
  const int fd = static_cast<int>(reinterpret_cast<std::intptr_t>(argument));
  SetNoDelay(fd);
  char buffer[kReceiveBytes];
  for (;;) {
    const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
    if (got <= 0 || !SendAll(fd, buffer, static_cast<std::size_t>(got))) break;
  }
  close(fd);
  --threads;
  return nullptr;
}

class Server {
 public:
  explicit Server(std::size_t stack_bytes) {
    pthread_attr_init(&attributes_);
    pthread_attr_setdetachstate(&attributes_, PTHREAD_CREATE_DETACHED);
    const int error = pthread_attr_setstacksize(&attributes_, stack_bytes);
    if (error != 0) Fail("the size of the stacks", error);
  }

  [[noreturn]] void Run() {
    const int listener = Listen();
    fcntl(listener, F_SETFL, 0);  // accept() waits here
    for (;;) {
      const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd >= 0) {
        Start(fd);
      } else if (errno != ECONNABORTED && errno != EINTR) {
        Fail("accept", errno);
      }
    }
  }

 private:
  void Start(int fd) {
    ++threads;
    pthread_t thread{};
    void* const argument = reinterpret_cast<void*>(static_cast<std::intptr_t>(fd));
    const int error = pthread_create(&thread, &attributes_, Serve, argument);
    if (error == 0) return;
    const int there_are = --threads;
    close(fd);
    if (has_said_) return;
    has_said_ = true;
    std::printf("out of threads after %d: %s\n", there_are, std::strerror(error));
    std::fflush(stdout);
  }

  pthread_attr_t attributes_{};
  bool has_said_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  const int kibibytes = argc > 1 ? std::atoi(argv[1]) : 1024;
  Server(static_cast<std::size_t>(kibibytes) * 1024).Run();
}
