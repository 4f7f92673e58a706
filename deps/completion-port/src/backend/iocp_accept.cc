// Accepts: a pool of AcceptEx operations per listener, each with the socket that the next client
// will get. The receive length is 0, so a silent client cannot hold an operation. For a pipe: a
// pool of its instances, each with a ConnectNamedPipe; a client that finds none of them waiting
// waits.
//
// A listener must never go deaf. Every operation that comes back is posted again, whatever became
// of it; one that cannot be posted rests for a moment with its pool and is tried again. And nobody
// may call accept() on such a listener: it would compete with the operations.
//
// A listener that was adopted may be shared with other processes, which post accepts of their own.
// The system serves accepts in the order in which they were posted, so with few of them in each
// process the processes take turns. Such a listener is not associated (iocp_event_signal.h).
#include <algorithm>
#include <cassert>

#include "backend/iocp_backend.h"
#include "backend/iocp_event_signal.h"
#include "backend/iocp_pipe.h"

namespace completion_port {

namespace {

constexpr std::size_t kAccepts = 32;
constexpr std::size_t kSharedAccepts = 8;   // few, for shorter turns
constexpr std::size_t kPipeInstances = 16;  // of the same pool: Node has 4
constexpr std::uint64_t kRestMs = 100;      // before trying again what failed for want of resources

// What AcceptEx wants for each of the two addresses it writes.
constexpr DWORD kAddressBytes = sizeof(sockaddr_in6) + 16;

// The client gave up between its handshake and our accept. Its loss, not the listener's.
bool PeerVanished(Error error) {
  return error == Error::kConnectionReset || error == Error::kConnectionAborted ||
         error == Error::kNotConnected || error == Error::kTimedOut || error == Error::kBrokenPipe;
}

}  // namespace

struct IocpAccept : Operation {
  IocpAcceptPool* pool = nullptr;
  std::unique_ptr<IocpEventSignal> signal;  // of a shared listener
  SOCKET socket = INVALID_SOCKET;  // for the next client; not attached to any port, but a pipe is
  std::uint8_t addresses[2 * kAddressBytes] = {};  // written by the kernel
};

// Lives until its listener's OnAcceptStopped, which comes when nothing is in flight.
struct IocpAcceptPool : AcceptPool {
  Listener* listener = nullptr;
  std::wstring path;  // of a pipe
  Notification notification = Notification::kQueued;
  bool stopping = false;
  bool resting = false;
  bool held = false;            // the core wants no more for now
  bool error_reported = false;  // one report for a shortage, not one for every try
  std::uint64_t repost_ms = 0;  // while resting
  std::size_t in_flight = 0;    // with the kernel or in ready_
  std::size_t count = kAccepts;
  IocpAccept accepts[kAccepts];
};

namespace {
IocpAcceptPool& PoolOf(const Listener& listener) {
  return *static_cast<IocpAcceptPool*>(listener.accepts.get());
}
}  // namespace

Error IocpBackend::Attach(Listener& listener) {
  auto pool = TryMake<IocpAcceptPool>();
  if (pool == nullptr) return Error::kNoMemory;
  pool->listener = &listener;
  const bool is_pipe = listener.Kind() == SocketKind::kLocal;
  if (listener.shared) pool->count = kSharedAccepts;
  if (is_pipe) {
    pool->count = kPipeInstances;
    pool->path = os::WidePath(listener.path);
  }
  for (IocpAccept& accept : pool->accepts) {
    accept.kind = OperationKind::kAccept;
    accept.pool = pool.get();
  }
  Error error = Error::kOk;  // a pipe's instances join the queue one by one
  if (listener.shared) {
    error = OpenSignals(*pool);
  } else if (!is_pipe) {
    error = Associate(listener.socket, &pool->notification);
  }
  if (error != Error::kOk) return error;
  listener.accepts = std::move(pool);
  return Error::kOk;
}

Error IocpBackend::OpenSignals(IocpAcceptPool& pool) {
  for (std::size_t i = 0; i < pool.count; ++i) {
    IocpAccept& accept = pool.accepts[i];
    accept.signal = TryMake<IocpEventSignal>();
    if (accept.signal == nullptr) return Error::kNoMemory;
    const int os_error = accept.signal->Open(port_, &accept.overlapped);
    if (os_error != 0) return FromOsError(os_error, Operating::kAccept);
  }
  return Error::kOk;
}

void IocpBackend::SubmitAccept(Listener& listener) { RepostIdle(PoolOf(listener)); }

void IocpBackend::RepostIdle(IocpAcceptPool& pool) {
  for (std::size_t i = 0; i < pool.count; ++i) {
    if (pool.accepts[i].state == OperationState::kIdle) PostAccept(pool.accepts[i]);
  }
}

void IocpBackend::PostAccept(IocpAccept& accept) {
  IocpAcceptPool& pool = *accept.pool;
  ++pool.in_flight;
  accept.state = OperationState::kSubmitted;
  accept.overlapped = OVERLAPPED{};
  if (accept.signal != nullptr) accept.overlapped.hEvent = accept.signal->event();
  if (pool.listener->Kind() == SocketKind::kLocal) return PostPipeInstance(accept);
  const int family = pool.listener->family == Family::kIpv6 ? AF_INET6 : AF_INET;
  accept.socket = WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, nullptr, 0,
                             WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT);
  if (accept.socket == INVALID_SOCKET) {
    ready_.Add(Ready{&accept, WSAGetLastError(), 0});
    CountCall();
    return;
  }
  CountCall();
  DWORD bytes = 0;
  const bool done = accept_ex_(pool.listener->socket, accept.socket, accept.addresses, 0,
                               kAddressBytes, kAddressBytes, &bytes, &accept.overlapped) != FALSE;
  Issued(accept, pool.notification, done, done ? 0 : WSAGetLastError(), bytes);
}

