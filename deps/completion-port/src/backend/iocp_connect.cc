// Connects, by ConnectEx: the overlapped connect, which wants a bound socket and leaves behind one
// that does not know its own state until it is told (SO_UPDATE_CONNECT_CONTEXT).
#include <cassert>
#include <cstring>

#include "backend/iocp_backend.h"
#include "backend/iocp_pipe.h"
#include "os/sockaddr.h"

// After winsock2.h:
#include <mstcpip.h>

namespace completion_port {

namespace {

// An unspecified address means this machine, as it does on POSIX and in Node. Windows refuses it.
Address ConnectTarget(const Address& remote) {
  const std::uint8_t unspecified[16] = {};
  Address target = remote;
  if (std::memcmp(remote.bytes, unspecified, remote.family == Family::kIpv4 ? 4 : 16) != 0) {
    return target;
  }
  if (remote.family == Family::kIpv4) target.bytes[0] = 127;
  if (target.family == Family::kIpv4) target.bytes[3] = 1;
  if (target.family == Family::kIpv6) target.bytes[15] = 1;
  return target;
}

bool IsLoopback(const Address& address) {
  if (address.family == Family::kIpv4) return address.bytes[0] == 127;
  const std::uint8_t loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::memcmp(address.bytes, loopback, sizeof(loopback)) == 0;
}

// Windows repeats a refused SYN for two seconds before it reports the refusal. On the loopback
// nothing is lost on the way, so once is enough, as in Node. A refusal of the option is harmless.
void FailAtOnce(SOCKET socket) {
  TCP_INITIAL_RTO_PARAMETERS parameters;
  parameters.Rtt = TCP_INITIAL_RTO_UNSPECIFIED_RTT;
  parameters.MaxSynRetransmissions = TCP_INITIAL_RTO_NO_SYN_RETRANSMISSIONS;
  DWORD bytes = 0;
  WSAIoctl(socket, SIO_TCP_INITIAL_RTO, &parameters, sizeof(parameters), nullptr, 0, &bytes,
           nullptr, nullptr);
}

}  // namespace

// 0 or a WSA error.
int IocpBackend::PrepareForConnectEx(const Connection& connection, const Address& remote) {
  if (can_fail_loopback_fast_ && IsLoopback(remote)) {
    FailAtOnce(connection.socket);
    CountCall();
  }
  Address any;
  any.family = remote.family;
  sockaddr_storage local;
  const int length = static_cast<int>(os::ToSockaddr(any, &local));
  CountCall();
  if (bind(connection.socket, reinterpret_cast<const sockaddr*>(&local), length) == 0) return 0;
  // WSAEINVAL: bound already, because the submitter asked for a local address.
  const int os_error = WSAGetLastError();
  return os_error == WSAEINVAL ? 0 : os_error;
}

void IocpBackend::SubmitConnect(Connection& connection) {
  if (IsPipe(connection)) return SubmitPipeConnect(connection);
  Operation& operation = connection.send;
  assert(operation.state == OperationState::kIdle);
  operation.kind = OperationKind::kConnect;
  operation.state = OperationState::kSubmitted;
  operation.overlapped = OVERLAPPED{};
  const Address remote = ConnectTarget(*connection.remote);
  const int os_error = PrepareForConnectEx(connection, remote);
  if (os_error != 0) {
    ready_.Add(Ready{&operation, os_error, 0});
    return;
  }
  sockaddr_storage to;
  const int length = static_cast<int>(os::ToSockaddr(remote, &to));
  DWORD bytes = 0;
  const bool done = connect_ex_(connection.socket, reinterpret_cast<const sockaddr*>(&to), length,
                                nullptr, 0, &bytes, &operation.overlapped) != FALSE;
  Issued(operation, connection.iocp.notification, done, done ? 0 : WSAGetLastError(), bytes);
}

void IocpBackend::FinishConnect(Connection& connection, int os_error) {
  if (IsPipe(connection)) return FinishPipeConnect(connection, os_error);
  if (os_error == 0) {
    // Without it the socket refuses shutdown, getpeername and more.
    if (setsockopt(connection.socket, SOL_SOCKET, SO_UPDATE_CONNECT_CONTEXT, nullptr, 0) != 0) {
      os_error = WSAGetLastError();
    }
    CountCall();
  }
  connection.send.state = OperationState::kIdle;
  events_->OnConnect(connection,
                     os_error == 0 ? Error::kOk : FromOsError(os_error, Operating::kConnect));
}

}  // namespace completion_port
