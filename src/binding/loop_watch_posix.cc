// POSIX: libuv waits in a descriptor that can itself be waited for, so it joins the port's queue.
#include "loop_watch.h"

#include <new>

namespace iocp_net {

namespace {

class DescriptorWatch final : public LoopWatch {
 public:
  DescriptorWatch(const UvLoop* loop, const completion_port::Port* port)
      : loop_(loop), port_(port) {}

  // libuv tells the system of a new descriptor no sooner than in its own poll. Until then its
  // descriptor says nothing of it.
  bool MustPoll() const override { return loop_->watcher_queue.next != &loop_->watcher_queue; }
  void BeforeWait() override {}
  bool IsQuiet() const override { return port_->WatchIsQuiet() && !MustPoll(); }
  void Stop() override {}

 private:
  const UvLoop* const loop_;
  const completion_port::Port* const port_;
};

}  // namespace

std::unique_ptr<LoopWatch> WatchLoop(const Libuv& uv, UvLoop* loop, completion_port::Port* port) {
  const int descriptor = uv.backend_fd(loop);
  // Is uv_loop_t what we take it for?
  if (descriptor < 0 || loop->backend_fd != descriptor) return nullptr;
  if (port->WatchDescriptor(descriptor) != completion_port::Error::kOk) return nullptr;
  return std::unique_ptr<LoopWatch>(new (std::nothrow) DescriptorWatch(loop, port));
}

}  // namespace iocp_net
