// Bulk by one thread on epoll. Its argument says which way: `source` sends as much as its clients
// take; `sink` receives, always into the same memory, and answers the end with how much it was.
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "poller.h"

namespace {

// After so many calls others have their turn: 1 MiB.
constexpr int kCallsPerTurn = 16;
// What is sent counts from 0 up to this, again and again; a piece is some 64 KiB of it.
constexpr std::size_t kPeriod = 251;
constexpr std::size_t kPieceBytes = 261 * kPeriod;

struct Connection {
  int fd;
  std::uint64_t bytes = 0;
};

void Close(Connection* connection) {
  close(connection->fd);
  delete connection;
}

class Source {
 public:
  Source() : piece_(kPieceBytes) {
    for (std::size_t i = 0; i < kPieceBytes; ++i) piece_[i] = static_cast<char>(i % kPeriod);
  }

  [[noreturn]] void Run() {
    for (;;) poller_.Turn([this](Connection* connection) { Serve(connection); });
  }

 private:
  void Serve(Connection* connection) {
    for (int calls = 0; calls < kCallsPerTurn; ++calls) {
      const std::size_t from = connection->bytes % kPieceBytes;
      const ssize_t taken = send(connection->fd, piece_.data() + from, kPieceBytes - from, 0);
      if (taken < 0 && errno == EAGAIN) return;
      if (taken < 0) return Close(connection);
      connection->bytes += static_cast<std::uint64_t>(taken);
    }
  }

  ConnectionPoller<Connection> poller_{EPOLLOUT};
  std::vector<char> piece_;
};

class Sink {
 public:
  [[noreturn]] void Run() {
    for (;;) poller_.Turn([this](Connection* connection) { Serve(connection); });
  }

 private:
  void Serve(Connection* connection) {
    for (int calls = 0; calls < kCallsPerTurn; ++calls) {
      const ssize_t got = recv(connection->fd, buffer_, kReceiveBytes, 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got == 0) Answer(*connection);
      if (got <= 0) return Close(connection);
      connection->bytes += static_cast<std::uint64_t>(got);
    }
  }

  // Nothing else was ever sent, so that it is taken at once.
  static void Answer(const Connection& connection) {
    const std::string count = std::to_string(connection.bytes);
    send(connection.fd, count.data(), count.size(), 0);
  }

  ConnectionPoller<Connection> poller_{EPOLLIN};
  char buffer_[kReceiveBytes];
};

}  // namespace

int main(int count, char** arguments) {
  const std::string_view kind = count > 1 ? arguments[1] : "";
  if (kind == "source") Source().Run();
  if (kind == "sink") std::make_unique<Sink>()->Run();
  Fail("source or sink", EINVAL);
}
