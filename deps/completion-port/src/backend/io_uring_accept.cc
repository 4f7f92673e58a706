// Linux: accepting. A listener must never go deaf: whatever ends the multishot accept, it is posted
// again, at once or after a pause. See io_uring_backend.h.
#include <algorithm>
#include <cerrno>

#include "backend/io_uring_backend.h"

namespace completion_port {

namespace {

constexpr __kernel_timespec kAcceptPause = {0, kAcceptPauseMs * 1'000'000LL};

}  // namespace

Error UringBackend::Attach(Listener& listener) {
  listener.accepts = TryMake<UringAccept>(listener);
  return listener.accepts == nullptr ? Error::kNoMemory : Error::kOk;
}

void UringBackend::SubmitAccept(Listener& listener) {
  auto& accept = static_cast<UringAccept&>(*listener.accepts);
  PostAccept(accept);
  if (listener.shared) shared_.Add(accept);
}

void UringBackend::PostAccept(UringAccept& accept) {
  PostAccept(accept, accept.listener->shared ? AcceptRequest::kOneShot : AcceptRequest::kMultishot);
}

void UringBackend::PostAccept(UringAccept& accept, AcceptRequest how) {
  io_uring_sqe* request =
      NextRequest(IORING_OP_ACCEPT, accept.listener->socket, Tagged(&accept, kAccepting));
  // An accept that waits holds one place in the kernel's queue of those who wait. One-shot accepts
  // go to its end each time, so that processes that share a listener take turns; a multishot one
  // would keep its place and be served first for ever.
  const bool keeps_place = how == AcceptRequest::kMultishot;
  if (keeps_place) request->ioprio = IORING_ACCEPT_MULTISHOT;
  request->accept_flags = SOCK_CLOEXEC;
  accept.request = how;
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
  PostCancel(accept);  // where nothing is under way, its return is the end
  must_gather_ = true;
}

void UringBackend::PostCancel(UringAccept& accept) {
  io_uring_sqe* request = NextRequest(IORING_OP_ASYNC_CANCEL, -1, Tagged(&accept, kCancelAccept));
  request->addr = Tagged(&accept, kAccepting);
  ++accept.cancels;
}

void UringBackend::ReportAccept(UringAccept& accept, const io_uring_cqe& packet) {
  const AcceptRequest request = accept.request;
  const bool was_pause = request == AcceptRequest::kPause;
  const bool ended = (packet.flags & IORING_CQE_F_MORE) == 0;
  if (ended) accept.request = AcceptRequest::kNone;
  if (!was_pause && packet.res >= 0) Deliver(accept, request, packet.res);
  if (!accept.stopping) HoldIfTold(accept);
  if (!ended) return;
  if (request == AcceptRequest::kForSpare && packet.res < 0) {
    spare_.TakeBack();
    if (!accept.stopping) return PostAcceptPause(accept);
  }
  if (accept.stopping) return StopIfDone(accept);
  ContinueAccepting(accept, was_pause ? 0 : packet.res);
}

void UringBackend::Deliver(UringAccept& accept, AcceptRequest request, int socket) {
  if (request == AcceptRequest::kForSpare && spare_.TurnsAway(socket)) return;
  accept.error_reported = false;
  events_->OnAccept(*accept.listener, socket, Error::kOk);
}

// A multishot accept takes what is in the backlog while the kernel is at it; it is ended.
void UringBackend::HoldIfTold(UringAccept& accept) {
  if (accept.held || events_->AcceptsWanted(*accept.listener) != 0) return;
  accept.held = true;
  held_.push_back(&accept);
  if (accept.request == AcceptRequest::kMultishot) PostCancel(accept);
}

void UringBackend::ResumeAccepts() {
  for (UringAccept* accept : held_) {
    accept->held = false;
    if (accept->request == AcceptRequest::kNone) PostAccept(*accept);
  }
  held_.clear();
}

void UringBackend::ContinueAccepting(UringAccept& accept, int result) {
  const AcceptTrouble trouble =
      result >= 0 ? AcceptTrouble::kOneConnection : ClassifyAcceptError(-result);
  switch (trouble) {
    case AcceptTrouble::kOneConnection:
      if (!accept.held) PostAccept(accept);
      return;
    case AcceptTrouble::kNoDescriptor:
      return TurnAwayOne(accept);
    case AcceptTrouble::kShortage:
      return PostAcceptPause(accept);
    case AcceptTrouble::kOther:
      PostAcceptPause(accept);
      if (accept.error_reported) return;
      accept.error_reported = true;
      return events_->OnAccept(*accept.listener, kInvalidSocket,
                               FromOsError(-result, Operating::kAccept));
  }
}

// An accept without a descriptor fails whether there is a connection or not.
void UringBackend::TurnAwayOne(UringAccept& accept) {
  if (!HasConnectionWaiting(accept.listener->socket) || !spare_.Lend()) {
    return PostAcceptPause(accept);
  }
  PostAccept(accept, AcceptRequest::kForSpare);
}

void UringBackend::CheckCancel(UringAccept& accept, int result) {
  --accept.cancels;
  const bool missed = result == -ENOENT || result == -EALREADY;
  const bool stops = accept.stopping && accept.request != AcceptRequest::kNone;
  const bool gives_way =
      (accept.listener->shared || accept.held) && accept.request == AcceptRequest::kMultishot;
  if (missed && (stops || gives_way)) return PostCancel(accept);
  if (accept.stopping) StopIfDone(accept);
}

// The event may free `accept`.
void UringBackend::StopIfDone(UringAccept& accept) {
  if (accept.request != AcceptRequest::kNone || accept.cancels != 0) return;
  shared_.Remove(accept);
  std::erase(held_, &accept);
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
  shared_.Add(accept);
  if (accept.request == AcceptRequest::kMultishot) PostCancel(accept);
}

void UringBackend::LookAtShared() {
  shared_.LookWhenDue([this](UringAccept& accept) {
    const bool accepts =
        accept.request == AcceptRequest::kMultishot || accept.request == AcceptRequest::kOneShot;
    const bool can_wait = accepts && !accept.stopping && accept.cancels == 0;
    // It is posted again when it comes back, and that finds the connection.
    if (can_wait && HasConnectionWaiting(accept.listener->socket)) PostCancel(accept);
  });
}

}  // namespace completion_port
