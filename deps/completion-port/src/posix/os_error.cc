// errno -> Error, name for name as libuv has it. POSIX needs no row keyed by the operation: one
// errno means one thing whatever was being done. Windows does (windows/os_error.cc). Where libuv
// itself turns one errno into another, the call that it does so for says it (BindListener in
// socket.cc).
#include <cerrno>

#include "completion_port/error.h"

namespace completion_port {

namespace {

struct Row {
  int os_error;
  Error error;
};

constexpr Row kRows[] = {
    {EACCES, Error::kAccessDenied},
    {EADDRINUSE, Error::kAddressInUse},
    {EADDRNOTAVAIL, Error::kAddressNotAvailable},
    {EAFNOSUPPORT, Error::kFamilyNotSupported},
    {EAGAIN, Error::kTryAgain},
    {EALREADY, Error::kAlready},
    {EBADF, Error::kBadDescriptor},
    {EBUSY, Error::kBusy},
    {ECANCELED, Error::kCanceled},
    {ECONNABORTED, Error::kConnectionAborted},
    {ECONNREFUSED, Error::kConnectionRefused},
    {ECONNRESET, Error::kConnectionReset},
    {EDESTADDRREQ, Error::kDestinationRequired},
    {EFAULT, Error::kFault},
    {EHOSTDOWN, Error::kHostDown},
    {EHOSTUNREACH, Error::kHostUnreachable},
    {EINTR, Error::kInterrupted},
    {EINVAL, Error::kInvalidArgument},
    {EIO, Error::kIo},
    {EISDIR, Error::kIsDirectory},
    {EISCONN, Error::kIsConnected},
    {ELOOP, Error::kLinkLoop},
    {EMFILE, Error::kTooManyFiles},
    {EMSGSIZE, Error::kMessageTooLong},
    {ENAMETOOLONG, Error::kNameTooLong},
    {ENETDOWN, Error::kNetworkDown},
    {ENETRESET, Error::kNetworkReset},
    {ENETUNREACH, Error::kNetworkUnreachable},
    {ENFILE, Error::kTooManyFilesInSystem},
    {ENOBUFS, Error::kNoBufferSpace},
    {ENODEV, Error::kNoDevice},
    {ENOENT, Error::kNoEntry},
    {ENOMEM, Error::kNoMemory},
    {ENOPROTOOPT, Error::kNoProtocolOption},
    {ENOSPC, Error::kNoSpace},
    {ENOSYS, Error::kNotSupported},
    {ENOTCONN, Error::kNotConnected},
    {ENOTDIR, Error::kNotDirectory},
    {ENOTSOCK, Error::kNotSocket},
    {EOPNOTSUPP, Error::kOperationNotSupported},
    {EPERM, Error::kPermissionDenied},
    {EPIPE, Error::kBrokenPipe},
    {EPROTO, Error::kProtocol},
    {EPROTONOSUPPORT, Error::kProtocolNotSupported},
    {EPROTOTYPE, Error::kWrongProtocolType},
    {EROFS, Error::kReadOnlyFileSystem},
    {ESHUTDOWN, Error::kShutDown},
    {ETIMEDOUT, Error::kTimedOut},
};

}  // namespace

Error FromOsError(int os_error, Operating /*operating*/) {
  if (os_error == 0) return Error::kOk;
  for (const Row& row : kRows) {
    if (row.os_error == os_error) return row.error;
  }
  return Error::kUnknown;
}

}  // namespace completion_port
