// The threads of a port, as fibers of the one thread that runs a scenario. A fiber runs until it
// waits for something, or until chance stops it where it asks the system for something: so the
// consumer acts at every moment of a thread's turn at which it can make a difference, and the same
// scenario always goes the same way.
//
// A fiber is never stopped while it holds a lock: those calls of the system that the core makes
// under one are no such places (CloseSocket).
#ifndef COMPLETION_PORT_TEST_SIM_FIBERS_H_
#define COMPLETION_PORT_TEST_SIM_FIBERS_H_

#include <ucontext.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "choices.h"

namespace completion_port::sim {

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

class Fibers {
 public:
  Fibers(Choices* choices, const std::uint64_t* now_ns) : choices_(choices), now_ns_(now_ns) {}
  ~Fibers();
  Fibers(const Fibers&) = delete;
  Fibers& operator=(const Fibers&) = delete;

  // Runs at once, up to its first wait. Returns its number.
  std::size_t Start(void (*body)(void*), void* context);
  bool IsDone(std::size_t fiber) const;

  bool OnFiber() const { return running_ != nullptr; }
  // Of the fiber that runs: until that holds, or that time has come.
  void WaitUntil(std::function<bool()> holds, std::uint64_t until_ns);
  // A place where a fiber may be stopped.
  void MayStop();

  enum class Stops : std::uint8_t { kNever, kByChance };
  // Every fiber that can go on does, until all wait, or one was stopped. False where they do not
  // come to rest.
  bool RunDue(Stops stops);
  // When the first of them goes on although nothing happens.
  std::uint64_t NextDeadline() const;
  bool AllWait() const;

 private:
  enum class State : std::uint8_t { kStopped, kWaiting, kDone };
  struct Fiber {
    ucontext_t context;
    std::unique_ptr<std::uint8_t[]> stack;
    void (*body)(void*);
    void* argument;
    State state = State::kStopped;
    std::function<bool()> holds;
    std::uint64_t until_ns = 0;
  };
  static void Run(unsigned low, unsigned high);
  bool CanGoOn(const Fiber& fiber) const;
  void SwitchTo(Fiber& fiber);
  void SwitchBack();

  Choices* const choices_;
  const std::uint64_t* const now_ns_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  Fiber* running_ = nullptr;
  Stops stops_ = Stops::kNever;
  ucontext_t main_;
};

}  // namespace completion_port::sim

#endif  // COMPLETION_PORT_TEST_SIM_FIBERS_H_
