// See helper.h.
#include "helper.h"

#include <algorithm>

#include "os/socket.h"
#include "port_core.h"

namespace completion_port {

namespace {

// How long the thread waits in one turn. The submitter may have written meanwhile without waking
// it, as it gathers what belongs together.
constexpr int kTurnMs = 1;
// A busy submitter that needs no help is looked at less often, down to once in so many periods.
constexpr std::uint32_t kMostPeriods = 8;

}  // namespace

void Helper::Allow(int core, std::uint32_t away_us) {
  state_ = State::kAllowed;
  pinned_to_ = core;
  away_us_ = away_us;
  period_us_.store(away_us);
  drive_->SetHelped(true);
}

void Helper::Forbid() {
  state_ = State::kForbidden;
  drive_->SetHelped(false);
}

void Helper::SubmitterLeaves() {
  const std::uint32_t turn = turn_.load(std::memory_order_relaxed) + 1;
  turn_.store(turn);
  SetAlarm(turn);
}

void Helper::SubmitterStays() { SetAlarm(turn_.load(std::memory_order_relaxed)); }

// In that turn, unless it is set already.
void Helper::SetAlarm(std::uint32_t turn) {
  if (state_ == State::kForbidden) return;
  // Sequentially consistent, as is the thread's part in Look: it takes the alarm, then reads the
  // turn. One of the two sees what the other has written, or the alarm would never be set again.
  if (alarm_turn_.load() != 0) return;
  if (core_->Load() == 0) return;
  if (state_ == State::kAllowed && !Start()) return;
  alarm_tail_.store(core_->SubmissionTail());
  alarm_turn_.store(turn);
  if (!alarm_.Set(period_us_.load())) alarm_turn_.store(0);  // the next turn sets it
}

bool Helper::Start() {
  Forbid();
  if (alarm_.Open() != Error::kOk) return false;
  const auto run = [](void* helper) { static_cast<Helper*>(helper)->Run(); };
  if (thread_.Start(run, this) != Error::kOk) return false;
  state_ = State::kRunning;
  drive_->SetHelped(true);
  return true;
}

void Helper::Run() {
  os::NameThisThread("cport-helper");
  if (pinned_to_ >= 0) os::PinThisThread(pinned_to_);
  while (!stopping_.load()) {
    alarm_.Wait();
    Look();
  }
}

void Helper::Look() {
  core_->CountLook();
  const std::uint32_t alarm_turn = alarm_turn_.exchange(0);
  std::uint32_t turn = turn_.load();
  const bool is_same_turn = turn == alarm_turn;
  const std::uint32_t tail = core_->SubmissionTail();
  const bool stands_still = is_same_turn && tail == alarm_tail_.load();
  const bool is_needed = stands_still || saturated_.load();
  // Who comes around again and again is likely to go on so.
  const std::uint32_t longer_us = std::min(period_us_.load() * 2, away_us_ * kMostPeriods);
  period_us_.store(is_same_turn ? away_us_ : longer_us);
  if (!IsAway(turn)) return;
  if (is_needed && drive_->TryTake(Driver::kThread)) {
    DriveUntilWanted();
    turn = turn_.load();
  }
  // Away again, or still: the submitter may have seen the alarm set and not set it itself.
  if (!IsAway(turn)) return;
  alarm_tail_.store(tail);
  std::uint32_t unset = 0;
  if (!alarm_turn_.compare_exchange_strong(unset, turn)) return;
  if (!alarm_.Set(period_us_.load())) alarm_turn_.store(0);
}

void Helper::DriveUntilWanted() {
  const std::uint64_t since_ns = os::NowNs();
  while (!drive_->IsWanted() && !stopping_.load()) core_->TakeTurn(kTurnMs);
  core_->CountHelper(os::NowNs() - since_ns);
  drive_->Release(Driver::kThread);
}

void Helper::Stop() {
  if (state_ == State::kRunning) {
    stopping_.store(true);
    core_->Wake();
    while (!alarm_.Set(1)) {  // or it would wait for ever, and who joins it
    }
    thread_.Join();
  }
  if (state_ != State::kForbidden) Forbid();
}

}  // namespace completion_port
