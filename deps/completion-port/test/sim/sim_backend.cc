// The simulated queue: what is under way, waiting, and choosing what to report. See sim_backend.h.
#include "sim_backend.h"

#include <algorithm>
#include <utility>

namespace completion_port::sim {

namespace {
constexpr int kMostInVain = 2000;
}  // namespace

SimBackend::SimBackend(BackendKind kind) : kind_(kind), kernel_(&Kernel::Current()) {}

SimBackend::~SimBackend() { kernel_->Remove(this); }

Error SimBackend::Open(const BackendContext& context) {
  events_ = context.events;
  chunks_ = context.chunks;
  counters_ = context.counters;
  kernel_->Add(this);
  return Error::kOk;
}

Error SimBackend::Attach(Connection& connection) {
  if (std::erase(attached_, &connection) != 0) kernel_->Violate("attached twice");
  if (kernel_->Fault()) return Error::kNoMemory;
  attached_.push_back(&connection);
  return Error::kOk;
}

void SimBackend::Detach(Connection& connection) {
  std::erase(attached_, &connection);
  for (const Pending& pending : pending_) {
    if (pending.connection == &connection) kernel_->Violate("detached with an operation under way");
  }
}

// --- What is under way

Operation& SimBackend::OperationOf(const Pending& pending) const {
  const bool receives =
      pending.kind == OperationKind::kReceive || pending.kind == OperationKind::kReadable;
  return receives ? pending.connection->receive : pending.connection->send;
}

void SimBackend::Submit(Connection& connection, Operation& operation, Pending pending) {
  kernel_->fibers().MayStop();
  if (operation.state != OperationState::kIdle)
    kernel_->Violate("submitted while one is under way");
  if (std::find(attached_.begin(), attached_.end(), &connection) == attached_.end()) {
    kernel_->Violate("submitted for a connection that is not attached");
  }
  operation.connection = &connection;
  operation.kind = pending.kind;
  operation.state = OperationState::kSubmitted;
  pending.number = ++last_number_;
  pending.connection = &connection;
  pending.socket = kernel_->At(connection.socket);
  pending.due_ns = kernel_->NowNs() + (HoldsBuffers() ? kernel_->SomeDelayNs() : 0);
  if (HoldsBuffers()) ++pending.socket->held;
  pending_.push_back(std::move(pending));
}

SimBackend::Pending* SimBackend::Find(std::uint64_t number) {
  for (Pending& pending : pending_) {
    if (pending.number == number) return &pending;
  }
  return nullptr;
}

// It is no longer with the system.
SimBackend::Pending SimBackend::Finish(std::uint64_t number) {
  Pending* found = Find(number);
  Pending pending = std::move(*found);
  pending_.erase(pending_.begin() + (found - pending_.data()));
  if (HoldsBuffers()) --pending.socket->held;
  OperationOf(pending).state = OperationState::kIdle;
  return pending;
}

void SimBackend::Cancel(Connection& connection) {
  for (Pending& pending : pending_) {
    if (pending.connection != &connection) continue;
    Operation& operation = OperationOf(pending);
    if (operation.state != OperationState::kSubmitted) continue;
    operation.state = OperationState::kCancelling;
    pending.due_ns = kernel_->NowNs() + (HoldsBuffers() ? kernel_->SomeDelayNs() : 0);
  }
}

// --- Waiting

bool SimBackend::IsReady(const Pending& pending) const {
  if (pending.due_ns > kernel_->NowNs()) return false;
  if (OperationOf(pending).state == OperationState::kCancelling) return true;
  switch (pending.kind) {
    case OperationKind::kReceive:
      return pending.looks_at_once || Kernel::IsReadable(*pending.socket);
    case OperationKind::kReadable:
      return Kernel::IsReadable(*pending.socket);
    case OperationKind::kSend:
      return pending.result != 0 || pending.file_has_ended || kernel_->IsWritable(*pending.socket);
    case OperationKind::kConnect:
    case OperationKind::kShutdown:
    case OperationKind::kAccept:
    case OperationKind::kLook:
      return true;
  }
  return false;
}

bool SimBackend::HasReady() const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [this](const Pending& pending) { return IsReady(pending); }) ||
         std::any_of(accepting_.begin(), accepting_.end(),
                     [this](const Accepting& accepting) { return IsReady(accepting); });
}

std::uint64_t SimBackend::NextEvent() const {
  std::uint64_t next_ns = kNever;
  const auto note = [&](std::uint64_t due_ns) {
    if (due_ns > kernel_->NowNs()) next_ns = std::min(next_ns, due_ns);
  };
  for (const Pending& pending : pending_) note(pending.due_ns);
  for (const Accepting& accepting : accepting_) note(accepting.due_ns);
  return next_ns;
}

