// Driving: the submitter's own turns, and the thread that takes them in its place (drive.h).
#include <algorithm>
#include <cstdio>

#include "port_core.h"

namespace completion_port {

namespace {

constexpr std::uint32_t kBatchWeight = 16;  // of the average: the last so many turns

}  // namespace

Error PortCore::Start() {
  if (!has_memory_) return Error::kNoMemory;
  Error error = os::StartSockets();
  if (error != Error::kOk) return error;
  backend_ = CreateBackend(options_.backend);
  if (backend_ == nullptr) {
    error = ProbeBackend(options_.backend);
    return error != Error::kOk ? error : Error::kNoMemory;
  }
  if (options_.driving == Driving::kThread) return StartThread();
  error = OpenQueue();
  if (error == Error::kOk && options_.helper && !backend_->BelongsToOneThread()) {
    helper_.Allow(options_.core, options_.helper_thresholds.away_us);
    can_be_saturated_ = os::UsableCores() > 1;
  }
  return error;
}

Error PortCore::StartThread() {
  const auto run = [](void* port) { static_cast<PortCore*>(port)->RunThread(); };
  Error error = thread_.Start(run, this);
  if (error != Error::kOk) return error;
  {
    std::unique_lock<std::mutex> lock(open_mutex_);
    queue_opened_.wait(lock, [this] { return opened_ != kOpening; });
    error = opened_;
  }
  if (error != Error::kOk) thread_.Join();
  return error;
}

void PortCore::RunThread() {
  char name[16];
  std::snprintf(name, sizeof(name), "cport-%u", ordinal_);
  os::NameThisThread(name);
  // A core that does not exist is the configuration's mistake, not a reason to go without a port.
  if (options_.core >= 0) os::PinThisThread(options_.core);
  // The queue is opened here because an io_uring with SINGLE_ISSUER belongs to its thread.
  const Error result = OpenQueue();
  drive_.TryTake(Driver::kThread);  // for life
  header_.At(kOffload).store(1);
  {
    std::lock_guard<std::mutex> lock(open_mutex_);
    opened_ = result;
    queue_opened_.notify_one();
  }
  if (result != Error::kOk) return;
  while (!stopping_.load()) TakeTurn(kNoLimit);
  StopEverything();
}

Error PortCore::OpenQueue() {
  BackendContext context;
  context.events = this;
  context.chunks = &chunks_;
  context.counters = &counters_;
  context.queue_entries = 1024;
  context.batch_sends = options_.batch_sends;
  const Error error = backend_->Open(context);
  queue_is_open_ = error == Error::kOk;
  return error;
}

void PortCore::RequestStop() {
  if (stopping_.exchange(true)) return;
  if (thread_.IsStarted()) backend_->Wake();
}

void PortCore::Join() {
  if (options_.driving == Driving::kThread) return thread_.Join();
  helper_.Stop();
  if (!queue_is_open_ || !drive_.TryTake(Driver::kSubmitter)) return;
  // Once: from then on the memory of the rings, which says who drives, may be gone.
  queue_is_open_ = false;
  StopEverything();  // and keeps the drive: nobody is to take another turn
}

// --- The submitter's turns

bool PortCore::HasCompletions() const { return CompletionsReady() != 0; }

bool PortCore::Drive(int timeout_ms) {
  if (options_.driving == Driving::kThread || stopping_.load()) return HasCompletions();
  helper_.SubmitterComes();
  const bool found = DriveOnce(timeout_ms);
  helper_.SubmitterLeaves();
  return found;
}

bool PortCore::DriveOnce(int timeout_ms) {
  if (!drive_.TryTake(Driver::kSubmitter)) {
    const std::uint32_t ready = CompletionsReady();
    LearnBatch(ready);
    if (ready != 0 && is_saturated_) {
      counters_.Add(Counter::kWorkFound);
      return true;
    }
    drive_.TakeBack(backend_.get());
  }
  waited_until_ns_ = 0;
  TakeTurn(timeout_ms);
  const std::uint64_t began_ns = turn_began_ns_;
  drive_.Release(Driver::kSubmitter);
  const std::uint32_t ready = CompletionsReady();
  if (can_be_saturated_) LearnLoad(began_ns, ready);
  return ready != 0;
}

CompletionCounts PortCore::Completed() const {
  CompletionCounts counts;
  counts.connects = connects_made_.load(std::memory_order_relaxed);
  counts.accepts = counters_.Completed(Opcode::kAccept);
  counts.arrivals = counts.accepts + counters_.Completed(Opcode::kReceive) +
                    counters_.Completed(Opcode::kAwaitReadable);
  counts.closes = counters_.Completed(Opcode::kClose) + counters_.Completed(Opcode::kLinger) +
                  counters_.Completed(Opcode::kCloseListener) +
                  counters_.Completed(Opcode::kCloseDatagrams);
  return counts;
}

std::uint32_t PortCore::CompletionsReady() const {
  return header_.At(kCompletionTail).load() - header_.At(kCompletionHead).load();
}

void PortCore::LearnBatch(std::uint32_t ready) {
  // In sixteenths, so that it moves at all.
  average_batch_ += ready - average_batch_ / kBatchWeight;
  const std::uint32_t average = average_batch_ / kBatchWeight;
  if (is_saturated_ && average < options_.helper_thresholds.few_completions) SetSaturated(false);
}

void PortCore::LearnLoad(std::uint64_t began_ns, std::uint32_t ready) {
  LearnBatch(ready);
  const HelperThresholds& thresholds = options_.helper_thresholds;
  const std::uint64_t now_ns = waited_until_ns_ != 0 ? waited_until_ns_ : began_ns;
  const bool was_idle = ready == 0 || now_ns - began_ns > thresholds.found_work_ns;
  if (was_idle) busy_since_ns_ = 0;
  if (was_idle || is_saturated_) return SetSaturated(!was_idle);
  if (busy_since_ns_ == 0) busy_since_ns_ = now_ns;
  const bool is_busy = now_ns - busy_since_ns_ > thresholds.saturated_after_ns;
  if (is_busy && average_batch_ / kBatchWeight >= thresholds.many_completions) SetSaturated(true);
}

void PortCore::SetSaturated(bool saturated) {
  if (is_saturated_ == saturated) return;
  is_saturated_ = saturated;
  header_.At(kOffload).store(saturated ? 1 : 0);
  helper_.SubmitterIsSaturated(saturated);
}

bool PortCore::Submit(SocketId id) {
  if (stopping_.load()) return false;
  if (options_.driving == Driving::kThread || !drive_.TryTake(Driver::kSubmitter)) {
    if (options_.driving == Driving::kThread || is_saturated_) {
      if (header_.TakeSleeper(kPortAsleep)) backend_->Wake();
      return false;
    }
    drive_.TakeBack(backend_.get());
  }
  TakeSubmissions();
  IssueListedSends();
  backend_->Report();
  FlushOverflow();
  PublishCompletions();
  const Connection* connection = connections_.Find(id);
  const bool is_sent = connection != nullptr && connection->sends.empty() &&
                       connection->send.state == OperationState::kIdle &&
                       connection->send_side != SendSide::kFailed;
  drive_.Release(Driver::kSubmitter);
  helper_.SubmitterStays();
  return is_sent;
}

void PortCore::CountHelper(std::uint64_t ns) {
  counters_.Add(Counter::kHelperTurns);
  counters_.Add(Counter::kHelperNs, ns);
}

// What the queue says of it may reach the helper, which is about to give the drive back.
void PortCore::Wake() {
  woken_.store(true);
  backend_->Wake();
}

}  // namespace completion_port
