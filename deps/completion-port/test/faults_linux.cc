#include "faults_linux.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>

namespace completion_port::test {
namespace {

constexpr int kNoCall = -1;

// One at a time. Read by every thread that calls the system.
std::atomic<int> failing{kNoCall};
std::atomic<std::uint32_t> seen{0};
std::uint32_t first = 0;  // these two are set before `failing`
std::uint32_t last = 0;
int error_now = 0;

// The error with which this call fails; 0: it is made.
int FaultOf(Call call) {
  if (failing.load() != static_cast<int>(call)) return 0;
  const std::uint32_t nth = ++seen;
  return nth >= first && nth <= last ? error_now : 0;
}

bool Fails(Call call) {
  const int error = FaultOf(call);
  if (error != 0) errno = error;
  return error != 0;
}

}  // namespace

const char* CallName(Call call) {
  switch (call) {
#define COMPLETION_PORT_CALL(name) \
  case Call::name:                 \
    return #name;
    COMPLETION_PORT_WRAPPED_CALLS(COMPLETION_PORT_CALL)
#undef COMPLETION_PORT_CALL
  }
  return "?";
}

Fault::Fault(Call call, std::uint32_t nth, int error, std::uint32_t more) {
  seen.store(0);
  first = nth;
  last = nth + more;
  error_now = error;
  failing.store(static_cast<int>(call));
}

Fault::~Fault() { failing.store(kNoCall); }

bool Fault::Struck() const { return seen.load() >= first; }

}  // namespace completion_port::test

// The names that the linker gives to both sides.
#define CP_WRAP_RETURNING(type, name, parameters, arguments) \
  extern "C" type __real_##name parameters;                  \
  extern "C" type __wrap_##name parameters {                 \
    using completion_port::test::Call;                       \
    if (completion_port::test::Fails(Call::name)) return -1; \
    return __real_##name arguments;                          \
  }
#define CP_WRAP(name, parameters, arguments) CP_WRAP_RETURNING(int, name, parameters, arguments)
#define CP_WRAP_SIZE(name, parameters, arguments) \
  CP_WRAP_RETURNING(ssize_t, name, parameters, arguments)

CP_WRAP(socket, (int family, int type, int protocol), (family, type, protocol))
CP_WRAP(bind, (int fd, const sockaddr* address, socklen_t length), (fd, address, length))
CP_WRAP(listen, (int fd, int backlog), (fd, backlog))
CP_WRAP(accept4, (int fd, sockaddr* address, socklen_t* length, int flags),
        (fd, address, length, flags))
CP_WRAP(connect, (int fd, const sockaddr* address, socklen_t length), (fd, address, length))
CP_WRAP(shutdown, (int fd, int how), (fd, how))
CP_WRAP(setsockopt, (int fd, int level, int name, const void* value, socklen_t length),
        (fd, level, name, value, length))
CP_WRAP(getsockopt, (int fd, int level, int name, void* value, socklen_t* length),
        (fd, level, name, value, length))
CP_WRAP(epoll_create1, (int flags), (flags))
CP_WRAP(epoll_ctl, (int fd, int operation, int other, epoll_event* event),
        (fd, operation, other, event))
CP_WRAP(epoll_wait, (int fd, epoll_event* events, int count, int timeout_ms),
        (fd, events, count, timeout_ms))
CP_WRAP(eventfd, (unsigned value, int flags), (value, flags))
CP_WRAP(timerfd_create, (int clock, int flags), (clock, flags))
CP_WRAP(timerfd_settime, (int fd, int flags, const itimerspec* value, itimerspec* before),
        (fd, flags, value, before))
CP_WRAP_SIZE(send, (int fd, const void* bytes, size_t length, int flags),
             (fd, bytes, length, flags))
CP_WRAP_SIZE(sendmsg, (int fd, const msghdr* message, int flags), (fd, message, flags))
CP_WRAP_SIZE(recv, (int fd, void* bytes, size_t length, int flags), (fd, bytes, length, flags))
CP_WRAP_SIZE(recvmsg, (int fd, msghdr* message, int flags), (fd, message, flags))

// Every caller of ours gives one more argument, or none, which is then not looked at.
extern "C" int __real_fcntl(int fd, int command, ...);
extern "C" int __wrap_fcntl(int fd, int command, ...) {
  if (completion_port::test::Fails(completion_port::test::Call::fcntl)) return -1;
  va_list rest;
  va_start(rest, command);
  const auto argument = va_arg(rest, long);
  va_end(rest);
  return __real_fcntl(fd, command, argument);
}

extern "C" void* __real_mmap(void* at, size_t length, int access, int flags, int fd, off_t offset);
extern "C" void* __wrap_mmap(void* at, size_t length, int access, int flags, int fd, off_t offset) {
  if (completion_port::test::Fails(completion_port::test::Call::mmap)) return MAP_FAILED;
  return __real_mmap(at, length, access, flags, fd, offset);
}

extern "C" int __real_pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                     void* (*run)(void*), void* argument);
extern "C" int __wrap_pthread_create(pthread_t* thread, const pthread_attr_t* attributes,
                                     void* (*run)(void*), void* argument) {
  const int error = completion_port::test::FaultOf(completion_port::test::Call::pthread_create);
  return error != 0 ? error : __real_pthread_create(thread, attributes, run, argument);
}

extern "C" long __real_syscall(long number, ...);
extern "C" long __wrap_syscall(long number, ...) {
  using completion_port::test::Call;
  using completion_port::test::Fails;
  if (number == __NR_io_uring_setup && Fails(Call::io_uring_setup)) return -1;
  if (number == __NR_io_uring_enter && Fails(Call::io_uring_enter)) return -1;
  if (number == __NR_io_uring_register && Fails(Call::io_uring_register)) return -1;
  long arguments[6];
  va_list rest;
  va_start(rest, number);
  for (long& argument : arguments) argument = va_arg(rest, long);
  va_end(rest);
  return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                        arguments[4], arguments[5]);
}