void SimBackend::Wait(int timeout_ms) {
  // One whose thread never waits is as bad as one that waits for ever.
  if (timeout_ms != 0 || kernel_->NowNs() != without_wait_ns_) waits_in_vain_ = 0;
  without_wait_ns_ = kernel_->NowNs();
  if (kernel_->fibers().OnFiber() && ++waits_in_vain_ > kMostInVain) {
    kernel_->Violate("a thread takes turns without a pause");
    kernel_->fibers().WaitUntil([] { return false; }, kNever);
  }
  kernel_->Trace("wait", pending_.size(), accepting_.size(), timeout_ms);
  kernel_->fibers().MayStop();
  const std::uint64_t until_ns =
      timeout_ms < 0 ? kNever
                     : kernel_->NowNs() + static_cast<std::uint64_t>(timeout_ms) * 1'000'000;
  counters_->Add(Counter::kOsCalls);
  for (;;) {
    kernel_->Arrive();
    const bool reported = ReportSome(Reports::kEverything);
    if (reported || woken_ || kernel_->NowNs() >= until_ns) break;
    if (kernel_->fibers().OnFiber()) {
      kernel_->fibers().WaitUntil([this] { return woken_ || HasReady(); }, until_ns);
      continue;
    }
    const std::uint64_t next_ns = std::min(until_ns, kernel_->NextEvent());
    if (next_ns == kNever) return kernel_->StandStill();
    kernel_->AdvanceTo(next_ns, Fibers::Stops::kByChance);
  }
  if (woken_) counters_->Add(Counter::kPortWakeups);
  woken_ = false;
}

// The submitter may wait for a thread that it has woken (Drive::TakeBack): it has to run then.
void SimBackend::Wake() {
  woken_ = true;
  if (kernel_->fibers().OnFiber()) return;
  if (!kernel_->fibers().RunDue(Fibers::Stops::kNever)) {
    kernel_->Violate("a thread does not come to rest");
  }
}

void SimBackend::Report() { ReportSome(Reports::kWithoutTheSystem); }

bool SimBackend::ReceiveAhead() {
  if (kernel_->choices().OneIn(2)) return false;
  for (const Pending& pending : pending_) {
    if (pending.kind != OperationKind::kReceive || pending.looks_at_once || !IsReady(pending)) {
      continue;
    }
    return ReportOperation(pending.number);
  }
  return false;
}

// --- Reporting

void SimBackend::Collect(Reports what, std::vector<Ready>* out) const {
  for (const Pending& pending : pending_) {
    const bool is_known =
        pending.result != 0 || OperationOf(pending).state == OperationState::kCancelling;
    if (what == Reports::kWithoutTheSystem && !is_known) continue;
    if (IsReady(pending)) out->push_back({pending.number, nullptr});
  }
  for (const Accepting& accepting : accepting_) {
    const bool is_known = accepting.state == AcceptState::kStopping;
    if (what == Reports::kWithoutTheSystem && !is_known) continue;
    if (IsReady(accepting)) out->push_back({0, accepting.listener});
  }
}

// What is reported may end what else was ready, and so is looked up again.
bool SimBackend::ReportSome(Reports what) {
  std::vector<Ready> ready;
  Collect(what, &ready);
  if (ready.empty()) return false;
  bool any = false;
  while (!ready.empty()) {
    const std::size_t at = kernel_->choices().Below(static_cast<std::uint32_t>(ready.size()));
    const Ready one = ready[at];
    ready.erase(ready.begin() + static_cast<std::ptrdiff_t>(at));
    if (!ReportOne(one)) continue;
    any = true;
    counters_->Add(Counter::kPackets);
    if (kernel_->choices().OneIn(4)) break;
  }
  if (any) counters_->Add(Counter::kBatches);
  return any;
}

bool SimBackend::ReportOne(const Ready& ready) {
  if (ready.number != 0) return ReportOperation(ready.number);
  return ReportAccept(ready.listener);
}

// False if nothing was reported: it is gone, or goes on waiting.
bool SimBackend::ReportOperation(std::uint64_t number) {
  Pending* pending = Find(number);
  if (pending == nullptr || !IsReady(*pending)) return false;
  switch (pending->kind) {
    case OperationKind::kReceive:
      return ReportReceive(*pending);
    case OperationKind::kReadable:
      return ReportReadable(*pending);
    case OperationKind::kSend:
      return ReportSend(*pending);
    case OperationKind::kConnect:
      return ReportConnect(*pending);
    case OperationKind::kShutdown:
    case OperationKind::kAccept:
    case OperationKind::kLook:
      break;
  }
  return false;
}

}  // namespace completion_port::sim
