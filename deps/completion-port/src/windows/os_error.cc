// Windows error codes to ours: one row per code, most with one meaning whatever was being done, a
// few whose meaning hangs on the operation (those first).
//
// Three kinds of numbers arrive here. Winsock's (WSAE..., 10000 and up) and Win32's (ERROR_...) are
// positive; the status in an OVERLAPPED is an NTSTATUS, negative for errors. All fit in one int, so
// they share the table, and a packet's status needs no call to be translated. Which of the three it
// is says something, too: a call that fails at once gives a Winsock number, a packet a status.
//
// The table follows Node, with POSIX's word where Node knows none (it would say UNKNOWN).
#define WIN32_NO_STATUS  // else winnt.h defines some statuses without a type
#include "os/socket.h"
#undef WIN32_NO_STATUS
#include <winternl.h>

// After winternl.h:
#include <ntstatus.h>

namespace completion_port {

namespace {

struct Row {
  int code;
  Error error;
};

struct OperationRow {
  int code;
  Operating operating;
  Error error;
};

constexpr OperationRow kByOperation[] = {
    // The connection broke on our side of the wire: too many retransmissions, an address that went
    // away, or a reset that Windows had already noted. To a reader that is a reset. A send that
    // fails at once says ECONNABORTED; one that was under way has been cancelled with the rest.
    {WSAECONNABORTED, Operating::kReceive, Error::kConnectionReset},
    {ERROR_CONNECTION_ABORTED, Operating::kReceive, Error::kConnectionReset},
    {STATUS_CONNECTION_ABORTED, Operating::kReceive, Error::kConnectionReset},
    {STATUS_LOCAL_DISCONNECT, Operating::kReceive, Error::kConnectionReset},
    {STATUS_TRANSACTION_ABORTED, Operating::kReceive, Error::kConnectionReset},
    {STATUS_CONNECTION_ABORTED, Operating::kSend, Error::kCanceled},
    {STATUS_LOCAL_DISCONNECT, Operating::kSend, Error::kCanceled},
    {STATUS_TRANSACTION_ABORTED, Operating::kSend, Error::kCanceled},
    // "Port unreachable" answers a connect as RST does; later it ends a connection that existed.
    {ERROR_PORT_UNREACHABLE, Operating::kConnect, Error::kConnectionRefused},
    {STATUS_PORT_UNREACHABLE, Operating::kConnect, Error::kConnectionRefused},
    // A pipe's name that another server has, or that is none.
    {ERROR_ACCESS_DENIED, Operating::kListen, Error::kAddressInUse},
    {ERROR_PATH_NOT_FOUND, Operating::kListen, Error::kAccessDenied},
    {ERROR_INVALID_NAME, Operating::kListen, Error::kAccessDenied},
    // The server offers one direction of its pipe only.
    {ERROR_ACCESS_DENIED, Operating::kReceive, Error::kNotConnected},
    {ERROR_ACCESS_DENIED, Operating::kSend, Error::kBrokenPipe},
    // A firewall's refusal, which Winsock itself calls WSAEACCES.
    {ERROR_ACCESS_DENIED, Operating::kConnect, Error::kAccessDenied},
};

constexpr Row kWinsock[] = {
    {WSAEINTR, Error::kCanceled},
    {WSAEBADF, Error::kBadDescriptor},
    {WSAEACCES, Error::kAccessDenied},
    {WSAEFAULT, Error::kFault},
    {WSAEINVAL, Error::kInvalidArgument},
    {WSAEMFILE, Error::kTooManyFiles},
    {WSAEWOULDBLOCK, Error::kTryAgain},
    {WSAEINPROGRESS, Error::kAlready},
    {WSAEALREADY, Error::kAlready},
    {WSAENOTSOCK, Error::kNotSocket},
    {WSAEDESTADDRREQ, Error::kDestinationRequired},
    {WSAEMSGSIZE, Error::kMessageTooLong},
    {WSAENOPROTOOPT, Error::kNoProtocolOption},
    {WSAEPROTONOSUPPORT, Error::kProtocolNotSupported},
    {WSAEOPNOTSUPP, Error::kOperationNotSupported},
    {WSAEPFNOSUPPORT, Error::kInvalidArgument},
    {WSAEAFNOSUPPORT, Error::kFamilyNotSupported},
    {WSAEADDRINUSE, Error::kAddressInUse},
    {WSAEADDRNOTAVAIL, Error::kAddressNotAvailable},
    {WSAENETDOWN, Error::kNetworkDown},
    {WSAENETUNREACH, Error::kNetworkUnreachable},
    {WSAENETRESET, Error::kNetworkReset},
    {WSAECONNABORTED, Error::kConnectionAborted},
    {WSAECONNRESET, Error::kConnectionReset},
    {WSAENOBUFS, Error::kNoBufferSpace},
    {WSAEISCONN, Error::kIsConnected},
    {WSAENOTCONN, Error::kNotConnected},
    {WSAESHUTDOWN, Error::kBrokenPipe},
    {WSAETIMEDOUT, Error::kTimedOut},
    {WSAECONNREFUSED, Error::kConnectionRefused},
    {WSAEHOSTDOWN, Error::kHostDown},
    {WSAEHOSTUNREACH, Error::kHostUnreachable},
    {WSAEPROCLIM, Error::kTooManyFiles},
    {WSASYSNOTREADY, Error::kNetworkDown},
    {WSAVERNOTSUPPORTED, Error::kNotSupported},
    {WSANOTINITIALISED, Error::kNetworkDown},
    {WSAEPROVIDERFAILEDINIT, Error::kNotSupported},
};

constexpr Row kWin32[] = {
    {ERROR_ACCESS_DENIED, Error::kPermissionDenied},
    {ERROR_PRIVILEGE_NOT_HELD, Error::kPermissionDenied},
    {ERROR_INVALID_HANDLE, Error::kBadDescriptor},
    {ERROR_INVALID_FLAGS, Error::kBadDescriptor},
    {ERROR_NOT_ENOUGH_MEMORY, Error::kNoMemory},
    {ERROR_OUTOFMEMORY, Error::kNoMemory},
    {ERROR_COMMITMENT_LIMIT, Error::kNoMemory},
    {ERROR_NO_SYSTEM_RESOURCES, Error::kNoBufferSpace},
    {ERROR_NONPAGED_SYSTEM_RESOURCES, Error::kNoBufferSpace},
    {ERROR_WORKING_SET_QUOTA, Error::kNoBufferSpace},
    {ERROR_TOO_MANY_OPEN_FILES, Error::kTooManyFiles},
    {ERROR_GEN_FAILURE, Error::kIo},
    {ERROR_IO_DEVICE, Error::kIo},
    {ERROR_NOT_SUPPORTED, Error::kOperationNotSupported},
    {ERROR_INVALID_PARAMETER, Error::kInvalidArgument},
    {ERROR_INSUFFICIENT_BUFFER, Error::kInvalidArgument},
    {ERROR_BROKEN_PIPE, Error::kBrokenPipe},
    {ERROR_NO_DATA, Error::kBrokenPipe},
    {ERROR_BAD_PIPE, Error::kBrokenPipe},
    {ERROR_PIPE_NOT_CONNECTED, Error::kBrokenPipe},
    {ERROR_PIPE_BUSY, Error::kBusy},
    {ERROR_SHARING_VIOLATION, Error::kBusy},
    {ERROR_FILE_NOT_FOUND, Error::kNoEntry},
    {ERROR_PATH_NOT_FOUND, Error::kNoEntry},
    {ERROR_INVALID_NAME, Error::kNoEntry},
    {ERROR_INVALID_DRIVE, Error::kNoEntry},
    {ERROR_BAD_PATHNAME, Error::kNoEntry},
    {ERROR_DIRECTORY, Error::kNoEntry},
    {ERROR_INVALID_FUNCTION, Error::kIsDirectory},
    {ERROR_FILENAME_EXCED_RANGE, Error::kNameTooLong},
    {ERROR_CANT_RESOLVE_FILENAME, Error::kLinkLoop},
    {ERROR_WRITE_PROTECT, Error::kReadOnlyFileSystem},
    {ERROR_DISK_FULL, Error::kNoSpace},
    {ERROR_NOACCESS, Error::kFault},
    // A peer's RST, under a name that sounds like an orderly farewell. It is an error.
    {ERROR_NETNAME_DELETED, Error::kConnectionReset},
    {ERROR_SEM_TIMEOUT, Error::kTimedOut},
    {WAIT_TIMEOUT, Error::kTimedOut},
    {ERROR_OPERATION_ABORTED, Error::kCanceled},
    {ERROR_CONNECTION_REFUSED, Error::kConnectionRefused},
    {ERROR_CONNECTION_ABORTED, Error::kConnectionAborted},
    {ERROR_GRACEFUL_DISCONNECT, Error::kConnectionReset},
    {ERROR_ADDRESS_ALREADY_ASSOCIATED, Error::kAddressInUse},
    {ERROR_CONNECTION_INVALID, Error::kNotConnected},
    {ERROR_NOT_CONNECTED, Error::kNotConnected},
    {ERROR_NETWORK_UNREACHABLE, Error::kNetworkUnreachable},
    {ERROR_PROTOCOL_UNREACHABLE, Error::kNetworkUnreachable},
    {ERROR_HOST_UNREACHABLE, Error::kHostUnreachable},
    {ERROR_HOST_DOWN, Error::kHostDown},
    {ERROR_PORT_UNREACHABLE, Error::kConnectionReset},
};

constexpr Row kStatus[] = {
    {STATUS_CANCELLED, Error::kCanceled},
    {STATUS_REQUEST_ABORTED, Error::kCanceled},
    {STATUS_INVALID_HANDLE, Error::kNotSocket},
    {STATUS_OBJECT_TYPE_MISMATCH, Error::kNotSocket},
    {STATUS_INSUFFICIENT_RESOURCES, Error::kNoBufferSpace},
    {STATUS_PAGEFILE_QUOTA, Error::kNoBufferSpace},
    {STATUS_COMMITMENT_LIMIT, Error::kNoBufferSpace},
    {STATUS_WORKING_SET_QUOTA, Error::kNoBufferSpace},
    {STATUS_NO_MEMORY, Error::kNoBufferSpace},
    {STATUS_QUOTA_EXCEEDED, Error::kNoBufferSpace},
    {STATUS_REMOTE_RESOURCES, Error::kNoBufferSpace},
    {STATUS_TOO_MANY_OPENED_FILES, Error::kTooManyFiles},
    {STATUS_TOO_MANY_ADDRESSES, Error::kAddressInUse},
    {STATUS_SHARING_VIOLATION, Error::kAddressInUse},
    {STATUS_ADDRESS_ALREADY_EXISTS, Error::kAddressInUse},
    {STATUS_ADDRESS_ALREADY_ASSOCIATED, Error::kAddressInUse},
    {STATUS_LINK_TIMEOUT, Error::kTimedOut},
    {STATUS_IO_TIMEOUT, Error::kTimedOut},
    {STATUS_GRACEFUL_DISCONNECT, Error::kConnectionReset},
    {STATUS_REMOTE_DISCONNECT, Error::kConnectionReset},
    {STATUS_CONNECTION_RESET, Error::kConnectionReset},
    {STATUS_LINK_FAILED, Error::kConnectionReset},
    {STATUS_CONNECTION_DISCONNECTED, Error::kConnectionReset},
    {STATUS_HOPLIMIT_EXCEEDED, Error::kConnectionReset},
    {STATUS_PORT_UNREACHABLE, Error::kConnectionReset},
    {STATUS_LOCAL_DISCONNECT, Error::kConnectionAborted},
    {STATUS_TRANSACTION_ABORTED, Error::kConnectionAborted},
    {STATUS_CONNECTION_ABORTED, Error::kConnectionAborted},
    {STATUS_BAD_NETWORK_PATH, Error::kNetworkUnreachable},
    {STATUS_NETWORK_UNREACHABLE, Error::kNetworkUnreachable},
    {STATUS_PROTOCOL_UNREACHABLE, Error::kNetworkUnreachable},
    {STATUS_HOST_UNREACHABLE, Error::kHostUnreachable},
    {STATUS_HOST_DOWN, Error::kHostDown},
    {STATUS_BUFFER_OVERFLOW, Error::kMessageTooLong},
    {STATUS_INVALID_BUFFER_SIZE, Error::kMessageTooLong},
    {STATUS_BUFFER_TOO_SMALL, Error::kFault},
    {STATUS_ACCESS_VIOLATION, Error::kFault},
    {STATUS_DEVICE_NOT_READY, Error::kTryAgain},
    {STATUS_REQUEST_NOT_ACCEPTED, Error::kTryAgain},
    {STATUS_INVALID_NETWORK_RESPONSE, Error::kNetworkDown},
    {STATUS_NETWORK_BUSY, Error::kNetworkDown},
    {STATUS_NO_SUCH_DEVICE, Error::kNetworkDown},
    {STATUS_NO_SUCH_FILE, Error::kNetworkDown},
    {STATUS_OBJECT_PATH_NOT_FOUND, Error::kNetworkDown},
    {STATUS_OBJECT_NAME_NOT_FOUND, Error::kNetworkDown},
    {STATUS_UNEXPECTED_NETWORK_ERROR, Error::kNetworkDown},
    {STATUS_INVALID_CONNECTION, Error::kNotConnected},
    {STATUS_CONNECTION_INVALID, Error::kNotConnected},
    {STATUS_REMOTE_NOT_LISTENING, Error::kConnectionRefused},
    {STATUS_CONNECTION_REFUSED, Error::kConnectionRefused},
    {STATUS_PIPE_DISCONNECTED, Error::kBrokenPipe},
    {STATUS_PIPE_BROKEN, Error::kBrokenPipe},
    {STATUS_PIPE_CLOSING, Error::kBrokenPipe},
    {STATUS_INVALID_PIPE_STATE, Error::kBrokenPipe},
    {STATUS_CONFLICTING_ADDRESSES, Error::kAddressNotAvailable},
    {STATUS_INVALID_ADDRESS, Error::kAddressNotAvailable},
    {STATUS_INVALID_ADDRESS_COMPONENT, Error::kAddressNotAvailable},
    {STATUS_NOT_SUPPORTED, Error::kOperationNotSupported},
    {STATUS_NOT_IMPLEMENTED, Error::kOperationNotSupported},
    {STATUS_INVALID_PARAMETER, Error::kInvalidArgument},
    {STATUS_ACCESS_DENIED, Error::kAccessDenied},
};

template <std::size_t kRows>
Error Find(const Row (&rows)[kRows], int code) {
  for (const Row& row : rows) {
    if (row.code == code) return row.error;
  }
  return Error::kUnknown;
}

// A Win32 error in the clothes of a status (facility 7): 0xC007xxxx or 0x8007xxxx.
constexpr bool IsWrappedWin32(int code) {
  return (static_cast<unsigned>(code) & 0x9fff0000u) == 0x80070000u;
}

}  // namespace

Error FromOsError(int os_error, Operating operating) {
  if (os_error == 0) return Error::kOk;
  if (IsWrappedWin32(os_error)) os_error &= 0xffff;
  for (const OperationRow& row : kByOperation) {
    if (row.code == os_error && row.operating == operating) return row.error;
  }
  if (os_error < 0) return Find(kStatus, os_error);
  return os_error >= WSABASEERR ? Find(kWinsock, os_error) : Find(kWin32, os_error);
}

}  // namespace completion_port
