// The turn of a port. Whoever drives sleeps only inside Backend::Wait, and only after it has
// announced so.
#include "port_core.h"

#include <algorithm>
#include <utility>

#include "allocation.h"

namespace completion_port {

namespace {

constexpr std::uint64_t kTrimIntervalNs = 1'000'000'000;
// While accepts are held back: how often to look whether siblings' accepts have been read.
constexpr std::uint64_t kLookAtSiblingsMs = 10;
// How long the queue is not asked while receives ahead of it bring something.
constexpr std::uint64_t kUnaskedNs = 200'000;
constexpr std::uint64_t kNsPerMs = 1'000'000;
constexpr std::uint64_t kNoDeadlineMs = ~std::uint64_t{0};
constexpr std::uint64_t kLongestWaitMs = 60'000;
// Stopping: how often to look for sends that still go through without waiting, and how long to
// wait for cancelled operations to come back.
constexpr int kFlushRounds = 64;
constexpr std::uint64_t kReapMs = 3000;

}  // namespace

PortCore::PortCore(PortGroup* group, std::uint32_t ordinal, const PortOptions& options)
    : group_(group),
      ordinal_(ordinal),
      options_(options),
      connections_(std::min(options.socket_capacity, kIndexMask)),
      listeners_(4096),
      datagrams_(std::min(options.socket_capacity, kIndexMask)),
      helper_(this, &drive_) {
  header_.Use(options.ring_memory);
  drive_.Use(options.ring_memory);
  submissions_.Use(options.ring_memory, kSubmissionsOffset, options.submission_entries);
  completions_.Use(options.ring_memory, CompletionsOffset(options.submission_entries),
                   options.completion_entries);
  counters_.Use(static_cast<std::uint8_t*>(options.ring_memory) + kCountersOffset);
  has_memory_ = chunks_.Use(options.receive_slab, options.receive_slab_bytes) &&
                connections_.HasMemory() && listeners_.HasMemory() && datagrams_.HasMemory();
  counters_.Set(Counter::kChunksTotal, chunks_.Total());
}

PortCore::~PortCore() {
  RequestStop();
  Join();
}

// One turn: take what was submitted, hand it to the OS and wait, publish what completed.
void PortCore::TakeTurn(int limit_ms) {
  turn_began_ns_ = os::NowNs();
  TakeSubmissions();
  TakeInbox();
  ResumeHeldAccepts();
  ServeListedPinned();
  const bool may_sleep = !ServeStarved();
  IssueListedSends();
  ExpireLingering();
  TrimWhenIdle();
  FlushOverflow();
  PublishCompletions();
  SleepAndWait(may_sleep ? limit_ms : 0);
  FlushOverflow();
  PublishCompletions();
}

void PortCore::SleepAndWait(int limit_ms) {
  const bool is_thread = drive_.Now() == Driver::kThread;
  // Whoever drives and reads in one has read before it waits.
  if (!is_thread && (CompletionsReady() != 0 || woken_.load())) limit_ms = 0;
  int timeout_ms = limit_ms == 0 ? 0 : NextTimeoutMs(limit_ms);
  const bool is_timed = !is_thread && timeout_ms != 0;
  // Not for long, so that nobody else waits for long.
  const bool may_be_ahead = is_timed && turn_began_ns_ - queue_asked_ns_ < kUnaskedNs;
  if (may_be_ahead && backend_->ReceiveAhead()) return;
  if (timeout_ms != 0) {
    // Also for a submitter that drives: siblings hand it sockets meanwhile.
    header_.At(kChunksWanted).store(IsAnyStarved() ? 1 : 0);
    header_.FallAsleep(kPortAsleep);
    if (HasWorkBeforeSleep()) timeout_ms = 0;
  }
  if (is_thread || timeout_ms == 0) {
    backend_->Wait(timeout_ms);
  } else {
    backend_->WatchAgain();
    const std::uint64_t before_ns = os::NowNs();
    backend_->Wait(timeout_ms);
    waited_until_ns_ = os::NowNs();
    queue_asked_ns_ = waited_until_ns_;
    counters_.Add(Counter::kWaitedNs, waited_until_ns_ - before_ns);
  }
  if (!is_thread) woken_.store(false);
  header_.StayAwake(kPortAsleep);
}

// The last look: what was done before the flag was seen must not wait for a wake-up.
bool PortCore::HasWorkBeforeSleep() {
  const bool has_room = !overflow_.empty() && completions_.HasRoom();
  // A helper is told to stop by itself: until then it would take turn after turn without a pause.
  const bool stops = options_.driving == Driving::kThread && stopping_.load();
  return has_room || submissions_.Available() != 0 || inbox_filled_.load() || stops;
}

int PortCore::NextTimeoutMs(int limit_ms) {
  std::uint64_t own_ms = kNoDeadlineMs;
  if (!lingering_.empty()) {
    const std::uint64_t now_ms = os::NowMs();
    const std::uint64_t deadline_ms = lingering_.Front().deadline_ms;
    own_ms = deadline_ms <= now_ms ? 0 : deadline_ms - now_ms;
  }
  if (trim_planned_) {  // for later than this turn's beginning: TrimWhenIdle() has seen to that
    own_ms = std::min(own_ms, (next_trim_ns_ - turn_began_ns_) / kNsPerMs + 1);
  }
  // That the consumer has read on in a sibling's ring is the sibling's to hear of, not ours.
  const bool looks_at_siblings = accepts_held_ && group_->accepting_.size() > 1;
  if (looks_at_siblings) own_ms = std::min(own_ms, kLookAtSiblingsMs);
  if (own_ms == kNoDeadlineMs) return limit_ms;
  const int shortest_ms = static_cast<int>(std::min(own_ms, kLongestWaitMs));
  return limit_ms < 0 ? shortest_ms : std::min(limit_ms, shortest_ms);
}

// --- Submissions

void PortCore::TakeSubmissions() {
  // What was there at the start, so that a submitter that never stops cannot keep the OS waiting.
  const std::uint32_t count = submissions_.Available();
  for (std::uint32_t i = 0; i < count; ++i) Dispatch(submissions_.Read(i));
  if (count != 0) submissions_.Advance(count);
}

void PortCore::Dispatch(const Submission& submission) {
  switch (static_cast<Opcode>(submission.opcode)) {
    case Opcode::kConnect:
      return Connect(submission);
    case Opcode::kAccept:
      return Accept(submission);
    case Opcode::kReceive:
      return Receive(submission);
    case Opcode::kRelease:
      return Release(submission);
    case Opcode::kSend:
      return Send(submission);
    case Opcode::kShutdown:
      return Shutdown(submission);
    case Opcode::kClose:
      return Close(submission);
    case Opcode::kCloseListener:
      return CloseListener(submission);
    case Opcode::kAwaitReadable:
      return AwaitReadable(submission);
    case Opcode::kAwaitWritable:
      return AwaitWritable(submission);
    case Opcode::kCloseDatagrams:
      return CloseDatagrams(submission);
    case Opcode::kNone:
    case Opcode::kLinger:
    case Opcode::kCount:
      return;  // not submissions: nothing to do, nothing to complete
  }
}

bool PortCore::HandOver(const AcceptedSocket& accepted) {
  {
    std::lock_guard<std::mutex> lock(inbox_mutex_);
    if (inbox_closed_) {
      // The group stops: nobody is left to serve it.
      os::CloseSocket(accepted.socket, accepted.kind);
      return true;
    }
    if (!inbox_.TryPush(accepted)) return false;
    load_.fetch_add(1, std::memory_order_relaxed);
    inbox_filled_.store(true);
  }
  if (header_.TakeSleeper(kPortAsleep)) backend_->Wake();
  return true;
}

void PortCore::TakeInbox() {
  if (!inbox_filled_.load()) return;
  GrowableArray<AcceptedSocket> accepted;
  {
    std::lock_guard<std::mutex> lock(inbox_mutex_);
    accepted.Swap(inbox_);
    adopting_ = static_cast<std::uint32_t>(accepted.size());
    inbox_filled_.store(false);
  }
  for (const AcceptedSocket& one : accepted) Adopt(one);
}

// --- Completions

void PortCore::Complete(Opcode opcode, std::uint32_t id, std::int32_t result, std::uint32_t arg0,
                        std::uint32_t arg1) {
  counters_.AddCompleted(opcode, opcode == Opcode::kSend ? arg0 : 1);
  if (opcode == Opcode::kAccept) NoteAcceptCompletion();
  Completion completion{};
  completion.opcode = static_cast<std::uint32_t>(opcode);
  completion.id = id;
  completion.result = result;
  completion.arg0 = arg0;
  completion.arg1 = arg1;
  if (overflow_.empty() && completions_.Write(completion)) return;
  if (!overflow_.TryPush(completion)) EndForWantOfMemory();
}

void PortCore::FlushOverflow() {
  if (overflow_.empty()) return;  // nor is anything announced
  while (!overflow_.empty()) {
    if (completions_.Write(overflow_.Front())) {
      overflow_.PopFront();
      continue;
    }
    // Announce, then look once more: the consumer reads the flag after it has made room.
    if (header_.At(kCompletionOverflow).exchange(1) == 1) return;
  }
  if (!accepts_held_) header_.At(kCompletionOverflow).store(0);
}

void PortCore::PublishCompletions() {
  if (!completions_.Publish()) return;
  counters_.Set(Counter::kChunksInUse, chunks_.InUse());
  if (stopping_.load() || !header_.TakeSleeper(kConsumerAsleep)) return;
  counters_.Add(Counter::kConsumerWakeups);
  options_.wake_consumer(options_.wake_context);
}

bool PortCore::ConsumerSleeps() {
  const auto has_read_all = [this] {
    return header_.At(kCompletionTail).load() == header_.At(kCompletionHead).load();
  };
  if (!has_read_all()) return false;
  header_.FallAsleep(kConsumerAsleep);
  // If the flag is gone, a wake-up is on its way, and must be the only one.
  return has_read_all() || !header_.TakeSleeper(kConsumerAsleep);
}

// Chunks are in use. What a busy second touched is cold only after a quiet one, so there is always
// one more look after the last that found something to have happened.
void PortCore::PlanTrim() {
  chunks_used_since_trim_ = true;
  if (trim_planned_) return;
  trim_planned_ = true;
  next_trim_ns_ = os::NowNs() + kTrimIntervalNs;
}

void PortCore::TrimWhenIdle() {
  if (!trim_planned_) return;
  if (turn_began_ns_ < next_trim_ns_) return;
  counters_.Add(Counter::kChunksTrimmed, chunks_.Trim() + backend_->TrimPosted());
  counters_.Set(Counter::kChunksInUse, chunks_.InUse());  // the last may have come back unannounced
  next_trim_ns_ = turn_began_ns_ + kTrimIntervalNs;
  trim_planned_ = chunks_used_since_trim_;
  chunks_used_since_trim_ = false;
}

// --- Stopping

void PortCore::StopEverything() {
  {
    std::lock_guard<std::mutex> lock(inbox_mutex_);
    inbox_closed_ = true;
  }
  // What was written before the end goes out as far as it goes without waiting, as the writes of
  // a program that exits would: node:net has made its system calls by then.
  TakeInbox();
  for (int round = 0; round < kFlushRounds; ++round) {
    packet_sends_ = 0;
    TakeSubmissions();
    IssueListedSends();
    backend_->Wait(0);
    if (round > 0 && packet_sends_ == 0) break;
  }
  listeners_.ForEachLive([this](Listener& listener) {
    if (listener.state == ListenerState::kAccepting) {
      listener.state = ListenerState::kCancelling;
      backend_->Cancel(listener);
    } else if (listener.state == ListenerState::kPrepared) {
      FreeListener(listener);
    }
  });
  connections_.ForEachLive([this](Connection& connection) {
    if (connection.state != ConnectionState::kCancelling) CancelAndClose(connection);
  });
  datagrams_.ForEachLive([this](DatagramSocket& datagrams) { CloseDatagrams(datagrams); });
  const std::uint64_t deadline_ms = os::NowMs() + kReapMs;
  while (HoldsMemory() && os::NowMs() < deadline_ms) backend_->Wait(10);
  FlushOverflow();
  PublishCompletions();  // not announced, but there for whoever looks
}

// --- The group

PortGroup::PortGroup() = default;

PortGroup::~PortGroup() {
  Stop();
  for (auto& port : ports_) {
    // The kernel did not give something back in time. Freed memory that it still writes to is
    // worse than lost memory.
    if (port->HoldsMemory()) static_cast<void>(port.release());
  }
}

Error PortGroup::Add(const PortOptions& options, Port** port) {
  auto core = TryMake<PortCore>(this, static_cast<std::uint32_t>(ports_.size()), options);
  if (core == nullptr) return Error::kNoMemory;
  const Error error = core->Start();
  if (error != Error::kOk) return error;
  *port = core.get();
  if (options.takes_accepted) accepting_.push_back(core.get());
  ports_.push_back(std::move(core));
  return Error::kOk;
}

void PortGroup::Stop() {
  for (auto& port : ports_) port->RequestStop();
  for (auto& port : ports_) port->Join();
}

}  // namespace completion_port
