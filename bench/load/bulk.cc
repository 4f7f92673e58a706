// Bytes in one direction, as fast as they go.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "client.h"
#include "modes.h"
#include "print.h"

void RunReceive(const Options& options) {
  Client client(options.port, options.connections);
  client.ConnectOnly(options.connections);
  for (Connection& connection : client.Connections()) client.Watch(&connection, EPOLLIN);
  std::uint64_t bytes = 0;
  const auto run_until = [&](std::uint64_t time) {
    while (NowNs() < time && bytes < options.operations * kChunkBytes) {
      client.Turn(
          50, [&](Connection* connection, std::uint32_t) { bytes += client.Receive(connection); });
    }
  };
  run_until(In(options.warm));
  const std::uint64_t before = bytes;
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  run_until(In(options.seconds));
  const Reading end = meter.Read();
  Print(begin, end, bytes - before, bytes, "");
}

namespace {

// The server answers the end of a stream with the count of bytes it has seen and found right.
void CheckArrival(const Connection& connection) {
  shutdown(connection.fd, SHUT_WR);
  fcntl(connection.fd, F_SETFL, fcntl(connection.fd, F_GETFL) & ~O_NONBLOCK);
  const timeval patience = {5, 0};
  setsockopt(connection.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  std::string answer;
  char piece[64];
  ssize_t got = 0;
  while ((got = recv(connection.fd, piece, sizeof(piece), 0)) > 0) {
    answer.append(piece, static_cast<std::size_t>(got));
  }
  if (got < 0) Fail("no count from the server", errno);
  if (answer != std::to_string(connection.sent)) {
    std::fprintf(stderr, "load: sent %llu bytes, and the server says: %s\n",
                 static_cast<unsigned long long>(connection.sent), answer.c_str());
    std::exit(1);
  }
}

}  // namespace

void RunSend(const Options& options) {
  Client client(options.port, options.connections);
  client.ConnectOnly(options.connections);
  for (Connection& connection : client.Connections()) client.Watch(&connection, EPOLLOUT);
  std::uint64_t bytes = 0;
  const auto run_until = [&](std::uint64_t time) {
    while (NowNs() < time && bytes < options.operations * kChunkBytes) {
      client.Turn(50, [&](Connection* connection, std::uint32_t) {
        const std::uint64_t before = connection->sent;
        client.SendUpTo(connection, before + kChunkBytes);
        bytes += connection->sent - before;
      });
    }
  };
  run_until(In(options.warm));
  const std::uint64_t before = bytes;
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  run_until(In(options.seconds));
  const Reading end = meter.Read();
  for (const Connection& connection : client.Connections()) CheckArrival(connection);
  Print(begin, end, bytes - before, bytes, "");
}
