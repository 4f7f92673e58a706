#include "faults_linux.h"

#include <linux/io_uring.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <filesystem>
#include <iterator>
#include <limits>
#include <new>

namespace completion_port::test {
namespace {

constexpr int kNoCall = -1;

// One at a time. Read by every thread that calls the system.
std::atomic<int> failing{kNoCall};
std::atomic<std::uint32_t> seen{0};
std::atomic<std::uint32_t> first{0};
std::atomic<std::uint32_t> last{0};
std::atomic<int> error_now{0};

constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
std::atomic<std::size_t> most_of_sendfile{kNoLimit};

// The error with which this call fails; 0: it is made.
int FaultOf(Call call) {
  if (failing.load() != static_cast<int>(call)) return 0;
  const std::uint32_t nth = ++seen;
  return nth >= first.load() && nth <= last.load() ? error_now.load() : 0;
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
  first.store(nth);
  last.store(nth + more);
  error_now.store(error);
  failing.store(static_cast<int>(call));
}

Fault::~Fault() { failing.store(kNoCall); }

bool Fault::Struck() const { return seen.load() >= first.load(); }

std::uint32_t Fault::Calls() const { return seen.load(); }

std::size_t OpenDescriptors() {
  const std::filesystem::directory_iterator all("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

ShortSendfiles::ShortSendfiles(std::size_t most) { most_of_sendfile.store(most); }

ShortSendfiles::~ShortSendfiles() { most_of_sendfile.store(kNoLimit); }

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
CP_WRAP_SIZE(pread, (int fd, void* bytes, size_t length, off_t offset), (fd, bytes, length, offset))
CP_WRAP_SIZE(sendfile, (int out, int in, off_t* offset, size_t length),
             (out, in, offset, std::min(length, completion_port::test::most_of_sendfile.load())))

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
  using completion_port::test::Call;
  const bool is_memory = (flags & MAP_ANONYMOUS) != 0;  // and nothing of io_uring's
  if (completion_port::test::Fails(is_memory ? Call::allocate : Call::mmap)) return MAP_FAILED;
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

// --- Memory. `new` by the names that all 64-bit systems have for it.

#define CP_WRAP_ALLOCATION(name, parameters, arguments)               \
  extern "C" void* __real_##name parameters;                          \
  extern "C" void* __wrap_##name parameters {                         \
    using completion_port::test::Call;                                \
    if (completion_port::test::Fails(Call::allocate)) return nullptr; \
    return __real_##name arguments;                                   \
  }

CP_WRAP_ALLOCATION(malloc, (size_t bytes), (bytes))
CP_WRAP_ALLOCATION(calloc, (size_t count, size_t bytes), (count, bytes))
CP_WRAP_ALLOCATION(realloc, (void* before, size_t bytes), (before, bytes))
CP_WRAP_ALLOCATION(_ZnwmRKSt9nothrow_t, (size_t bytes, const std::nothrow_t& tag), (bytes, tag))

// More than there is: it fails in earnest, and what then happens is what would.
extern "C" void* __real__Znwm(size_t bytes);
extern "C" void* __wrap__Znwm(size_t bytes) {
  const bool fails = completion_port::test::Fails(completion_port::test::Call::plain_new);
  return __real__Znwm(fails ? ~size_t{0} / 2 : bytes);
}
