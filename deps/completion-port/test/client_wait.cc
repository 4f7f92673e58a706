// How a client waits: woken by the port's thread, or driving.
#include <algorithm>
#include <chrono>

#include "client.h"

namespace completion_port::test {

void Client::OnWake(void* context) {
  auto* client = static_cast<Client*>(context);
  std::lock_guard<std::mutex> lock(client->wake_mutex_);
  client->was_woken_ = true;
  client->woken_.notify_one();
}

bool Client::AnyAvailable() const {
  for (const auto& end : ends_) {
    if (end->completions.Available() != 0) return true;
  }
  return false;
}

bool Client::WaitUntil(const std::function<bool()>& done, int ms) {
  return WaitUntil(done,
                   std::chrono::steady_clock::now() + std::chrono::milliseconds(Patience(ms)));
}

bool Client::WaitUntil(const std::function<bool()>& done,
                       std::chrono::steady_clock::time_point deadline) {
  Flush();
  for (;;) {
    Drain();
    if (done()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    WaitForCompletions(deadline);
  }
}

void Client::WaitForCompletions(std::chrono::steady_clock::time_point deadline) {
  if (setup_.SubmitterDrives() && !stopped_) return DriveUntil(deadline);
  for (auto& end : ends_) end->header.FallAsleep(kConsumerAsleep);
  if (!AnyAvailable()) WaitToBeWoken(deadline);
  for (auto& end : ends_) end->header.StayAwake(kConsumerAsleep);
}

// Without a look in between: a wake-up that is lost here is a failed test.
void Client::WaitToBeWoken(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock<std::mutex> lock(wake_mutex_);
  woken_.wait_until(lock, deadline, [this] { return was_woken_; });
  was_woken_ = false;
}

// One turn of each port, of which one waits: to the end where there is but one, so that what is
// lost here is a failed test, too.
void Client::DriveUntil(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      deadline - std::chrono::steady_clock::now());
  const bool is_alone = ends_.size() == 1 && WaitingTurnsCount() <= 1;
  const int wait_ms = static_cast<int>(std::max<std::int64_t>(left.count(), 0) + 1);
  if (is_alone) {
    ends_[0]->port->Drive(wait_ms);
    return;
  }
  TakeWaitingTurns();
  if (setup_.helper) TakeTurns();
  waits_in_ = (waits_in_ + 1) % static_cast<std::uint32_t>(ends_.size());
  if (!AnyAvailable()) ends_[waits_in_]->port->Drive(std::min(wait_ms, 1));
}

// Reads nothing.
void Client::TakeTurns() {
  if (stopped_ || !setup_.SubmitterDrives()) return;
  for (auto& end : ends_) end->port->Drive(0);
}

bool Client::WaitCount(Counter counter, std::uint64_t least, int ms) {
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(ms));
  while (Count(counter) < least && NowMs() < deadline_ms) Pass(1);
  return Count(counter) >= least;
}

void Client::Pass(int ms) {
  WaitUntil([] { return false; }, std::chrono::steady_clock::now() + std::chrono::milliseconds(ms));
}

}  // namespace completion_port::test
