// Windows error codes to Error, row by row, for each operation: Winsock's numbers, Win32's and the
// statuses that packets carry. The names are those that Node gives.
#define WIN32_NO_STATUS  // else winnt.h defines some statuses without a type
#include "os/socket.h"
#undef WIN32_NO_STATUS
#include <winternl.h>

// After winternl.h:
#include <ntstatus.h>

#include "testing.h"

namespace completion_port::test {
namespace {

struct Row {
  int code;
  const char* name;
};

constexpr Row kWinsock[] = {
    {0, "OK"},
    {WSAEINTR, "ECANCELED"},
    {WSAEBADF, "EBADF"},
    {WSAEACCES, "EACCES"},
    {WSAEFAULT, "EFAULT"},
    {WSAEINVAL, "EINVAL"},
    {WSAEMFILE, "EMFILE"},
    {WSAEWOULDBLOCK, "EAGAIN"},
    {WSAEALREADY, "EALREADY"},
    {WSAENOTSOCK, "ENOTSOCK"},
    {WSAEMSGSIZE, "EMSGSIZE"},
    {WSAENOPROTOOPT, "ENOPROTOOPT"},
    {WSAEPROTONOSUPPORT, "EPROTONOSUPPORT"},
    {WSAEOPNOTSUPP, "ENOTSUP"},
    {WSAEPFNOSUPPORT, "EINVAL"},
    {WSAEAFNOSUPPORT, "EAFNOSUPPORT"},
    {WSAEADDRINUSE, "EADDRINUSE"},
    {WSAEADDRNOTAVAIL, "EADDRNOTAVAIL"},
    {WSAENETDOWN, "ENETDOWN"},
    {WSAENETUNREACH, "ENETUNREACH"},
    {WSAENETRESET, "ENETRESET"},
    {WSAECONNABORTED, "ECONNABORTED"},
    {WSAECONNRESET, "ECONNRESET"},
    {WSAENOBUFS, "ENOBUFS"},
    {WSAEISCONN, "EISCONN"},
    {WSAENOTCONN, "ENOTCONN"},
    {WSAESHUTDOWN, "EPIPE"},
    {WSAETIMEDOUT, "ETIMEDOUT"},
    {WSAECONNREFUSED, "ECONNREFUSED"},
    {WSAEHOSTDOWN, "EHOSTDOWN"},
    {WSAEHOSTUNREACH, "EHOSTUNREACH"},
    {19999, "UNKNOWN"},
};

constexpr Row kWin32[] = {
    {ERROR_INVALID_HANDLE, "EBADF"},
    {ERROR_NOT_ENOUGH_MEMORY, "ENOMEM"},
    {ERROR_OUTOFMEMORY, "ENOMEM"},
    {ERROR_NO_SYSTEM_RESOURCES, "ENOBUFS"},
    {ERROR_TOO_MANY_OPEN_FILES, "EMFILE"},
    {ERROR_GEN_FAILURE, "EIO"},
    {ERROR_NOT_SUPPORTED, "ENOTSUP"},
    {ERROR_INVALID_PARAMETER, "EINVAL"},
    {ERROR_NO_DATA, "EPIPE"},
    {ERROR_PIPE_NOT_CONNECTED, "EPIPE"},
    {ERROR_BROKEN_PIPE, "EPIPE"},
    {ERROR_BAD_PIPE, "EPIPE"},
    {ERROR_PIPE_BUSY, "EBUSY"},
    {ERROR_ACCESS_DENIED, "EPERM"},
    {ERROR_FILE_NOT_FOUND, "ENOENT"},
    {ERROR_PATH_NOT_FOUND, "ENOENT"},
    {ERROR_INVALID_NAME, "ENOENT"},
    {ERROR_BAD_PATHNAME, "ENOENT"},
    {ERROR_DIRECTORY, "ENOENT"},
    {ERROR_INVALID_FUNCTION, "EISDIR"},
    {ERROR_FILENAME_EXCED_RANGE, "ENAMETOOLONG"},
    {ERROR_CANT_RESOLVE_FILENAME, "ELOOP"},
    {ERROR_WRITE_PROTECT, "EROFS"},
    {ERROR_DISK_FULL, "ENOSPC"},
    {ERROR_NETNAME_DELETED, "ECONNRESET"},  // never a clean end
    {ERROR_SEM_TIMEOUT, "ETIMEDOUT"},
    {ERROR_OPERATION_ABORTED, "ECANCELED"},
    {ERROR_CONNECTION_REFUSED, "ECONNREFUSED"},
    {ERROR_CONNECTION_ABORTED, "ECONNABORTED"},
    {ERROR_ADDRESS_ALREADY_ASSOCIATED, "EADDRINUSE"},
    {ERROR_NOT_CONNECTED, "ENOTCONN"},
    {ERROR_NETWORK_UNREACHABLE, "ENETUNREACH"},
    {ERROR_HOST_UNREACHABLE, "EHOSTUNREACH"},
    {ERROR_PORT_UNREACHABLE, "ECONNRESET"},
    {9998, "UNKNOWN"},
};

constexpr Row kStatus[] = {
    {STATUS_CANCELLED, "ECANCELED"},
    {STATUS_REQUEST_ABORTED, "ECANCELED"},
    {STATUS_INVALID_HANDLE, "ENOTSOCK"},
    {STATUS_INSUFFICIENT_RESOURCES, "ENOBUFS"},
    {STATUS_PAGEFILE_QUOTA, "ENOBUFS"},
    {STATUS_WORKING_SET_QUOTA, "ENOBUFS"},
    {STATUS_NO_MEMORY, "ENOBUFS"},
    {STATUS_QUOTA_EXCEEDED, "ENOBUFS"},
    {STATUS_REMOTE_RESOURCES, "ENOBUFS"},
    {STATUS_TOO_MANY_ADDRESSES, "EADDRINUSE"},
    {STATUS_ADDRESS_ALREADY_EXISTS, "EADDRINUSE"},
    {STATUS_IO_TIMEOUT, "ETIMEDOUT"},
    {STATUS_LINK_TIMEOUT, "ETIMEDOUT"},
    {STATUS_REMOTE_DISCONNECT, "ECONNRESET"},
    {STATUS_CONNECTION_RESET, "ECONNRESET"},
    {STATUS_CONNECTION_DISCONNECTED, "ECONNRESET"},
    {STATUS_LINK_FAILED, "ECONNRESET"},
    {STATUS_PORT_UNREACHABLE, "ECONNRESET"},
    {STATUS_LOCAL_DISCONNECT, "ECONNABORTED"},
    {STATUS_TRANSACTION_ABORTED, "ECONNABORTED"},
    {STATUS_CONNECTION_ABORTED, "ECONNABORTED"},
    {STATUS_NETWORK_UNREACHABLE, "ENETUNREACH"},
    {STATUS_PROTOCOL_UNREACHABLE, "ENETUNREACH"},
    {STATUS_HOST_UNREACHABLE, "EHOSTUNREACH"},
    {STATUS_BUFFER_OVERFLOW, "EMSGSIZE"},
    {STATUS_ACCESS_VIOLATION, "EFAULT"},
    {STATUS_REQUEST_NOT_ACCEPTED, "EAGAIN"},
    {STATUS_INVALID_CONNECTION, "ENOTCONN"},
    {STATUS_REMOTE_NOT_LISTENING, "ECONNREFUSED"},
    {STATUS_CONNECTION_REFUSED, "ECONNREFUSED"},
    {STATUS_PIPE_DISCONNECTED, "EPIPE"},
    {STATUS_PIPE_BROKEN, "EPIPE"},
    {STATUS_PIPE_CLOSING, "EPIPE"},
    {STATUS_INVALID_PIPE_STATE, "EPIPE"},
    {STATUS_INVALID_ADDRESS, "EADDRNOTAVAIL"},
    {STATUS_NOT_SUPPORTED, "ENOTSUP"},
    {STATUS_INVALID_PARAMETER, "EINVAL"},
    {STATUS_ACCESS_DENIED, "EACCES"},
    {static_cast<int>(0xC0FFFFF1u), "UNKNOWN"},
    // A Win32 number in a status's clothes.
    {static_cast<int>(0x80070000u | ERROR_NETNAME_DELETED), "ECONNRESET"},
    {static_cast<int>(0xC0070000u | WSAECONNREFUSED), "ECONNREFUSED"},
};

struct OperationRow {
  int code;
  Operating operating;
  const char* name;
};

// Where the operation decides.
constexpr OperationRow kByOperation[] = {
    {WSAECONNABORTED, Operating::kReceive, "ECONNRESET"},
    {ERROR_CONNECTION_ABORTED, Operating::kReceive, "ECONNRESET"},
    {STATUS_CONNECTION_ABORTED, Operating::kReceive, "ECONNRESET"},
    {STATUS_LOCAL_DISCONNECT, Operating::kReceive, "ECONNRESET"},
    {STATUS_TRANSACTION_ABORTED, Operating::kReceive, "ECONNRESET"},
    {STATUS_CONNECTION_ABORTED, Operating::kSend, "ECANCELED"},
    {STATUS_LOCAL_DISCONNECT, Operating::kSend, "ECANCELED"},
    {STATUS_TRANSACTION_ABORTED, Operating::kSend, "ECANCELED"},
    {ERROR_PORT_UNREACHABLE, Operating::kConnect, "ECONNREFUSED"},
    {ERROR_ACCESS_DENIED, Operating::kConnect, "EACCES"},
    {ERROR_ACCESS_DENIED, Operating::kListen, "EADDRINUSE"},
    {ERROR_PATH_NOT_FOUND, Operating::kListen, "EACCES"},
    {ERROR_INVALID_NAME, Operating::kListen, "EACCES"},
    {ERROR_ACCESS_DENIED, Operating::kReceive, "ENOTCONN"},
    {ERROR_ACCESS_DENIED, Operating::kSend, "EPIPE"},
    {STATUS_PORT_UNREACHABLE, Operating::kConnect, "ECONNREFUSED"},
};

const char* Expected(const Row& row, Operating operating) {
  for (const OperationRow& exception : kByOperation) {
    if (exception.code == row.code && exception.operating == operating) return exception.name;
  }
  return row.name;
}

template <std::size_t kRows>
void CheckRows(const Row (&rows)[kRows]) {
  for (const Operating operating :
       {Operating::kControl, Operating::kListen, Operating::kAccept, Operating::kConnect,
        Operating::kReceive, Operating::kSend, Operating::kShutdown}) {
    for (const Row& row : rows) {
      const std::string name = ErrorName(FromOsError(row.code, operating));
      if (name == Expected(row, operating)) continue;
      Fail(__FILE__, __LINE__,
           "code " + std::to_string(row.code) + " while " + Show(operating) + ": " + name +
               " is not " + Expected(row, operating));
    }
  }
}

}  // namespace

TEST(ErrorTableOfWinsock) { CheckRows(kWinsock); }
TEST(ErrorTableOfWin32) { CheckRows(kWin32); }
TEST(ErrorTableOfStatuses) { CheckRows(kStatus); }

}  // namespace completion_port::test