// A client can connect as soon as there is the instance, and leave, too, before ConnectNamedPipe.
void IocpBackend::PostPipeInstance(IocpAccept& accept) {
  HANDLE pipe = INVALID_HANDLE_VALUE;
  DWORD os_error = MakePipeInstance(*accept.pool, &pipe);
  if (os_error == ERROR_SUCCESS) {
    accept.socket = os::AsSocket(pipe);
    const bool skips = SkipPackets(pipe) == Notification::kSkippedOnSuccess;
    CountCall();
    if (ConnectNamedPipe(pipe, &accept.overlapped)) {
      if (!skips) return;  // the packet comes
    } else {
      os_error = GetLastError();
      if (os_error == ERROR_IO_PENDING) return;
      if (os_error == ERROR_PIPE_CONNECTED) os_error = ERROR_SUCCESS;  // without a packet
    }
  }
  ready_.Add(Ready{&accept, static_cast<int>(os_error), 0});
}

// The first instance was made by os::OpenLocalListener.
DWORD IocpBackend::MakePipeInstance(IocpAcceptPool& pool, HANDLE* out) {
  Listener& listener = *pool.listener;
  if (listener.socket != INVALID_SOCKET) {
    *out = os::AsHandle(listener.socket);
    listener.socket = INVALID_SOCKET;
  } else {
    CountCall();
    const DWORD os_error = os::CreatePipeInstance(pool.path, os::PipeInstance::kFurther, out);
    if (os_error != ERROR_SUCCESS) return os_error;
  }
  const DWORD os_error = AssociatePipe(*out);
  if (os_error != ERROR_SUCCESS) CloseHandle(*out);
  return os_error;
}

// Makes an ordinary socket of what AcceptEx left: it learns that it is connected, and to whom. The
// option's value is the listener's SOCKET. FIONBIO comes after it, for it takes over the
// listener's properties. 0 or a WSA error.
int IocpBackend::Introduce(SOCKET accepted, SOCKET listener) {
  CountCall();
  if (setsockopt(accepted, SOL_SOCKET, SO_UPDATE_ACCEPT_CONTEXT,
                 reinterpret_cast<const char*>(&listener), sizeof(listener)) != 0) {
    return WSAGetLastError();
  }
  CountCall();
  u_long non_blocking = 1;
  return ioctlsocket(accepted, FIONBIO, &non_blocking) == 0 ? 0 : WSAGetLastError();
}

