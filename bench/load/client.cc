#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::uint64_t kPeriod = 251;

std::vector<std::uint8_t> MakePattern() {
  std::vector<std::uint8_t> pattern(kChunkBytes + kPeriod);
  for (std::size_t i = 0; i < pattern.size(); ++i) pattern[i] = static_cast<std::uint8_t>(i % 251);
  return pattern;
}

sockaddr_in Loopback(int port, std::uint32_t beyond = 0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + beyond);
  return address;
}

}  // namespace

void Fail(const char* what, int error) {
  std::fprintf(stderr, "load: %s%s%s\n", what, error == 0 ? "" : ": ",
               error == 0 ? "" : std::strerror(error));
  std::exit(1);
}

const std::uint8_t* Pattern::At(std::uint64_t position) {
  static const std::vector<std::uint8_t> pattern = MakePattern();
  return pattern.data() + position % kPeriod;
}

void Pattern::Check(const std::uint8_t* data, std::size_t bytes, std::uint64_t position) {
  if (std::memcmp(data, At(position), bytes) != 0) Fail("the server sent wrong bytes");
}

Client::Client(int port, int connections)
    : port_(port),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      connections_(static_cast<std::size_t>(connections)) {
  if (epoll_ < 0) Fail("epoll_create1", errno);
}

Client::~Client() {
  for (const Connection& connection : connections_) {
    if (connection.fd < 0) continue;
    // A reset leaves no port in TIME_WAIT, of which many runs would collect too many.
    const linger reset = {1, 0};
    setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    close(connection.fd);
  }
  close(epoll_);
}

void Client::Dial(Connection* connection) { DialFrom(connection, 0); }

void Client::DialFromElsewhere(Connection* connection) {
  DialFrom(connection, 1 + dialled_++ % 64);
}

void Client::Forget(Connection* connection) {
  close(connection->fd);
  *connection = Connection();
}

void Client::DialFrom(Connection* connection, std::uint32_t source) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) Fail("socket", errno);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (source != 0) {
    // The port is chosen when the peer is known: a pair of addresses has ports of its own.
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    const sockaddr_in local = Loopback(0, source);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&local), sizeof(local)) != 0) {
      Fail("bind", errno);
    }
  }
  const sockaddr_in address = Loopback(port_);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      errno != EINPROGRESS) {
    Fail("connect", errno);
  }
  connection->fd = fd;
  Watch(connection, EPOLLOUT);
}

void Client::CheckConnected(const Connection& connection) const {
  int error = 0;
  socklen_t size = sizeof(error);
  if (getsockopt(connection.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) Fail("connect", error);
}

void Client::ConnectAll(int count) {
  int begun = 0;
  int done = 0;
  while (done < count) {
    for (; begun < count && begun - done < kUnansweredAtMost / 2; ++begun) {
      Dial(&connections_[static_cast<std::size_t>(begun)]);
    }
    Turn(1000, [&](Connection* connection, std::uint32_t) {
      CheckConnected(*connection);
      Watch(connection, 0);
      ++done;
    });
  }
}

void Client::ConnectOnly(int count) {
  ConnectAll(count);
  for (int i = 0; i < count; ++i) connections_[static_cast<std::size_t>(i)].state = State::kBusy;
}

void Client::ConnectAndEcho(int count) {
  ConnectAll(count);
  int begun = 0;
  int done = 0;
  while (done < count) {
    for (; begun < count && begun - done < kUnansweredAtMost / 2; ++begun) {
      Connection* connection = &connections_[static_cast<std::size_t>(begun)];
      Watch(connection, EPOLLIN);
      if (!SendUpTo(connection, 1)) Fail("the first byte could not be sent");
    }
    Turn(1000, [&](Connection* connection, std::uint32_t) {
      if (Receive(connection) == 0) return;
      connection->state = State::kBusy;
      Watch(connection, 0);
      ++done;
    });
  }
}

void Client::Watch(Connection* connection, std::uint32_t events) {
  // No interest at all means out of the set: a hang-up would be reported without end.
  const int operation = connection->interest == 0 ? EPOLL_CTL_ADD
                        : events == 0             ? EPOLL_CTL_DEL
                                                  : EPOLL_CTL_MOD;
  if (events == connection->interest) return;
  epoll_event event{};
  event.events = events;
  event.data.ptr = connection;
  if (epoll_ctl(epoll_, operation, connection->fd, &event) != 0) Fail("epoll_ctl", errno);
  connection->interest = events;
}

int Client::Wait(int timeout_ms) {
  const int count =
      epoll_wait(epoll_, events_.data(), static_cast<int>(events_.size()), timeout_ms);
  if (count < 0 && errno != EINTR) Fail("epoll_wait", errno);
  return count < 0 ? 0 : count;
}

bool Client::SendUpTo(Connection* connection, std::uint64_t position) {
  while (connection->sent < position) {
    const auto bytes = std::min<std::uint64_t>(position - connection->sent, kChunkBytes);
    const ssize_t taken = send(connection->fd, Pattern::At(connection->sent),
                               static_cast<std::size_t>(bytes), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (taken < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
      Fail("send", errno);
    }
    connection->sent += static_cast<std::uint64_t>(taken);
  }
  return true;
}

std::size_t Client::Receive(Connection* connection, std::size_t most) {
  const ssize_t got =
      recv(connection->fd, buffer_.data(), std::min(most, buffer_.size()), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    Fail("recv", errno);
  }
  if (got == 0) Fail("the server closed a connection");
  Pattern::Check(buffer_.data(), static_cast<std::size_t>(got), connection->received);
  connection->received += static_cast<std::uint64_t>(got);
  return static_cast<std::size_t>(got);
}

bool Client::ReceiveEnd(const Connection& connection) {
  const ssize_t got = recv(connection.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
  if (got == 0) return true;
  if (got > 0) Fail("the server sent more than it was sent");
  if (errno != EAGAIN && errno != EWOULDBLOCK) Fail("recv", errno);
  return false;
}
