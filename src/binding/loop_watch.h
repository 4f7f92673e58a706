// How a port that the event loop waits in learns that libuv has something to do.
#ifndef IOCP_NET_BINDING_LOOP_WATCH_H_
#define IOCP_NET_BINDING_LOOP_WATCH_H_

#include <memory>

#include "completion_port/completion_port.h"
#include "libuv.h"

namespace iocp_net {

class LoopWatch {
 public:
  virtual ~LoopWatch() = default;
  // Whether libuv must be asked first: it has taken on something that it has not told the system.
  virtual bool MustPoll() const = 0;
  // From here until it returns from its wait, the port is woken when libuv has something.
  virtual void BeforeWait() = 0;
  // Whether libuv is known to have had nothing to do since BeforeWait().
  virtual bool IsQuiet() const = 0;
  // Before the loop closes. Nothing is watched any more.
  virtual void Stop() = 0;
};

// Null where this loop cannot be watched. loop_watch_posix.cc, loop_watch_windows.cc.
std::unique_ptr<LoopWatch> WatchLoop(const Libuv& uv, UvLoop* loop, completion_port::Port* port);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_LOOP_WATCH_H_
