// An echo server of one thread on epoll: one receive and one send for each message.
#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "peer.h"

namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

struct Connection {
  int fd;
  std::vector<char> unsent;  // nothing is received until it is gone
  std::size_t sent = 0;
};

class Server {
 public:
  Server() : listener_(Listen()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    Control(EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
  }

  [[noreturn]] void Run() {
    std::vector<epoll_event> events(1024);
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        if (event.data.ptr == nullptr) {
          Accept();
        } else {
          Serve(static_cast<Connection*>(event.data.ptr));
        }
      }
    }
  }

 private:
  void Control(int operation, int fd, std::uint32_t events, Connection* connection) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = connection;
    if (epoll_ctl(epoll_, operation, fd, &event) != 0) Fail("epoll_ctl", errno);
  }

  void Accept() {
    int fd;
    while ((fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
      SetNoDelay(fd);
      Control(EPOLL_CTL_ADD, fd, EPOLLIN, new Connection{fd, {}});
    }
  }

  void Serve(Connection* connection) {
    if (!connection->unsent.empty()) return SendRest(connection);
    const ssize_t got = recv(connection->fd, buffer_, kBufferBytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close(connection);
    const ssize_t taken = send(connection->fd, buffer_, static_cast<std::size_t>(got), 0);
    if (taken == got) return;
    if (taken < 0 && errno != EAGAIN) return Close(connection);
    connection->unsent.assign(buffer_ + (taken > 0 ? taken : 0), buffer_ + got);
    connection->sent = 0;
    Control(EPOLL_CTL_MOD, connection->fd, EPOLLOUT, connection);
  }

  void SendRest(Connection* connection) {
    auto& unsent = connection->unsent;
    const ssize_t taken =
        send(connection->fd, unsent.data() + connection->sent, unsent.size() - connection->sent, 0);
    if (taken < 0) {
      if (errno != EAGAIN) Close(connection);
      return;
    }
    connection->sent += static_cast<std::size_t>(taken);
    if (connection->sent < unsent.size()) return;
    unsent.clear();
    Control(EPOLL_CTL_MOD, connection->fd, EPOLLIN, connection);
  }

  void Close(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  int listener_;
  int epoll_;
  char buffer_[kBufferBytes];
};

}  // namespace

int main() { std::make_unique<Server>()->Run(); }
