// Sends: what waits in the queue of a connection leaves with one gathering WSASend.
#include <algorithm>
#include <cassert>

#include "backend/iocp_backend.h"
#include "backend/iocp_pipe.h"

namespace completion_port {

namespace {

constexpr DWORD kGather = 64;

// Of a file that is shorter than what was asked of it, as a packet says it.
constexpr int kStatusEndOfFile = static_cast<int>(0xC0000011);

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
    if (from->IsFile()) break;
    const std::uint32_t bytes = std::min(from->length, limit);
    out[count].buf = reinterpret_cast<CHAR*>(const_cast<std::uint8_t*>(from->data));
    out[count].len = bytes;
    limit -= bytes;
    ++count;
  }
  return count;
}

// --- Files

// A workstation has two of these calls under way and lets others wait, so that each must end soon;
// and enough to keep a long fast line full.
constexpr std::uint32_t kTransmittedBytes = 4 * 1024 * 1024;

// What is sent with the front of the queue by one TransmitFile.
struct Transmission {
  const SendBuffer* head = nullptr;
  const SendBuffer* file = nullptr;  // null: the front has none
  const SendBuffer* tail = nullptr;
};

const SendBuffer* FirstNotEmpty(const SendBuffer* from, const SendBuffer* end) {
  return std::find_if(from, end, [](const SendBuffer& buffer) { return buffer.length != 0; });
}

// The system takes one buffer before the file and one behind it.
Transmission FrontOf(const SendQueue& sends) {
  const auto fits = [&](const SendBuffer* buffer) {
    return buffer != sends.end() && !buffer->IsFile() && buffer->length <= kFrugalSendBytes;
  };
  Transmission front;
  const SendBuffer* next = FirstNotEmpty(sends.begin(), sends.end());
  if (fits(next)) {
    front.head = next;
    next = FirstNotEmpty(next + 1, sends.end());
  }
  if (next == sends.end() || !next->IsFile()) return {};
  front.file = next;
  next = FirstNotEmpty(next + 1, sends.end());
  if (fits(next)) front.tail = next;
  return front;
}

std::uint64_t SizeOf(const SendBuffer& piece) {
  LARGE_INTEGER size{};
  // Where it has none to tell, sending from it says what is wrong.
  if (!GetFileSizeEx(reinterpret_cast<HANDLE>(piece.file), &size)) return ~std::uint64_t{0};
  return static_cast<std::uint64_t>(size.QuadPart);
}

void Put(const SendBuffer* buffer, PVOID* data, DWORD* length) {
  if (buffer == nullptr) return;
  *data = const_cast<std::uint8_t*>(buffer->data);
  *length = buffer->length;
}

}  // namespace

void IocpBackend::SubmitSend(Connection& connection) {
  assert(connection.send.state == OperationState::kIdle);
  connection.send.kind = OperationKind::kSend;
  connection.send.state = OperationState::kSubmitted;
  if (IsPipe(connection)) return SubmitPipeSend(connection);
  if (SubmitFile(connection)) return;
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

// False where the front of the queue has no file. What is asked of one that is shorter meanwhile
// the system may take for an error, of the head too: so it is asked for what there is.
bool IocpBackend::SubmitFile(Connection& connection) {
  const Transmission front = FrontOf(connection.sends);
  if (front.file == nullptr) return false;
  const SendBuffer& piece = *front.file;
  const std::uint64_t size = SizeOf(piece);
  CountCall();
  if (piece.offset >= size) {
    if (front.head != nullptr) return false;  // which goes by itself
    ready_.Add(Ready{&connection.send, 0, 0});
    return true;
  }
  const std::uint64_t there = size - piece.offset;
  const auto bytes =
      static_cast<DWORD>(std::min<std::uint64_t>(there, std::min(piece.length, kTransmittedBytes)));
  TRANSMIT_FILE_BUFFERS& around = connection.iocp.around_file;
  around = {};
  Put(front.head, &around.Head, &around.HeadLength);
  if (bytes == piece.length) Put(front.tail, &around.Tail, &around.TailLength);
  OVERLAPPED& overlapped = connection.send.overlapped;
  overlapped = OVERLAPPED{};
  overlapped.Offset = static_cast<DWORD>(piece.offset);
  overlapped.OffsetHigh = static_cast<DWORD>(piece.offset >> 32);
  const bool done = transmit_file_(connection.socket, reinterpret_cast<HANDLE>(piece.file), bytes,
                                   0, &overlapped, &around, 0) != FALSE;
  int os_error = done ? 0 : WSAGetLastError();
  if (os_error == WSAENOTCONN) os_error = WSAECONNRESET;  // it was connected
  DWORD sent = 0;
  if (done) {
    DWORD flags = 0;
    WSAGetOverlappedResult(connection.socket, &overlapped, &sent, FALSE, &flags);
  }
  Issued(connection.send, connection.iocp.notification, done, os_error, sent);
  return true;
}

void IocpBackend::FinishSend(Connection& connection, int os_error, DWORD bytes) {
  connection.send.state = OperationState::kIdle;
  const bool has_ended = os_error == ERROR_HANDLE_EOF || os_error == kStatusEndOfFile;
  if (has_ended && FrontOf(connection.sends).file != nullptr) {
    return events_->OnSend(connection, 0);
  }
  events_->OnSend(connection, os_error == 0 ? static_cast<std::int32_t>(bytes)
                                            : ToResult(FromOsError(os_error, Operating::kSend)));
}

}  // namespace completion_port
