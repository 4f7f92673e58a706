// Datagram sockets in an epoll set: that of the epoll backend, or the one that an io_uring watches.
//
// Each is in the set from its first wait on, edge-triggered, for what can be received; for what can
// be sent only once a send had to wait. What an event said is remembered until somebody is told of
// it, so that none is lost which comes while nobody waits. Nothing is ever with the kernel.
#ifndef COMPLETION_PORT_BACKEND_DATAGRAMS_LINUX_H_
#define COMPLETION_PORT_BACKEND_DATAGRAMS_LINUX_H_

#include <cstdint>
#include <vector>

#include "backend/backend.h"

namespace completion_port {

class DatagramSet {
 public:
  // `tag` is added to the pointer to a socket in the data of its events.
  void Use(int epoll_fd, std::uint64_t tag, BackendEvents* events, Counters* counters);

  Error Attach(DatagramSocket& datagrams);
  void AwaitReadable(DatagramSocket& datagrams, bool may_be_now);
  void AwaitWritable(DatagramSocket& datagrams);
  void Detach(DatagramSocket& datagrams);

  // What epoll says of one. Calls no event of the core.
  void Note(DatagramSocket& datagrams, std::uint32_t epoll_events);
  bool HasToReport() const { return !to_report_.empty(); }
  // Calls the events. False if there was none.
  bool Report();

 private:
  int Control(int operation, DatagramSocket& datagrams, std::uint32_t epoll_events);
  void List(DatagramSocket& datagrams);
  void Report(DatagramSocket& datagrams);

  int epoll_fd_ = -1;
  std::uint64_t tag_ = 0;
  BackendEvents* events_ = nullptr;
  Counters* counters_ = nullptr;
  std::vector<DatagramSocket*> to_report_;
  std::vector<DatagramSocket*> reporting_;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_DATAGRAMS_LINUX_H_
