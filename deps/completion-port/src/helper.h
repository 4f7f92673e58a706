// The thread that drives while the submitter is away.
//
// The submitter drives its port itself, as long as it comes around to it. When it computes for
// long, bytes that it has written have to leave all the same, and other connections' bytes to
// arrive; and where it is saturated and a core is free, the system's work is better done beside it
// than by it.
//
// The thread must cost nothing while it is not needed. So nobody wakes it: when the submitter
// leaves its turn, an alarm is set, unless one is set already. When that rings, the thread looks.
// Has the submitter been away in one piece since the alarm was set, and submitted nothing, or does
// it say that it is saturated, the thread takes the drive, until the submitter wants it back. (Who
// submits goes through what has completed, and is about to come around.) Is the submitter away
// again, the alarm is set again. Waits the submitter for something to happen, the thread sleeps
// without an alarm. So a busy port costs one look per period, and an idle one nothing.
#ifndef COMPLETION_PORT_HELPER_H_
#define COMPLETION_PORT_HELPER_H_

#include <atomic>
#include <cstdint>

#include "drive.h"
#include "os/alarm.h"
#include "os/thread.h"

namespace completion_port {

class PortCore;

class Helper {
 public:
  Helper(PortCore* core, Drive* drive) : core_(core), drive_(drive) {}
  ~Helper() { Stop(); }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  // Without it, and where the system has no thread or alarm to give, nobody helps. The submitter
  // reads that in the header, as it must hold nothing back then.
  void Allow(int core, std::uint32_t away_us);

  // The submitter's, at the beginning and at the end of each of its turns.
  void SubmitterComes() { turn_.store(turn_.load(std::memory_order_relaxed) + 1); }
  void SubmitterLeaves();
  // While it is away it has handed over something, of which a part may be left.
  void SubmitterStays();
  // The submitter has found work in every turn for long. It leaves the driving to the thread.
  void SubmitterIsSaturated(bool saturated) { saturated_.store(saturated); }

  // Joins the thread. The drive is nobody's then, or the submitter's.
  void Stop();

 private:
  enum class State : std::uint8_t { kForbidden, kAllowed, kRunning };

  void Forbid();
  void SetAlarm(std::uint32_t turn);
  bool Start();
  void Run();
  void Look();
  void DriveUntilWanted();
  // Odd while the submitter is away from its turns.
  static bool IsAway(std::uint32_t turn) { return (turn & 1) != 0; }

  PortCore* const core_;
  Drive* const drive_;
  State state_ = State::kForbidden;  // the submitter's
  int pinned_to_ = -1;
  std::uint32_t away_us_ = 0;
  std::atomic<std::uint32_t> period_us_{0};  // of the alarm now
  std::atomic<std::uint32_t> turn_{1};
  std::atomic<std::uint32_t> alarm_turn_{0};  // the turn in which the alarm was set; 0: it is not
  std::atomic<std::uint32_t> alarm_tail_{0};  // of the submissions, when it was set
  std::atomic<bool> saturated_{false};
  std::atomic<bool> stopping_{false};
  os::Alarm alarm_;
  os::Thread thread_;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_HELPER_H_
