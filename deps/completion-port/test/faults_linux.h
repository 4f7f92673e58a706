// Calls of the system that fail when a test asks for it. The linker puts these in the place of the
// system's own in the test program alone (-Wl,--wrap in completion-port.gyp), so that the core has
// no place for faults in it.
#ifndef COMPLETION_PORT_TEST_FAULTS_LINUX_H_
#define COMPLETION_PORT_TEST_FAULTS_LINUX_H_

#include <cstdint>

namespace completion_port::test {

// io_uring's three calls are told apart by their number.
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
  X(pthread_create)

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
  bool Struck() const;  // false: there were fewer calls
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_FAULTS_LINUX_H_
