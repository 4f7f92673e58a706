// The client's side of TCP on loopback: sockets that never block, one epoll, a known pattern of
// bytes. Anything unexpected ends the process with a message: a wrong figure is worse than none.
#ifndef BENCH_LOAD_CLIENT_H_
#define BENCH_LOAD_CLIENT_H_

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <vector>

// No listen backlog is smaller than this, so no connection attempt is dropped and tried again.
constexpr int kUnansweredAtMost = 256;
constexpr std::size_t kChunkBytes = 256 * 1024;

[[noreturn]] void Fail(const char* what, int error = 0);

// Byte i of every stream is i % 251: a prime, so that lost, doubled or swapped pieces are noticed.
class Pattern {
 public:
  static const std::uint8_t* At(std::uint64_t position);  // at least kChunkBytes of it
  static void Check(const std::uint8_t* data, std::size_t bytes, std::uint64_t position);
};

enum class State : std::uint8_t { kConnecting, kWaiting, kBusy, kServed };

struct Connection {
  int fd = -1;
  State state = State::kConnecting;
  std::uint32_t interest = 0;  // the epoll events asked for
  std::uint64_t sent = 0;      // bytes
  std::uint64_t received = 0;  // bytes, all checked
  std::uint64_t started = 0;   // when the connection was asked for
};

class Client {
 public:
  Client(int port, int connections);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::vector<Connection>& Connections() { return connections_; }

  void Dial(Connection* connection);  // starts to connect; EPOLLOUT says when it is done
  void CheckConnected(const Connection& connection) const;
  // From one of 64 addresses in turn: one has no more than 28,000 ports, and each rests for a
  // second after its connection.
  void DialFromElsewhere(Connection* connection);
  // Ends a connection whose both directions have ended, so that it can be dialled again.
  void Forget(Connection* connection);
  // Connects this many. Each has echoed one byte then: a handshake alone may leave it waiting in
  // the backlog, and the server would be measured with fewer connections than it says.
  void ConnectAndEcho(int count);
  void ConnectOnly(int count);

  void Watch(Connection* connection, std::uint32_t events);
  // The events of at most so many milliseconds.
  template <typename Handler>
  void Turn(int timeout_ms, Handler handle) {
    const int count = Wait(timeout_ms);
    for (int i = 0; i < count; ++i) {
      handle(static_cast<Connection*>(events_[static_cast<std::size_t>(i)].data.ptr),
             events_[static_cast<std::size_t>(i)].events);
    }
  }

  // Sends what follows in the pattern, up to this position of the stream; false when the socket
  // takes no more now.
  bool SendUpTo(Connection* connection, std::uint64_t position);
  // Receives once, at most so much, and checks. Returns the number of bytes.
  std::size_t Receive(Connection* connection, std::size_t most = kChunkBytes);
  // Whether the stream has ended, as it should have. Bytes that still come are wrong.
  bool ReceiveEnd(const Connection& connection);

 private:
  int Wait(int timeout_ms);
  void ConnectAll(int count);
  void DialFrom(Connection* connection, std::uint32_t source);  // 0: wherever the system likes

  int port_;
  int epoll_;
  std::uint32_t dialled_ = 0;
  std::vector<Connection> connections_;
  std::vector<epoll_event> events_ = std::vector<epoll_event>(1024);
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(kChunkBytes);
};

#endif  // BENCH_LOAD_CLIENT_H_
