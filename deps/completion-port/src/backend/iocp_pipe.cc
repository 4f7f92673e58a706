// Named pipes: what they do otherwise than sockets. Receiving is in iocp_receive.cc, listening in
// iocp_accept.cc.
//
// Connecting opens the pipe's name as one opens a file. That can wait, for a server on another
// machine or for a server that has no instance free, so a thread of the system's pool does it and
// posts a packet, like any other operation's.
//
// Sending has no gather: what is to leave together is copied together, as long as it is small.
//
// Ending the sending side alone does not exist. What comes nearest to it is what Node does:
//   1. wait until the peer has read everything (FlushFileBuffers, which waits: a thread of the
//      pool does it);
//   2. listen for as long as the peer goes on sending, and kSilenceMs longer;
//   3. close the pipe, whereupon both sides see the end of the stream.
#include "backend/iocp_pipe.h"

#include <algorithm>
#include <cassert>

#include "backend/iocp_backend.h"

namespace completion_port {

namespace {

constexpr std::uint64_t kSilenceMs = 50;
constexpr std::uint64_t kCancelAgainMs = 10;

// How long a connect waits for a free instance, as in Node, and how soon it looks for a cancel.
constexpr std::uint64_t kBusyMs = 30000;
constexpr DWORD kBusySliceMs = 50;

// Buffers shorter than this are copied together with those behind them, up to a pipe's buffer.
constexpr std::uint32_t kDirectBytes = 16 * 1024;
constexpr std::size_t kGatherBytes = 64 * 1024;

// A Win32 error in the place of the status that a packet carries (os_error.cc unwraps it).
ULONG_PTR AsStatus(DWORD os_error) { return os_error == 0 ? 0 : (0x80070000u | os_error); }

// The last that a pool thread does with the pipe: from here on it is the driver's again.
void Answer(IocpPipe& pipe, DWORD os_error) {
  const HANDLE queue = pipe.queue;
  OVERLAPPED* const packet = pipe.packet;
  packet->Internal = AsStatus(os_error);
  while (!PostQueuedCompletionStatus(queue, 0, 0, packet)) Sleep(1);
}

DWORD OpenWhenFree(IocpPipe& pipe) {
  const std::uint64_t deadline_ms = os::NowMs() + kBusyMs;
  for (;;) {
    const DWORD os_error = os::OpenPipe(pipe.path, &pipe.handle);
    if (os_error != ERROR_PIPE_BUSY) return os_error;
    if (pipe.cancelled.load()) return ERROR_OPERATION_ABORTED;
    if (os::NowMs() >= deadline_ms) return ERROR_SEM_TIMEOUT;
    // ERROR_SEM_TIMEOUT ends a slice; another error will meet the next attempt to open, too.
    WaitNamedPipeW(pipe.path.c_str(), kBusySliceMs);
  }
}

void CALLBACK OpenInPool(PTP_CALLBACK_INSTANCE, void* context) {
  IocpPipe& pipe = *static_cast<IocpPipe*>(context);
  Answer(pipe, OpenWhenFree(pipe));
}

// Its own result does not count: a peer that is gone will read nothing more.
void CALLBACK FlushInPool(PTP_CALLBACK_INSTANCE, void* context) {
  IocpPipe& pipe = *static_cast<IocpPipe*>(context);
  if (!pipe.cancelled.load()) FlushFileBuffers(pipe.handle);
  Answer(pipe, ERROR_SUCCESS);
}

// On a thread of the process's pool. 0 or a Win32 error, and then the work will not be done.
DWORD SubmitWork(PTP_SIMPLE_CALLBACK work, IocpPipe* pipe) {
  TP_CALLBACK_ENVIRON environment;
  InitializeThreadpoolEnvironment(&environment);
  SetThreadpoolCallbackRunsLong(&environment);
  // This library stays loaded until the work has returned, not only until it has posted.
  HMODULE library = nullptr;
  const DWORD flags =
      GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (GetModuleHandleExW(flags, reinterpret_cast<LPCWSTR>(reinterpret_cast<void*>(work)),
                         &library)) {
    SetThreadpoolCallbackLibrary(&environment, library);
  }
  const bool submitted = TrySubmitThreadpoolCallback(work, pipe, &environment) != FALSE;
  const DWORD os_error = submitted ? DWORD{ERROR_SUCCESS} : GetLastError();
  DestroyThreadpoolEnvironment(&environment);
  return os_error;
}

// Whether the other end takes each write for one message.
bool TakesMessages(HANDLE pipe) {
  DWORD type = 0;
  return GetNamedPipeInfo(pipe, &type, nullptr, nullptr, nullptr) &&
         (type & PIPE_TYPE_MESSAGE) != 0;
}

}  // namespace

// --- Attaching

// A pipe handle is a plain handle of the kernel, so skipping packets is safe.
Notification IocpBackend::SkipPackets(HANDLE pipe) {
  CountCall();
  const UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
  return SetFileCompletionNotificationModes(pipe, modes) ? Notification::kSkippedOnSuccess
                                                         : Notification::kQueued;
}

DWORD IocpBackend::AssociatePipe(HANDLE pipe) {
  CountCall();
  return CreateIoCompletionPort(pipe, port_, 0, 0) == nullptr ? GetLastError()
                                                              : DWORD{ERROR_SUCCESS};
}

// An accepted pipe has been in this queue since its instance was made; one that is to connect has
// no handle yet.
Error IocpBackend::AttachPipe(Connection& connection) {
  auto pipe = TryMake<IocpPipe>();
  if (pipe == nullptr) return Error::kNoMemory;
  pipe->queue = port_;
  connection.iocp.pipe = std::move(pipe);
  if (connection.socket != kInvalidSocket) {
    connection.iocp.notification = SkipPackets(os::AsHandle(connection.socket));
  }
  return Error::kOk;
}

// --- Connecting

void IocpBackend::SubmitPipeWork(Connection& connection, OperationKind kind,
                                 PTP_SIMPLE_CALLBACK work) {
  Operation& operation = connection.send;
  assert(operation.state == OperationState::kIdle);
  operation.kind = kind;
  operation.state = OperationState::kSubmitted;
  operation.overlapped = OVERLAPPED{};
  IocpPipe& pipe = PipeOf(connection);
  pipe.packet = &operation.overlapped;
  CountCall();
  const DWORD os_error = SubmitWork(work, &pipe);
  if (os_error != ERROR_SUCCESS) {
    ready_.Add(Ready{&operation, static_cast<int>(os_error), 0});
  }
}

void IocpBackend::SubmitPipeConnect(Connection& connection) {
  IocpPipe& pipe = PipeOf(connection);
  pipe.path = os::WidePath(connection.remote->path);
  SubmitPipeWork(connection, OperationKind::kConnect, OpenInPool);
}

void IocpBackend::FinishPipeConnect(Connection& connection, int os_error) {
  IocpPipe& pipe = PipeOf(connection);
  if (os_error == 0) {
    // The connection owns it now, whatever becomes of it.
    connection.socket = os::AsSocket(pipe.handle);
    os_error = static_cast<int>(AssociatePipe(pipe.handle));
    connection.iocp.notification = SkipPackets(pipe.handle);
    pipe.messages = TakesMessages(pipe.handle);
  }
  connection.send.state = OperationState::kIdle;
  events_->OnConnect(connection, FromOsError(os_error, Operating::kControl));
}

// --- Sending

void IocpBackend::SubmitPipeSend(Connection& connection) {
  IocpPipe& pipe = PipeOf(connection);
  const SendBuffer* first = connection.sends.begin();
  while (first->length == 0) ++first;  // the core sends no queue of empty buffers
  const std::uint8_t* data = first->data;
  std::size_t length = first->length;
  const bool alone = first + 1 == connection.sends.end() || (pipe.messages && first->ends_request);
  if (!alone && (pipe.messages || length < kDirectBytes)) {
    pipe.gathered.clear();
    for (const SendBuffer* from = first; from != connection.sends.end(); ++from) {
      const bool fits = pipe.gathered.size() + from->length <= kGatherBytes;
      if (!fits && !pipe.messages && from != first) break;
      pipe.gathered.insert(pipe.gathered.end(), from->data, from->data + from->length);
      if (pipe.messages && from->ends_request) break;
    }
    data = pipe.gathered.data();
    length = pipe.gathered.size();
  }
  connection.send.overlapped = OVERLAPPED{};
  DWORD bytes = 0;
  const bool done = WriteFile(os::AsHandle(connection.socket), data, static_cast<DWORD>(length),
                              &bytes, &connection.send.overlapped) != FALSE;
  Issued(connection.send, connection.iocp.notification, done,
         done ? 0 : static_cast<int>(GetLastError()), bytes);
}

// --- Ending

void IocpBackend::SubmitShutdown(Connection& connection) {
  PipeOf(connection).handle = os::AsHandle(connection.socket);
  SubmitPipeWork(connection, OperationKind::kShutdown, FlushInPool);
}

void IocpBackend::FinishShutdown(Connection& connection, int os_error) {
  IocpPipe& pipe = PipeOf(connection);
  const bool cancelled = connection.send.state == OperationState::kCancelling;
  connection.send.state = OperationState::kIdle;
  pipe.shut_down = true;
  pipe.watch = PipeWatch::kNothing;
  if (connection.receive.state == OperationState::kSubmitted) AwaitSilence(connection);
  const Error error = cancelled ? Error::kCanceled : FromOsError(os_error, Operating::kShutdown);
  events_->OnShutdown(connection, error);
}

void IocpBackend::Watch(Connection& connection, PipeWatch watch, std::uint64_t ms) {
  IocpPipe& pipe = PipeOf(connection);
  if (std::find(watched_.begin(), watched_.end(), &connection) == watched_.end()) {
    watched_.push_back(&connection);
  }
  pipe.watch = watch;
  pipe.due_ms = os::NowMs() + ms;
}

// A receive begins on a pipe whose own side has ended.
void IocpBackend::AwaitSilence(Connection& connection) {
  if (PipeOf(connection).shut_down) Watch(connection, PipeWatch::kSilence, kSilenceMs);
}

// A receive came back, cancelled. True: because the peer kept silent. Then the pipe is closed, and
// that is the end of the stream, on both sides.
bool IocpBackend::EndAfterSilence(Connection& connection) {
  if (PipeOf(connection).watch != PipeWatch::kEnding ||
      connection.receive.state != OperationState::kSubmitted) {
    return false;
  }
  PipeOf(connection).watch = PipeWatch::kNothing;
  os::CloseSocket(connection.socket, SocketKind::kLocal);
  connection.socket = kInvalidSocket;
  CountCall();
  return true;
}

void IocpBackend::CancelPipe(Connection& connection) {
  PipeOf(connection).cancelled.store(true);
  const bool flushes = connection.send.state != OperationState::kIdle &&
                       connection.send.kind == OperationKind::kShutdown;
  if (flushes) Watch(connection, PipeWatch::kFlush, kCancelAgainMs);
  if (connection.socket == kInvalidSocket) return;  // opening: it looks for itself
  CancelIoEx(os::AsHandle(connection.socket), nullptr);
  cancelled_ = true;
  CountCall();
}

void IocpBackend::ExpireWatches() {
  const std::uint64_t now_ms = watched_.empty() ? 0 : os::NowMs();
  for (std::size_t i = 0; i < watched_.size();) {
    if (StillWatched(*watched_[i], now_ms)) {
      ++i;
    } else {
      watched_.erase(watched_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
}

// False when there is nothing to watch any more. The slot may have another owner by now.
bool IocpBackend::StillWatched(Connection& connection, std::uint64_t now_ms) {
  if (connection.iocp.pipe == nullptr) return false;
  IocpPipe& pipe = PipeOf(connection);
  if (pipe.watch == PipeWatch::kNothing || pipe.watch == PipeWatch::kEnding) return false;
  if (pipe.due_ms > now_ms) return true;
  if (pipe.watch == PipeWatch::kSilence) {
    pipe.watch = PipeWatch::kEnding;
    CancelIoEx(os::AsHandle(connection.socket), &connection.receive.overlapped);
    CountCall();
    return false;
  }
  CancelIoEx(os::AsHandle(connection.socket), nullptr);
  CountCall();
  pipe.due_ms = now_ms + kCancelAgainMs;
  return true;
}

DWORD IocpBackend::UntilNextWatch(DWORD timeout_ms) const {
  const std::uint64_t now_ms = watched_.empty() ? 0 : os::NowMs();
  for (const Connection* connection : watched_) {
    if (connection->iocp.pipe == nullptr) continue;
    const std::uint64_t due_ms = PipeOf(*connection).due_ms;
    const std::uint64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    if (left_ms < timeout_ms) timeout_ms = static_cast<DWORD>(left_ms);
  }
  return timeout_ms;
}

}  // namespace completion_port
