// What both Linux backends need to accept: what a failed accept means, and what to do when the
// process has no descriptor left.
#ifndef COMPLETION_PORT_BACKEND_ACCEPT_LINUX_H_
#define COMPLETION_PORT_BACKEND_ACCEPT_LINUX_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "os/socket.h"

namespace completion_port {

enum class AcceptTrouble {
  kOneConnection,  // the connection's own trouble: on to the next
  kNoDescriptor,   // see SpareDescriptor
  kShortage,       // passes by itself; until then connections wait in the backlog
  kOther,          // news for the submitter, once
};
AcceptTrouble ClassifyAcceptError(int os_error);

// Before an accept that failed for a reason that lasts is tried again.
inline constexpr int kAcceptPauseMs = 100;

// The shorter of two waits in milliseconds, of which the first may be without end (< 0).
inline int ShorterWait(int timeout_ms, std::uint64_t now_ms, std::uint64_t due_ms) {
  const int left_ms = due_ms <= now_ms ? 0 : static_cast<int>(due_ms - now_ms);
  return timeout_ms < 0 ? left_ms : std::min(timeout_ms, left_ms);
}

// The accepts of listeners from which other processes accept, too. A connection can wait there of
// which nobody was told, so each is looked at now and then.
template <typename Accept>
class SharedAccepts {
 public:
  void Add(Accept& accept) {
    if (accepts_.empty()) next_look_ms_ = os::NowMs() + kLookMs;
    accepts_.push_back(&accept);
  }
  void Remove(Accept& accept) { std::erase(accepts_, &accept); }

  // The wait, cut short where a look is due before its end.
  int UntilNextLook(int timeout_ms) const {
    if (accepts_.empty() || timeout_ms == 0) return timeout_ms;
    return ShorterWait(timeout_ms, os::NowMs(), next_look_ms_);
  }

  template <typename Look>
  void LookWhenDue(Look look) {
    if (accepts_.empty()) return;
    const std::uint64_t now_ms = os::NowMs();
    if (now_ms < next_look_ms_) return;
    next_look_ms_ = now_ms + kLookMs;
    for (Accept* accept : accepts_) look(*accept);
  }

 private:
  static constexpr int kLookMs = 100;

  std::vector<Accept*> accepts_;
  std::uint64_t next_look_ms_ = 0;
};

// A connection that waits on that listener now, as far as anybody can say.
bool HasConnectionWaiting(int listener);

// A server that has run out of descriptors turns its clients away, as libuv's does: left in the
// backlog they would wait for an answer that never comes. To be turned away a client must be
// accepted, and for that one descriptor is kept.
class SpareDescriptor {
 public:
  SpareDescriptor() = default;
  ~SpareDescriptor();
  SpareDescriptor(const SpareDescriptor&) = delete;
  SpareDescriptor& operator=(const SpareDescriptor&) = delete;

  // Gives it up, so that one accept succeeds. False where there is none, and none to be had.
  bool Lend();
  // After that accept: has it again, if there is one to be had.
  bool TakeBack();
  // After an accept that succeeded in place of the spare: if no further descriptor can be had,
  // closes the socket, takes its descriptor back and returns true.
  bool TurnsAway(int socket);

 private:
  int fd_ = -1;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_ACCEPT_LINUX_H_
