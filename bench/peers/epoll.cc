// An echo server of one thread on epoll: one receive and one send for each message.
#include <sys/epoll.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "peer.h"

namespace {

struct Connection {
  int fd;
  std::vector<char> unsent;  // nothing is received until it is gone
  std::size_t sent = 0;
};

class Server {
 public:
  Server() : listener_(Listen()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    ControlEpoll(epoll_, EPOLL_CTL_ADD, listener_, EPOLLIN, nullptr);
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
  void Accept() {
    AcceptAll(listener_, [this](int fd) {
      ControlEpoll(epoll_, EPOLL_CTL_ADD, fd, EPOLLIN, new Connection{fd, {}});
    });
  }

  void Serve(Connection* connection) {
    if (!connection->unsent.empty()) return SendRest(connection);
    const ssize_t got = recv(connection->fd, buffer_, kReceiveBytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return Close(connection);
    const ssize_t taken = send(connection->fd, buffer_, static_cast<std::size_t>(got), 0);
    if (taken == got) return;
    if (taken < 0 && errno != EAGAIN) return Close(connection);
    connection->unsent.assign(buffer_ + (taken > 0 ? taken : 0), buffer_ + got);
    connection->sent = 0;
    ControlEpoll(epoll_, EPOLL_CTL_MOD, connection->fd, EPOLLOUT, connection);
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
    ControlEpoll(epoll_, EPOLL_CTL_MOD, connection->fd, EPOLLIN, connection);
  }

  void Close(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  int listener_;
  int epoll_;
  char buffer_[kReceiveBytes];
};

}  // namespace

int main() { std::make_unique<Server>()->Run(); }