void IocpBackend::FinishAccept(Operation& operation, int os_error) {
  IocpAccept& accept = static_cast<IocpAccept&>(operation);
  IocpAcceptPool& pool = *accept.pool;
  Listener& listener = *pool.listener;
  --pool.in_flight;
  accept.state = OperationState::kIdle;
  SOCKET accepted = accept.socket;
  accept.socket = INVALID_SOCKET;
  const SocketKind kind = listener.Kind();
  if (os_error == 0 && kind == SocketKind::kTcp) os_error = Introduce(accepted, listener.socket);
  if (os_error != 0 && accepted != INVALID_SOCKET) {
    os::CloseSocket(accepted, kind);
    accepted = INVALID_SOCKET;
    CountCall();
  }
  const bool stopping = pool.stopping;
  bool report_error = false;
  if (os_error == 0) {
    pool.error_reported = false;
    if (!stopping) PostOrHold(accept);
  } else if (!stopping) {
    report_error = !PostAgain(accept, FromOsError(os_error, Operating::kAccept));
  }
  // The event comes last, for it may cancel this very listener.
  if (accepted != INVALID_SOCKET) {
    events_->OnAccept(listener, accepted, Error::kOk);
  } else if (report_error) {
    events_->OnAccept(listener, kInvalidSocket, FromOsError(os_error, Operating::kAccept));
  }
  if (stopping && pool.in_flight == 0) ReportStopped(listener);
}

// What is posted already may still bring connections.
void IocpBackend::PostOrHold(IocpAccept& accept) {
  IocpAcceptPool& pool = *accept.pool;
  if (events_->AcceptsWanted(*pool.listener) != 0) return PostAccept(accept);
  if (pool.held) return;
  pool.held = true;
  held_.push_back(&pool);
}

void IocpBackend::ResumeAccepts() {
  std::vector<IocpAcceptPool*> held;
  held.swap(held_);
  for (IocpAcceptPool* pool : held) {
    pool->held = false;
    if (!pool->resting) RepostIdle(*pool);
  }
}

// After a failed accept. False if it is news that the submitter should have.
bool IocpBackend::PostAgain(IocpAccept& accept, Error error) {
  if (PeerVanished(error)) {
    PostAccept(accept);
    return true;
  }
  IocpAcceptPool& pool = *accept.pool;
  if (!pool.resting) {
    pool.resting = true;
    pool.repost_ms = now_ms_ + kRestMs;
    resting_.push_back(&pool);
  }
  const bool known = pool.error_reported;
  pool.error_reported = true;
  return known;
}

DWORD IocpBackend::UntilNextRepost(DWORD timeout_ms) const {
  const std::uint64_t now_ms = resting_.empty() ? 0 : os::NowMs();
  for (const IocpAcceptPool* pool : resting_) {
    const std::uint64_t left_ms = pool->repost_ms > now_ms ? pool->repost_ms - now_ms : 0;
    if (left_ms < timeout_ms) timeout_ms = static_cast<DWORD>(left_ms);
  }
  return timeout_ms;
}

void IocpBackend::RepostRested() {
  for (std::size_t i = 0; i < resting_.size();) {
    IocpAcceptPool& pool = *resting_[i];
    if (pool.repost_ms > now_ms_) {
      ++i;
      continue;
    }
    resting_.erase(resting_.begin() + static_cast<std::ptrdiff_t>(i));
    pool.resting = false;
    RepostIdle(pool);
  }
}

// --- Stopping

void IocpBackend::Cancel(Listener& listener) {
  IocpAcceptPool& pool = PoolOf(listener);
  if (pool.stopping) return;
  pool.stopping = true;
  std::erase(resting_, &pool);
  std::erase(held_, &pool);
  if (pool.in_flight == 0) {
    stopped_.push_back(&listener);
    return;
  }
  // One by one: others in this process may have accepts of their own on a shared listener.
  const bool is_pipe = listener.Kind() == SocketKind::kLocal;
  for (IocpAccept& accept : pool.accepts) {
    if (accept.state != OperationState::kSubmitted) continue;
    accept.state = OperationState::kCancelling;
    // Each instance of a pipe has its own handle; what none could be made for has come back.
    const SOCKET with = is_pipe ? accept.socket : listener.socket;
    if (with == INVALID_SOCKET) continue;
    CancelIoEx(os::AsHandle(with), &accept.overlapped);
    cancelled_ = true;
    CountCall();
  }
}

void IocpBackend::ReportStopped(Listener& listener) {
  assert(PoolOf(listener).in_flight == 0);
  listener.accepts.reset();
  events_->OnAcceptStopped(listener);
}

}  // namespace completion_port
