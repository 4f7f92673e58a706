// Windows: libuv waits in a completion port of its own, and one port cannot wait for another. So a
// thread, the sentinel, waits there while the loop waits in ours. It gives the packet that it takes
// back to libuv's port, where libuv finds it a moment later, and wakes ours.
//
// It is told to only before the loop waits, so that a busy loop has its packets to itself. The
// packet goes behind those that came meanwhile, which libuv does not mind: each is of a request of
// its own.
//
// libuv's port lets one thread run. That keeps no packet from the sentinel: the loop's thread
// counts there only until it waits elsewhere, in our port or on any other object.
#include <process.h>
#include <windows.h>

#include <atomic>

#include "loop_watch.h"

namespace iocp_net {

namespace {

class Sentinel final : public LoopWatch {
 public:
  Sentinel(HANDLE loop_port, completion_port::Port* port) : loop_port_(loop_port), port_(port) {}
  ~Sentinel() override { Stop(); }

  bool Start() {
    told_ = CreateEventW(nullptr, FALSE, FALSE, nullptr);
    if (told_ == nullptr) return false;
    const std::uintptr_t thread = _beginthreadex(nullptr, 0, Run, this, 0, nullptr);
    thread_ = reinterpret_cast<HANDLE>(thread);
    return thread != 0;
  }

  bool MustPoll() const override { return false; }

  void BeforeWait() override {
    if (!is_waiting_.exchange(true)) SetEvent(told_);
  }

  bool IsQuiet() const override { return is_waiting_.load(); }

  void Stop() override {
    if (thread_ != nullptr) {
      stopping_.store(true);
      SetEvent(told_);
      // Wherever it waits. libuv takes no notice of a packet without an OVERLAPPED.
      PostQueuedCompletionStatus(loop_port_, 0, 0, nullptr);
      WaitForSingleObject(thread_, INFINITE);
      CloseHandle(thread_);
      thread_ = nullptr;
    }
    if (told_ != nullptr) CloseHandle(told_);
    told_ = nullptr;
  }

 private:
  static unsigned __stdcall Run(void* sentinel) {
    static_cast<Sentinel*>(sentinel)->Watch();
    return 0;
  }

  void Watch() {
    for (;;) {
      WaitForSingleObject(told_, INFINITE);
      if (stopping_.load()) return;
      DWORD bytes = 0;
      ULONG_PTR key = 0;
      OVERLAPPED* overlapped = nullptr;
      GetQueuedCompletionStatus(loop_port_, &bytes, &key, &overlapped, INFINITE);
      // Its result is in the OVERLAPPED, untouched. Where the system has no memory for the packet,
      // libuv must have it all the same.
      while (overlapped != nullptr &&
             !PostQueuedCompletionStatus(loop_port_, bytes, key, overlapped)) {
        Sleep(1);
      }
      is_waiting_.store(false);
      if (stopping_.load()) return;
      port_->Wake();
    }
  }

  const HANDLE loop_port_;
  completion_port::Port* const port_;
  HANDLE told_ = nullptr;
  HANDLE thread_ = nullptr;
  std::atomic<bool> is_waiting_{false};  // told to wait, and has not come back
  std::atomic<bool> stopping_{false};
};

}  // namespace

std::unique_ptr<LoopWatch> WatchLoop(const Libuv&, UvLoop* loop, completion_port::Port* port) {
  // Is uv_loop_t what we take it for? Only a completion port takes a packet; libuv takes no notice
  // of this one.
  const HANDLE loop_port = loop->iocp;
  if (!PostQueuedCompletionStatus(loop_port, 0, 0, nullptr)) return nullptr;
  std::unique_ptr<Sentinel> sentinel(new (std::nothrow) Sentinel(loop_port, port));
  if (sentinel == nullptr || !sentinel->Start()) return nullptr;
  return sentinel;
}

}  // namespace iocp_net
