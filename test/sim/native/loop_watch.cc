// The simulated system knows no descriptor of libuv's. It need not: libuv waits for nothing that
// the scenarios do, but for what they are told when nothing is to come (OnStandstill).
#include "loop_watch.h"

#include <poll.h>

#include "simulation.h"

namespace iocp_net {

namespace {

class SimulatedWatch final : public LoopWatch {
 public:
  explicit SimulatedWatch(const UvLoop* loop) : loop_(loop) {}

  bool MustPoll() const override { return loop_->watcher_queue.next != &loop_->watcher_queue; }
  void BeforeWait() override {}
  // libuv may always be asked, though it has nothing; then a turn has a round of its own.
  bool IsQuiet() const override { return !MustPoll() && !sim::System().choices().OneIn(2); }
  void Stop() override {}

 private:
  const UvLoop* const loop_;
};

}  // namespace

std::unique_ptr<LoopWatch> WatchLoop(const Libuv& uv, UvLoop* loop, completion_port::Port*) {
  const int descriptor = uv.backend_fd(loop);
  if (descriptor < 0 || loop->backend_fd != descriptor) return nullptr;
  // As libuv would: until somebody says that he wants to know of it.
  sim::System().OnStandstill([descriptor] {
    pollfd waits{descriptor, POLLIN, 0};
    poll(&waits, 1, -1);
  });
  return std::make_unique<SimulatedWatch>(loop);
}

}  // namespace iocp_net
