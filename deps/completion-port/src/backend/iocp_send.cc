// Sends: what waits in the queue of a connection leaves with one gathering WSASend.
#include <algorithm>
#include <cassert>

#include "backend/iocp_backend.h"
#include "backend/iocp_pipe.h"

namespace completion_port {

namespace {

constexpr DWORD kGather = 64;

// The kernel locks what it cannot copy until the peer has acknowledged it. Enough to keep a long
// fast line full, and a bound for the rest.
constexpr std::uint32_t kSendBytes = 16 * 1024 * 1024;
// When that much cannot be locked, what the socket's own buffer is likely to have room for.
constexpr std::uint32_t kFrugalSendBytes = 64 * 1024;

// The WSABUFs of the front of the queue, at most `limit` bytes in all. Returns how many.
DWORD Gather(const SendQueue& sends, std::uint32_t limit, WSABUF* out) {
  DWORD count = 0;
  for (const SendBuffer* from = sends.begin(); from != sends.end(); ++from) {
    if (count == kGather || limit == 0) break;
    if (from->length == 0) continue;
    const std::uint32_t bytes = std::min(from->length, limit);
    out[count].buf = reinterpret_cast<CHAR*>(const_cast<std::uint8_t*>(from->data));
    out[count].len = bytes;
    limit -= bytes;
    ++count;
  }
  return count;
}

}  // namespace

void IocpBackend::SubmitSend(Connection& connection) {
  assert(connection.send.state == OperationState::kIdle);
  connection.send.kind = OperationKind::kSend;
  connection.send.state = OperationState::kSubmitted;
  if (IsPipe(connection)) return SubmitPipeSend(connection);
  if (connection.receive_side != ReceiveSide::kOpen && SendAtOnce(connection)) return;
  WSABUF buffers[kGather];  // read before the call returns; only the bytes are the kernel's longer
  DWORD bytes = 0;
  bool done = false;
  int os_error = 0;
  for (const std::uint32_t limit : {kSendBytes, kFrugalSendBytes}) {
    const DWORD count = Gather(connection.sends, limit, buffers);
    connection.send.overlapped = OVERLAPPED{};
    done = WSASend(connection.socket, buffers, count, &bytes, 0, &connection.send.overlapped,
                   nullptr) == 0;
    os_error = done ? 0 : WSAGetLastError();
    if (os_error != WSAENOBUFS || limit == kFrugalSendBytes) break;
    CountCall();
  }
  Issued(connection.send, connection.iocp.notification, done, os_error, bytes);
}

// What goes without waiting, by the return value alone; false: nothing now. To a peer that has
// ended its side and may be gone: the first bytes can cause its reset, and Wine loses a send that a
// reset meets while it is issued (docs/windows.md). As libuv begins its sends.
bool IocpBackend::SendAtOnce(Connection& connection) {
  WSABUF buffers[kGather];
  const DWORD count = Gather(connection.sends, kFrugalSendBytes, buffers);
  DWORD bytes = 0;
  const bool done = WSASend(connection.socket, buffers, count, &bytes, 0, nullptr, nullptr) == 0;
  const int os_error = done ? 0 : WSAGetLastError();
  if (os_error == WSAEWOULDBLOCK) {
    CountCall();
    return false;
  }
  Issued(connection.send, Notification::kSkippedOnSuccess, done, os_error, bytes);
  return true;
}

void IocpBackend::FinishSend(Connection& connection, int os_error, DWORD bytes) {
  connection.send.state = OperationState::kIdle;
  events_->OnSend(connection, os_error == 0 ? static_cast<std::int32_t>(bytes)
                                            : ToResult(FromOsError(os_error, Operating::kSend)));
}

}  // namespace completion_port
