// Who drives a port.
//
// To drive is to take one turn after another: hand over what was submitted, wait, reap, write
// completions. The state machines of a port have no lock of their own; what keeps two threads out
// of them is that one thread drives at any moment, the *driver*, and this is where it changes:
//
//        ┌──────────── Release ─────────────┐
//        ▼                                  │
//     kNobody ──TryTake──► kSubmitter ──────┤
//        │                                  │
//        └────TryTake──► kThread ───────────┘
//                           (asked to by TakeBack)
//
// The submitter takes the drive for each of its turns and lets it go when it goes back to its own
// work. A thread takes it while the submitter is away (helper.h), or once and for life
// (port_thread.h). The state lies in the shared header, where JavaScript reads it.
#ifndef COMPLETION_PORT_DRIVE_H_
#define COMPLETION_PORT_DRIVE_H_

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "backend/backend.h"
#include "ring.h"

namespace completion_port {

class Drive {
 public:
  void Use(void* memory) { header_.Use(memory); }

  // Whether a thread stands by, for the submitter to know.
  void SetHelped(bool helped) { header_.At(kHelped).store(helped ? 1 : 0); }

  Driver Now() const { return static_cast<Driver>(header_.At(kDriver).load()); }
  // True: the caller drives until it releases. A thread gets nothing that the submitter waits for.
  bool TryTake(Driver who);
  void Release(Driver who);

  // The submitter's: returns when the submitter drives. Lasts as long as the thread's turn, which a
  // wake-up shortens.
  void TakeBack(Backend* backend);
  // The thread's, between two turns: the submitter wants the drive back.
  bool IsWanted() const { return wanted_.load(); }

 private:
  RingHeader header_;
  std::atomic<bool> wanted_{false};
  std::mutex mutex_;  // of the wait in TakeBack alone
  std::condition_variable released_;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_DRIVE_H_
