// Errors, named as Node names them. One table for every operating system's codes: error.cc (names),
// posix/os_error.cc and windows/os_error.cc (one row per OS code, with the operation, because one
// code of the OS can mean different things for different operations).
#ifndef COMPLETION_PORT_ERROR_H_
#define COMPLETION_PORT_ERROR_H_

#include <cstdint>

namespace completion_port {

// clang-format off
#define COMPLETION_PORT_ERRORS(X) \
  X(kAccessDenied, EACCES)            X(kAddressInUse, EADDRINUSE)          \
  X(kAddressNotAvailable, EADDRNOTAVAIL) X(kFamilyNotSupported, EAFNOSUPPORT) \
  X(kTryAgain, EAGAIN)                X(kAlready, EALREADY)                 \
  X(kBadDescriptor, EBADF)            X(kBusy, EBUSY)                       \
  X(kCanceled, ECANCELED)             X(kConnectionAborted, ECONNABORTED)   \
  X(kConnectionRefused, ECONNREFUSED) X(kConnectionReset, ECONNRESET)       \
  X(kDestinationRequired, EDESTADDRREQ) X(kFault, EFAULT)                   \
  X(kHostDown, EHOSTDOWN)             X(kHostUnreachable, EHOSTUNREACH)     \
  X(kInterrupted, EINTR)              X(kInvalidArgument, EINVAL)           \
  X(kIo, EIO)                         X(kIsConnected, EISCONN)              \
  X(kTooManyFiles, EMFILE)            X(kMessageTooLong, EMSGSIZE)          \
  X(kNetworkDown, ENETDOWN)           X(kNetworkReset, ENETRESET)           \
  X(kNetworkUnreachable, ENETUNREACH) X(kTooManyFilesInSystem, ENFILE)      \
  X(kNoBufferSpace, ENOBUFS)          X(kNoEntry, ENOENT)                   \
  X(kNoMemory, ENOMEM)                X(kNoProtocolOption, ENOPROTOOPT)     \
  X(kNotSupported, ENOSYS)            X(kNotConnected, ENOTCONN)            \
  X(kNotSocket, ENOTSOCK)             X(kOperationNotSupported, ENOTSUP)    \
  X(kPermissionDenied, EPERM)         X(kBrokenPipe, EPIPE)                 \
  X(kProtocol, EPROTO)                X(kProtocolNotSupported, EPROTONOSUPPORT) \
  X(kShutDown, ESHUTDOWN)             X(kTimedOut, ETIMEDOUT)               \
  X(kIsDirectory, EISDIR)             X(kLinkLoop, ELOOP)                   \
  X(kNameTooLong, ENAMETOOLONG)       X(kNoSpace, ENOSPC)                   \
  X(kNotDirectory, ENOTDIR)           X(kReadOnlyFileSystem, EROFS)         \
  X(kWrongProtocolType, EPROTOTYPE)   X(kNoDevice, ENODEV)                  \
  X(kEndOfFile, EOF)                                                        \
  X(kUnknown, UNKNOWN)
// clang-format on

enum class Error : std::int32_t {
  kOk = 0,
#define X(name, node) name,
  COMPLETION_PORT_ERRORS(X)
#undef X
      kCount
};

// What was being done when the OS reported an error.
enum class Operating { kControl, kListen, kAccept, kConnect, kReceive, kSend, kShutdown };

// "ECONNRESET" and so on; "OK" for kOk.
const char* ErrorName(Error error);

// errno on POSIX, GetLastError()/WSAGetLastError()/NTSTATUS-mapped on Windows.
Error FromOsError(int os_error, Operating operating);

constexpr std::int32_t ToResult(Error error) { return -static_cast<std::int32_t>(error); }

}  // namespace completion_port

#endif  // COMPLETION_PORT_ERROR_H_
