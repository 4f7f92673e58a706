// Receives: with a chunk or without, and how a connection's past decides between the two.
//
//                    zero-byte receive           chunk receive
//   memory held      none                        one chunk, locked, until bytes arrive
//   calls            two (wait, then fetch)      one
//   for              quiet connections           busy ones, as long as the quarter lasts
#include <cassert>

#include "backend/iocp_backend.h"
#include "backend/iocp_pipe.h"

namespace completion_port {

namespace {

// Two receives no further apart than this make a connection busy: some ten messages a second, or
// the pace of a few thousand connections that keep the port full. The share below bounds the cost.
constexpr std::uint32_t kBusyGapMs = 100;

// At most one chunk in so many may wait with the OS. The rest is for bytes that have arrived.
constexpr std::uint32_t kPostedShare = 4;

// kNoBufferSpace is the contract's word for "no free chunk"; the kernel's want of memory is another
// matter, and waiting for a chunk would not end it.
Error ReceiveError(int os_error) {
  const Error error = FromOsError(os_error, Operating::kReceive);
  return error == Error::kNoBufferSpace ? Error::kNoMemory : error;
}

// STATUS_BUFFER_OVERFLOW, a warning: the message goes on in the next receive.
constexpr int kPartOfMessage = static_cast<int>(0x80000005u);

bool IsEndOfPipe(int os_error) {
  constexpr int kPipeBroken = static_cast<int>(0xC000014Bu);  // STATUS_PIPE_BROKEN
  return os_error == ERROR_BROKEN_PIPE || os_error == kPipeBroken;
}

WSABUF BufferOf(std::uint8_t* data, std::uint32_t bytes) {
  WSABUF buffer;
  buffer.buf = reinterpret_cast<CHAR*>(data);
  buffer.len = bytes;
  return buffer;
}

}  // namespace

void IocpBackend::SubmitReceive(Connection& connection, ChunkClass chunk_class) {
  assert(connection.receive.state == OperationState::kIdle);
  connection.receive.kind = OperationKind::kReceive;
  connection.receive.state = OperationState::kSubmitted;
  if (IsPipe(connection)) AwaitSilence(connection);
  if (connection.iocp.busy && PostChunk(connection, chunk_class)) return;
  PostZeroByte(connection);
}

void IocpBackend::SubmitReadable(Connection& connection) {
  assert(connection.receive.state == OperationState::kIdle);
  connection.receive.kind = OperationKind::kReadable;
  connection.receive.state = OperationState::kSubmitted;
  PostZeroByte(connection);
}

void IocpBackend::FinishReadable(Connection& connection, int os_error) {
  const bool cancelled = connection.receive.state == OperationState::kCancelling;
  connection.receive.state = OperationState::kIdle;
  if (cancelled) return events_->OnReceive(connection, ToResult(Error::kCanceled), kNoChunk);
  events_->OnReadable(connection, os_error == 0 ? Error::kOk : ReceiveError(os_error));
}

// False if this connection has to do with a zero-byte receive.
bool IocpBackend::PostChunk(Connection& connection, ChunkClass chunk_class) {
  const std::uint32_t posted = posted_chunks_[Index(chunk_class)];
  if ((posted + 1) * kPostedShare > chunks_->Total(chunk_class)) return false;
  const std::uint32_t chunk = chunks_->Acquire(chunk_class);
  if (chunk == kNoChunk) return false;
  StartChunk(connection, chunk);
  return true;
}

void IocpBackend::StartChunk(Connection& connection, std::uint32_t chunk) {
  const ChunkClass chunk_class = chunks_->ClassOf(chunk);
  ++posted_chunks_[Index(chunk_class)];
  connection.posted_chunk = chunk;
  // TCP may hold a partly filled receive back until a segment with PSH arrives. That is right for
  // bulk and wrong for a message.
  const DWORD flags = chunk_class == ChunkClass::kSmall ? MSG_PUSH_IMMEDIATE : 0;
  StartReceive(connection, chunks_->Data(chunk), chunks_->Bytes(chunk), flags);
}

void IocpBackend::PostZeroByte(Connection& connection) {
  std::uint8_t nothing = 0;
  StartReceive(connection, &nothing, 0, 0);
}

void IocpBackend::StartReceive(Connection& connection, std::uint8_t* data, std::uint32_t length,
                               DWORD flags) {
  connection.receive.overlapped = OVERLAPPED{};
  DWORD bytes = 0;
  if (IsPipe(connection)) {
    const bool done = ReadFile(os::AsHandle(connection.socket), data, length, &bytes,
                               &connection.receive.overlapped) != FALSE;
    const DWORD os_error = done ? DWORD{ERROR_SUCCESS} : GetLastError();
    // Part of a message is a warning, not a failure: its packet comes.
    const bool pends = os_error == ERROR_MORE_DATA;
    return Issued(connection.receive, connection.iocp.notification, done,
                  pends ? ERROR_IO_PENDING : static_cast<int>(os_error), bytes);
  }
  WSABUF buffer = BufferOf(data, length);
  const bool done = WSARecv(connection.socket, &buffer, 1, &bytes, &flags,
                            &connection.receive.overlapped, nullptr) == 0;
  Issued(connection.receive, connection.iocp.notification, done, done ? 0 : WSAGetLastError(),
         bytes);
}

void IocpBackend::FinishReceive(Connection& connection, int os_error, DWORD bytes) {
  const std::uint32_t chunk = connection.posted_chunk;
  connection.posted_chunk = kNoChunk;
  if (chunk != kNoChunk) --posted_chunks_[Index(chunks_->ClassOf(chunk))];
  if (IsPipe(connection)) return FinishPipeReceive(connection, chunk, os_error, bytes);
  if (chunk == kNoChunk) return FinishZeroByte(connection, os_error);
  if (os_error == 0 && bytes != 0) return ReportBytes(connection, bytes, chunk);
  chunks_->Release(chunk);
  if (os_error == 0) return ReportReceiveError(connection, Error::kOk);  // the end of the stream
  const Error error = ReceiveError(os_error);
  if (error == Error::kNoMemory && connection.receive.state == OperationState::kSubmitted) {
    // The pages could not be locked. Nothing was received; without a buffer nothing is locked.
    connection.iocp.busy = false;
    return PostZeroByte(connection);
  }
  ReportReceiveError(connection, error);
}

void IocpBackend::FinishZeroByte(Connection& connection, int os_error) {
  if (os_error != 0) return ReportReceiveError(connection, ReceiveError(os_error));
  // Readable, then: bytes, the end or an error. Nobody wants them from a cancelled receive, and
  // the bytes stay in the socket for os::DiscardReceived.
  if (connection.receive.state == OperationState::kCancelling) {
    return ReportReceiveError(connection, Error::kCanceled);
  }
  Fetch(connection);
}

// A pipe tells the end of the stream by an error, and an empty message by no bytes.
void IocpBackend::FinishPipeReceive(Connection& connection, std::uint32_t chunk, int os_error,
                                    DWORD bytes) {
  if (os_error == kPartOfMessage) os_error = 0;
  if (os_error == 0 && bytes != 0) return ReportBytes(connection, bytes, chunk);
  if (chunk != kNoChunk) chunks_->Release(chunk);
  if (os_error != 0) {
    const bool ended = IsEndOfPipe(os_error) || EndAfterSilence(connection);
    return ReportReceiveError(connection, ended ? Error::kOk : ReceiveError(os_error));
  }
  if (connection.receive.state == OperationState::kCancelling) {
    return ReportReceiveError(connection, Error::kCanceled);
  }
  AwaitSilence(connection);
  if (chunk != kNoChunk) return PostZeroByte(connection);
  // Readable. The chunk's receive finishes at once, unless somebody else was quicker.
  const std::uint32_t fresh = chunks_->AcquireAny(connection.chunk_class);
  if (fresh == kNoChunk) return ReportReceiveError(connection, Error::kNoBufferSpace);
  StartChunk(connection, fresh);
}

// A receive that does not wait. It has no OVERLAPPED, so the kernel owns nothing afterwards and
// no packet comes, whatever the notification mode; FIONBIO makes it answer at once.
void IocpBackend::Fetch(Connection& connection) {
  const std::uint32_t chunk = chunks_->AcquireAny(connection.chunk_class);
  if (chunk == kNoChunk) return ReportReceiveError(connection, Error::kNoBufferSpace);
  WSABUF buffer = BufferOf(chunks_->Data(chunk), chunks_->Bytes(chunk));
  DWORD bytes = 0;
  DWORD flags = 0;
  const bool done = WSARecv(connection.socket, &buffer, 1, &bytes, &flags, nullptr, nullptr) == 0;
  const int os_error = done ? 0 : WSAGetLastError();
  CountCall();
  if (done && bytes != 0) return ReportBytes(connection, bytes, chunk);
  chunks_->Release(chunk);
  if (done) return ReportReceiveError(connection, Error::kOk);
  if (os_error == WSAEWOULDBLOCK) return PostZeroByte(connection);  // a false alarm: wait again
  ReportReceiveError(connection, ReceiveError(os_error));
}

// What the next receive of this connection should be: zero-byte, or with a chunk.
void IocpBackend::Learn(Connection& connection, std::uint32_t bytes, std::uint32_t room) {
  IocpNotes& notes = connection.iocp;
  connection.likely_readable = bytes == room;
  const std::uint32_t now_ms = static_cast<std::uint32_t>(now_ms_);
  notes.busy = connection.likely_readable || now_ms - notes.last_receive_ms <= kBusyGapMs;
  notes.last_receive_ms = now_ms;
}

void IocpBackend::ReportBytes(Connection& connection, std::uint32_t bytes, std::uint32_t chunk) {
  Learn(connection, bytes, chunks_->Bytes(chunk));
  connection.receive.state = OperationState::kIdle;
  events_->OnReceive(connection, static_cast<std::int32_t>(bytes), chunk);
}

// kOk: the end of the stream.
void IocpBackend::ReportReceiveError(Connection& connection, Error error) {
  connection.receive.state = OperationState::kIdle;
  events_->OnReceive(connection, ToResult(error), kNoChunk);
}

}  // namespace completion_port
