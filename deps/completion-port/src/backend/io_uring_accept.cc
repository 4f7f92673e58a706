// Linux: accepting. A listener must never go deaf: whatever ends the multishot accept, it is posted
// again, at once or after a pause. See io_uring_backend.h.
#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "backend/io_uring_backend.h"

namespace completion_port {

namespace {

// Before an accept that failed for a reason that lasts is tried again.
constexpr __kernel_timespec kAcceptPause = {0, 100 * 1000 * 1000};

// How often to look whether a connection waits on a shared listener and nobody was told.
constexpr std::uint64_t kLookMs = 100;

enum class AcceptTrouble { kOneConnection, kShortage, kOther };

AcceptTrouble Classify(int os_error) {
  switch (os_error) {
    // The connection's own trouble; accept reports it in place of the connection (see accept(2)).
    case EINTR:
    case EAGAIN:     // another process was faster
    case ECANCELED:  // LookAtShared
    case EPERM:
    case EPROTO:
    case ENONET:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTUNREACH:
    case ECONNABORTED:
      return AcceptTrouble::kOneConnection;
    // Passes when something is closed. Until then connections wait in the backlog.
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
      return AcceptTrouble::kShortage;
    default:
      return AcceptTrouble::kOther;
  }
}

}  // namespace

void UringBackend::SubmitAccept(Listener& listener) {
  auto accept = std::make_unique<UringAccept>(listener);
  PostAccept(*accept);
  if (listener.shared) Watch(*accept);
  listener.accepts = std::move(accept);
}

void UringBackend::PostAccept(UringAccept& accept) {
  io_uring_sqe* request =
      NextRequest(IORING_OP_ACCEPT, accept.listener->socket, Tagged(&accept, kAccepting));
  // An accept that waits holds one place in the kernel's queue of those who wait. One-shot accepts
  // go to its end each time, so that processes that share a listener take turns; a multishot one
  // would keep its place and be served first for ever.
  const bool keeps_place = !accept.listener->shared;
  if (keeps_place) request->ioprio = IORING_ACCEPT_MULTISHOT;
  request->accept_flags = SOCK_CLOEXEC;
  accept.request = keeps_place ? AcceptRequest::kMultishot : AcceptRequest::kOneShot;
}

void UringBackend::PostAcceptPause(UringAccept& accept) {
  io_uring_sqe* request = NextRequest(IORING_OP_TIMEOUT, -1, Tagged(&accept, kAccepting));
  request->addr = reinterpret_cast<std::uintptr_t>(&kAcceptPause);
  request->len = 1;
  accept.request = AcceptRequest::kPause;
}

void UringBackend::Cancel(Listener& listener) {
  auto& accept = static_cast<UringAccept&>(*listener.accepts);
  accept.stopping = true;
  if (accept.request != AcceptRequest::kNone) PostCancel(accept);
}

void UringBackend::PostCancel(UringAccept& accept) {
  io_uring_sqe* request = NextRequest(IORING_OP_ASYNC_CANCEL, -1, Tagged(&accept, kCancelAccept));
  request->addr = Tagged(&accept, kAccepting);
  ++accept.cancels;
}

void UringBackend::ReportAccept(UringAccept& accept, const io_uring_cqe& packet) {
  const bool was_pause = accept.request == AcceptRequest::kPause;
  const bool ended = (packet.flags & IORING_CQE_F_MORE) == 0;
  if (ended) accept.request = AcceptRequest::kNone;
  if (!was_pause && packet.res >= 0) events_->OnAccept(*accept.listener, packet.res, Error::kOk);
  if (!ended) return;
  if (accept.stopping) return StopIfDone(accept);
  ContinueAccepting(accept, was_pause ? 0 : packet.res);
}

void UringBackend::ContinueAccepting(UringAccept& accept, int result) {
  if (result >= 0) return PostAccept(accept);
  switch (Classify(-result)) {
    case AcceptTrouble::kOneConnection:
      return PostAccept(accept);
    case AcceptTrouble::kShortage:
      return PostAcceptPause(accept);
    case AcceptTrouble::kOther:
      PostAcceptPause(accept);
      return events_->OnAccept(*accept.listener, kInvalidSocket,
                               FromOsError(-result, Operating::kAccept));
  }
}

void UringBackend::CheckCancel(UringAccept& accept, int result) {
  --accept.cancels;
  const bool missed = result == -ENOENT || result == -EALREADY;
  const bool stops = accept.stopping && accept.request != AcceptRequest::kNone;
  const bool gives_way = accept.listener->shared && accept.request == AcceptRequest::kMultishot;
  if (missed && (stops || gives_way)) return PostCancel(accept);
  if (accept.stopping) StopIfDone(accept);
}

// The event may free `accept`.
void UringBackend::StopIfDone(UringAccept& accept) {
  if (accept.request != AcceptRequest::kNone || accept.cancels != 0) return;
  std::erase(shared_, &accept);
  events_->OnAcceptStopped(*accept.listener);
}

// --- Shared listeners
//
// A connection wakes one of those who wait. When that one is being cancelled, because its process
// was killed or closes its listener, the kernel takes it for told until the cancelling is done, and
// the connection would wait for the next one to come (seen after SIGKILL of a cluster's worker).

// The multishot accept gives up its place; what is posted again is a one-shot one.
void UringBackend::Share(Listener& listener) {
  auto& accept = static_cast<UringAccept&>(*listener.accepts);
  Watch(accept);
  if (accept.request == AcceptRequest::kMultishot) PostCancel(accept);
}

void UringBackend::Watch(UringAccept& accept) {
  if (shared_.empty()) next_look_ms_ = os::NowMs() + kLookMs;
  shared_.push_back(&accept);
}

int UringBackend::UntilNextLook(int timeout_ms) const {
  if (shared_.empty() || timeout_ms == 0) return timeout_ms;
  const std::uint64_t now_ms = os::NowMs();
  const int left_ms = next_look_ms_ <= now_ms ? 0 : static_cast<int>(next_look_ms_ - now_ms);
  return timeout_ms < 0 ? left_ms : std::min(timeout_ms, left_ms);
}

void UringBackend::LookAtShared() {
  if (shared_.empty()) return;
  const std::uint64_t now_ms = os::NowMs();
  if (now_ms < next_look_ms_) return;
  next_look_ms_ = now_ms + kLookMs;
  for (UringAccept* accept : shared_) {
    pollfd look = {accept->listener->socket, POLLIN, 0};
    const bool accepts =
        accept->request == AcceptRequest::kMultishot || accept->request == AcceptRequest::kOneShot;
    const bool can_wait = accepts && !accept->stopping && accept->cancels == 0;
    // It is posted again when it comes back, and that finds the connection.
    if (can_wait && poll(&look, 1, 0) == 1) PostCancel(*accept);
  }
}

}  // namespace completion_port
