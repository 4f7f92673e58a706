// errno to Error, row by row: whatever was being done, one errno has one meaning.
#include <cerrno>

#include "completion_port/error.h"
#include "testing.h"

namespace completion_port::test {
namespace {

struct Row {
  int os_error;
  const char* name;
};

#define ROW(name) \
  { name, #name }
constexpr Row kRows[] = {
    ROW(EACCES),
    ROW(EADDRINUSE),
    ROW(EADDRNOTAVAIL),
    ROW(EAFNOSUPPORT),
    ROW(EAGAIN),
    ROW(EALREADY),
    ROW(EBADF),
    ROW(EBUSY),
    ROW(ECANCELED),
    ROW(ECONNABORTED),
    ROW(ECONNREFUSED),
    ROW(ECONNRESET),
    ROW(EDESTADDRREQ),
    ROW(EFAULT),
    ROW(EHOSTDOWN),
    ROW(EHOSTUNREACH),
    ROW(EINTR),
    ROW(EINVAL),
    ROW(EIO),
    ROW(EISCONN),
    ROW(EMFILE),
    ROW(EMSGSIZE),
    ROW(ENETDOWN),
    ROW(ENETRESET),
    ROW(ENETUNREACH),
    ROW(ENFILE),
    ROW(ENOBUFS),
    ROW(ENOENT),
    ROW(ENOMEM),
    ROW(ENOPROTOOPT),
    ROW(ENOSYS),
    ROW(ENOTCONN),
    ROW(ENOTSOCK),
    {EOPNOTSUPP, "ENOTSUP"},
    ROW(EPERM),
    ROW(EPIPE),
    ROW(EPROTO),
    ROW(EPROTONOSUPPORT),
    ROW(ESHUTDOWN),
    ROW(ETIMEDOUT),
    ROW(EISDIR),
    ROW(ELOOP),
    ROW(ENAMETOOLONG),
    ROW(ENOSPC),
    ROW(ENOTDIR),
    ROW(EROFS),
    ROW(EPROTOTYPE),
    ROW(ENODEV),
    {EHWPOISON, "UNKNOWN"},
    {0, "OK"},
    {9999, "UNKNOWN"},
    {-1, "UNKNOWN"},
};
#undef ROW

}  // namespace

TEST(ErrorTable) {
  for (const Operating operating :
       {Operating::kControl, Operating::kListen, Operating::kAccept, Operating::kConnect,
        Operating::kReceive, Operating::kSend, Operating::kShutdown}) {
    for (const Row& row : kRows) {
      CHECK_EQ(std::string(ErrorName(FromOsError(row.os_error, operating))), std::string(row.name));
    }
  }
}

}  // namespace completion_port::test
