// The end of an overlapped call, brought to a completion port with which the handle is not
// associated.
//
// A file can be associated with one completion port, ever, and all its duplicates, in whatever
// process, are the same file. So of the processes that share a listening socket none associates it:
// each gives its calls an event, and the system's wait thread turns the event into a packet.
#ifndef COMPLETION_PORT_BACKEND_IOCP_EVENT_SIGNAL_H_
#define COMPLETION_PORT_BACKEND_IOCP_EVENT_SIGNAL_H_

#include "os/socket.h"

namespace completion_port {

class IocpEventSignal {
 public:
  IocpEventSignal() = default;
  IocpEventSignal(const IocpEventSignal&) = delete;
  IocpEventSignal& operator=(const IocpEventSignal&) = delete;
  // Waits until no packet is being posted any more.
  ~IocpEventSignal();

  // From here each call that ends with event() in `overlapped` puts one packet into `port`. One
  // call at a time. 0 or a Windows error.
  int Open(HANDLE port, OVERLAPPED* overlapped);

  // For OVERLAPPED::hEvent. The low bit keeps the packet out of a completion port that somebody
  // else may have associated the file with.
  HANDLE event() const {
    return reinterpret_cast<HANDLE>(reinterpret_cast<ULONG_PTR>(event_) | ULONG_PTR{1});
  }

 private:
  static VOID CALLBACK Post(PVOID signal, BOOLEAN timed_out);

  HANDLE port_ = nullptr;
  OVERLAPPED* overlapped_ = nullptr;
  HANDLE event_ = nullptr;
  HANDLE wait_ = nullptr;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IOCP_EVENT_SIGNAL_H_
