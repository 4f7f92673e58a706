// epoll: accepting. A listener must never go deaf: it is in the set, or somebody is bound to put it
// back. See epoll_backend.h.
//
// A listener is watched by level: what is left in its backlog is reported again. While we may not
// or cannot accept it is taken out of the set, or every wait would return at once.
//
// Shared listeners. Of the processes that wait the kernel wakes one (EPOLLEXCLUSIVE), the first in
// its queue. So that they take turns, each accepts one connection and goes to the end. A process
// that was woken and then dies, or is busy, leaves its connection in the backlog and nobody else is
// told: therefore each looks now and then.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "backend/epoll_backend.h"

namespace completion_port {

namespace {

constexpr std::uint32_t kMostAccepts = 64;  // in a turn

EpollAccept& AcceptOf(const Listener& listener) {
  return static_cast<EpollAccept&>(*listener.accepts);
}

// 0 or errno.
int MakeNonBlocking(int socket) {
  const int flags = fcntl(socket, F_GETFL);
  if (flags < 0) return errno;
  if ((flags & O_NONBLOCK) != 0) return 0;
  return fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 ? 0 : errno;
}

}  // namespace

// As node:net does with every listener that it is given.
Error EpollBackend::Attach(Listener& listener) {
  listener.accepts = TryMake<EpollAccept>(listener);
  if (listener.accepts == nullptr) return Error::kNoMemory;
  return FromOsError(MakeNonBlocking(listener.socket), Operating::kControl);
}

void EpollBackend::SubmitAccept(Listener& listener) {
  EpollAccept& accept = AcceptOf(listener);
  if (listener.shared) shared_.Add(accept);
  GoOn(accept);
}

void EpollBackend::GoOn(EpollAccept& accept) {
  Listener& listener = *accept.listener;
  const std::uint32_t events = listener.shared ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
  const int error = Control(EPOLL_CTL_ADD, listener.socket, events, &listener, EpollTag::kListener);
  accept.state = EpollAcceptState::kWatching;
  if (error != 0) Pause(accept);
}

void EpollBackend::StepAside(EpollAccept& accept, EpollAcceptState state) {
  if (accept.state == EpollAcceptState::kWatching) {
    Control(EPOLL_CTL_DEL, accept.listener->socket, 0, nullptr, EpollTag::kListener);
    waiting_.push_back(&accept);
  }
  accept.state = state;
}

void EpollBackend::Pause(EpollAccept& accept) {
  accept.paused_until_ms = os::NowMs() + kAcceptPauseMs;
  StepAside(accept, EpollAcceptState::kPaused);
}

void EpollBackend::ResumeAccepts() {
  GoOnWhere([](const EpollAccept& accept) { return accept.state == EpollAcceptState::kHeld; });
}

void EpollBackend::EndPauses() {
  if (waiting_.empty()) return;
  const std::uint64_t now_ms = os::NowMs();
  GoOnWhere([now_ms](const EpollAccept& accept) {
    return accept.state == EpollAcceptState::kPaused && accept.paused_until_ms <= now_ms;
  });
}

template <typename Condition>
void EpollBackend::GoOnWhere(Condition condition) {
  std::vector<EpollAccept*> waiting;
  waiting.swap(waiting_);
  for (EpollAccept* accept : waiting) {
    if (condition(*accept)) {
      GoOn(*accept);
    } else {
      waiting_.push_back(accept);
    }
  }
}

// --- Accepting

void EpollBackend::AcceptReady() {
  for (EpollAccept* accept : ready_accepts_) AcceptSome(*accept);
  ready_accepts_.clear();
}

// Where connections are few, the call that would find none is saved: one is accepted at a time,
// and more only where the turn before has left some behind.
void EpollBackend::AcceptSome(EpollAccept& accept) {
  if (accept.state != EpollAcceptState::kWatching) return;
  const bool shared = accept.listener->shared;
  const std::uint32_t wanted = events_->AcceptsWanted(*accept.listener);
  if (wanted == 0) return StepAside(accept, EpollAcceptState::kHeld);
  const std::uint32_t most = std::min(wanted, shared ? 1u : accept.burst);
  std::uint32_t taken = 0;
  while (taken < most && AcceptOne(accept)) ++taken;
  accept.burst = taken < most ? 1 : std::min(kMostAccepts, accept.burst * 2);
  if (!shared || taken == 0 || accept.state != EpollAcceptState::kWatching) return;
  Control(EPOLL_CTL_DEL, accept.listener->socket, 0, nullptr, EpollTag::kListener);
  GoOn(accept);
}

// False when it is enough for this turn.
bool EpollBackend::AcceptOne(EpollAccept& accept) {
  const int socket = accept4(accept.listener->socket, nullptr, nullptr, SOCK_CLOEXEC);
  const int error = errno;
  CountCall();
  if (socket >= 0) {
    Deliver(accept, socket);
    return true;
  }
  switch (ClassifyAcceptError(error)) {
    case AcceptTrouble::kOneConnection:
      return error != EAGAIN;
    case AcceptTrouble::kNoDescriptor:
      return TurnAwayOne(accept);
    case AcceptTrouble::kShortage:
      Pause(accept);
      return false;
    case AcceptTrouble::kOther:
      Pause(accept);
      ReportOnce(accept, error);
      return false;
  }
  return false;
}

// The process, or the system, is out of descriptors.
bool EpollBackend::TurnAwayOne(EpollAccept& accept) {
  if (!spare_.Lend()) {
    Pause(accept);
    return false;
  }
  const int socket = accept4(accept.listener->socket, nullptr, nullptr, SOCK_CLOEXEC);
  const int error = errno;
  CountCall();
  if (socket >= 0) {
    if (!spare_.TurnsAway(socket)) Deliver(accept, socket);
    return true;
  }
  spare_.TakeBack();
  if (ClassifyAcceptError(error) != AcceptTrouble::kOneConnection) Pause(accept);
  return false;
}

void EpollBackend::Deliver(EpollAccept& accept, int socket) {
  accept.error_reported = false;
  events_->OnAccept(*accept.listener, socket, Error::kOk);
}

void EpollBackend::ReportOnce(EpollAccept& accept, int os_error) {
  if (accept.error_reported) return;
  accept.error_reported = true;
  events_->OnAccept(*accept.listener, kInvalidSocket, FromOsError(os_error, Operating::kAccept));
}

// --- Shared listeners

void EpollBackend::Share(Listener& listener) {
  EpollAccept& accept = AcceptOf(listener);
  shared_.Add(accept);
  if (accept.state != EpollAcceptState::kWatching) return;
  // EPOLLEXCLUSIVE cannot be set on what is in the set already.
  Control(EPOLL_CTL_DEL, listener.socket, 0, nullptr, EpollTag::kListener);
  GoOn(accept);
}

void EpollBackend::LookAtShared() {
  shared_.LookWhenDue([this](EpollAccept& accept) {
    const bool watching = accept.state == EpollAcceptState::kWatching;
    const bool noted =
        std::find(ready_accepts_.begin(), ready_accepts_.end(), &accept) != ready_accepts_.end();
    if (!watching || noted) return;
    CountCall();
    if (HasConnectionWaiting(accept.listener->socket)) ready_accepts_.push_back(&accept);
  });
}

// --- Stopping

void EpollBackend::Cancel(Listener& listener) {
  EpollAccept& accept = AcceptOf(listener);
  if (accept.state == EpollAcceptState::kStopped) return;
  StepAside(accept, EpollAcceptState::kStopped);
  std::erase(waiting_, &accept);
  shared_.Remove(accept);
  stopped_.push_back(&listener);
}

// False if there was nothing to report. The event frees the accept.
bool EpollBackend::ReportStopped() {
  if (stopped_.empty()) return false;
  std::vector<Listener*> stopped;
  stopped.swap(stopped_);
  for (Listener* listener : stopped) events_->OnAcceptStopped(*listener);
  return true;
}

}  // namespace completion_port
