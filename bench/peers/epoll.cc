// An echo server of one thread on epoll: one receive and one send for each message.
#include <cerrno>
#include <memory>
#include <vector>

#include "poller.h"

namespace {

struct Connection {
  int fd;
  std::vector<char> unsent = {};  // nothing is received until it is gone
  std::size_t sent = 0;
};

class Server {
 public:
  [[noreturn]] void Run() {
    for (;;) poller_.Turn([this](Connection* connection) { Serve(connection); });
  }

 private:
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
    poller_.Modify(connection->fd, EPOLLOUT, connection);
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
    poller_.Modify(connection->fd, EPOLLIN, connection);
  }

  void Close(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  ConnectionPoller<Connection> poller_{EPOLLIN};
  char buffer_[kReceiveBytes];
};

}  // namespace

int main() { std::make_unique<Server>()->Run(); }
