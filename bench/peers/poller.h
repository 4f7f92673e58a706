// epoll, as far as the servers on it have it alike.
#ifndef BENCH_PEERS_POLLER_H_
#define BENCH_PEERS_POLLER_H_

#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <vector>

#include "peer.h"

class Poller {
 public:
  void Add(int fd, std::uint32_t events, void* data) { Control(EPOLL_CTL_ADD, fd, events, data); }
  void Modify(int fd, std::uint32_t events, void* data) {
    Control(EPOLL_CTL_MOD, fd, events, data);
  }
  void Remove(int fd) { Control(EPOLL_CTL_DEL, fd, 0, nullptr); }

  // Calls `on_ready` with the data of each that is ready. A timeout of -1 is none.
  template <typename OnReady>
  void Wait(int timeout_ms, OnReady on_ready) {
    const int count = epoll_wait(epoll_, events_.data(), kEventsPerWait, timeout_ms);
    for (int i = 0; i < count; ++i) on_ready(events_[static_cast<std::size_t>(i)].data.ptr);
  }

 private:
  static constexpr int kEventsPerWait = 1024;

  void Control(int operation, int fd, std::uint32_t events, void* data) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = data;
    if (epoll_ctl(epoll_, operation, fd, &event) != 0) Fail("epoll_ctl", errno);
  }

  const int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<epoll_event> events_{kEventsPerWait};
};

// Connections that wait for `events`, each a new Connection{fd}, beside their listener.
template <typename Connection>
class ConnectionPoller : public Poller {
 public:
  explicit ConnectionPoller(std::uint32_t events) : events_(events) {
    Add(listener_, EPOLLIN, nullptr);
  }

  // Calls `serve` with each connection that is ready.
  template <typename Serve>
  void Turn(Serve serve) {
    Wait(-1, [&](void* data) {
      if (data == nullptr) return Accept();
      serve(static_cast<Connection*>(data));
    });
  }

 private:
  void Accept() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      SetNoDelay(fd);
      Add(fd, events_, new Connection{fd});
    }
  }

  const std::uint32_t events_;
  const int listener_ = Listen();
};

#endif  // BENCH_PEERS_POLLER_H_
