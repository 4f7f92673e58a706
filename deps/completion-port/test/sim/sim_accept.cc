// The simulated queue: accepting. See sim_backend.h.
#include <algorithm>

#include "sim_backend.h"

namespace completion_port::sim {

namespace {
constexpr std::uint64_t kPauseNs = 100'000'000;  // after a failure that lasts
constexpr std::uint32_t kMostAccepts = 8;        // of one report
}  // namespace

Error SimBackend::Attach(Listener&) { return kernel_->Fault() ? Error::kNoMemory : Error::kOk; }

void SimBackend::SubmitAccept(Listener& listener) {
  Accepting accepting{};
  accepting.listener = &listener;
  accepting_.push_back(accepting);
}

void SimBackend::ResumeAccepts() {
  for (Accepting& accepting : accepting_) {
    if (accepting.state == AcceptState::kHeld) accepting.state = AcceptState::kReady;
  }
}

void SimBackend::Cancel(Listener& listener) {
  Accepting* accepting = Find(&listener);
  if (accepting == nullptr) return kernel_->Violate("cancels a listener that does not accept");
  accepting->state = AcceptState::kStopping;
  accepting->due_ns = kernel_->NowNs() + (HoldsBuffers() ? kernel_->SomeDelayNs() : 0);
}

SimBackend::Accepting* SimBackend::Find(const Listener* listener) {
  for (Accepting& accepting : accepting_) {
    if (accepting.listener == listener) return &accepting;
  }
  return nullptr;
}

bool SimBackend::IsReady(const Accepting& accepting) const {
  if (accepting.due_ns > kernel_->NowNs() || accepting.state == AcceptState::kHeld) return false;
  if (accepting.state == AcceptState::kStopping) return true;
  return !kernel_->At(accepting.listener->socket)->backlog.empty();
}

bool SimBackend::ReportAccept(Listener* listener) {
  Accepting* accepting = Find(listener);
  if (accepting == nullptr || !IsReady(*accepting)) return false;
  if (accepting->state == AcceptState::kStopping) {
    ReportStopped(listener);
    return true;
  }
  const std::uint32_t wanted = events_->AcceptsWanted(*listener);
  if (wanted == 0) {
    accepting->state = AcceptState::kHeld;
    return false;
  }
  const std::uint32_t most =
      std::min(wanted, kMostAccepts - kernel_->choices().Below(kMostAccepts));
  bool reported = false;
  for (std::uint32_t i = 0; i < most && AcceptOne(listener, &reported); ++i) {
  }
  return reported;
}

// False: enough for now.
bool SimBackend::AcceptOne(Listener* listener, bool* reported) {
  if (kernel_->Fault()) return RefuseOne(listener, Error::kNoMemory, reported);
  Socket* listening = kernel_->At(listener->socket);
  if (listening->backlog.empty()) return false;
  NativeSocket handle = kInvalidSocket;
  const Error error = kernel_->NewHandle(listening->backlog.front(), &handle);
  if (error != Error::kOk) {
    // A client is turned away, or left to wait.
    if (kernel_->choices().OneIn(2)) return RefuseOne(listener, error, reported);
    Socket* turned_away = kernel_->Accept(listening);
    turned_away->resets_on_close = true;
    kernel_->CloseSocket(turned_away);
    return true;
  }
  kernel_->Accept(listening);
  Find(listener)->error_reported = false;
  kernel_->Trace("accepted", listening->stream, kernel_->At(handle)->stream);
  events_->OnAccept(*listener, handle, Error::kOk);
  *reported = true;
  return true;
}

// The error is told once.
bool SimBackend::RefuseOne(Listener* listener, Error error, bool* reported) {
  Accepting* accepting = Find(listener);
  accepting->due_ns = kernel_->NowNs() + kPauseNs;
  if (accepting->error_reported) return false;
  accepting->error_reported = true;
  *reported = true;
  events_->OnAccept(*listener, kInvalidSocket, error);
  return false;
}

// An accept that was with the system may have been quicker than its cancellation.
void SimBackend::ReportStopped(Listener* listener) {
  Socket* listening = kernel_->At(listener->socket);
  if (HoldsBuffers() && !listening->backlog.empty() && kernel_->choices().OneIn(2)) {
    NativeSocket handle = kInvalidSocket;
    if (kernel_->NewHandle(listening->backlog.front(), &handle) == Error::kOk) {
      kernel_->Accept(listening);
      events_->OnAccept(*listener, handle, Error::kOk);
    }
  }
  std::erase_if(accepting_, [listener](const Accepting& a) { return a.listener == listener; });
  events_->OnAcceptStopped(*listener);
}

}  // namespace completion_port::sim
