// Calls of the system that fail when a test asks for it. The linker puts these in the place of the
// system's own in the test program alone (-Wl,--wrap in completion-port.gyp), so that the core has
// no place for faults in it.
#ifndef COMPLETION_PORT_TEST_FAULTS_LINUX_H_
#define COMPLETION_PORT_TEST_FAULTS_LINUX_H_

#include <cstddef>
#include <cstdint>

namespace completion_port::test {

// io_uring's three calls are told apart by their number. `allocate` is what can be refused: malloc,
// calloc, realloc, `new` that does not throw, and mmap of memory, as the core calls them; `mmap` is
// the rest of that, and `plain_new` the other `new`, of the core and of the tests.
#define COMPLETION_PORT_WRAPPED_CALLS(X) \
  X(socket)                              \
  X(bind)                                \
  X(listen)                              \
  X(accept4)                             \
  X(connect)                             \
  X(shutdown)                            \
  X(send)                                \
  X(sendmsg)                             \
  X(recv)                                \
  X(recvmsg)                             \
  X(sendfile)                            \
  X(pread)                               \
  X(setsockopt)                          \
  X(getsockopt)                          \
  X(fcntl)                               \
  X(epoll_create1)                       \
  X(epoll_ctl)                           \
  X(epoll_wait)                          \
  X(eventfd)                             \
  X(timerfd_create)                      \
  X(timerfd_settime)                     \
  X(mmap)                                \
  X(io_uring_setup)                      \
  X(io_uring_enter)                      \
  X(io_uring_register)                   \
  X(pthread_create)                      \
  X(allocate)                            \
  X(plain_new)

enum class Call : std::uint8_t {
#define COMPLETION_PORT_CALL(name) name,
  COMPLETION_PORT_WRAPPED_CALLS(COMPLETION_PORT_CALL)
#undef COMPLETION_PORT_CALL
};
const char* CallName(Call call);

// While it lives, the n-th of these calls fails, by whichever thread, without being made; and the
// `more` ones after it.
class Fault {
 public:
  Fault(Call call, std::uint32_t nth, int error, std::uint32_t more = 0);
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
  ~Fault();
  bool Struck() const;          // false: there were fewer calls
  std::uint32_t Calls() const;  // so far
};

// Of this process.
std::size_t OpenDescriptors();

// While it lives, no sendfile takes more than so many bytes.
class ShortSendfiles {
 public:
  explicit ShortSendfiles(std::size_t most);
  ShortSendfiles(const ShortSendfiles&) = delete;
  ShortSendfiles& operator=(const ShortSendfiles&) = delete;
  ~ShortSendfiles();
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_FAULTS_LINUX_H_
