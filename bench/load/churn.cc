// Short connections: connect, one round trip, an orderly end that both sides have seen.
#include <sys/socket.h>

#include <cerrno>

#include "client.h"
#include "histogram.h"
#include "modes.h"
#include "print.h"

void RunChurn(const Options& options) {
  Client client(options.port, options.connections);
  const auto message = static_cast<std::uint64_t>(options.size);
  Histogram latencies;
  std::uint64_t done = 0;
  const auto begin_one = [&](Connection* connection) {
    const std::uint64_t now = NowNs();
    client.DialFromElsewhere(connection);
    connection->started = now;
  };
  const auto handle = [&](Connection* connection, std::uint32_t) {
    if (connection->state == State::kConnecting) {
      client.CheckConnected(*connection);
      client.Watch(connection, EPOLLIN);
      if (!client.SendUpTo(connection, message)) Fail("a message could not be sent");
      connection->state = State::kWaiting;
    } else if (connection->state == State::kWaiting) {
      if (client.Receive(connection) == 0 || connection->received < message) return;
      if (shutdown(connection->fd, SHUT_WR) != 0) Fail("shutdown", errno);
      connection->state = State::kServed;
    } else if (client.ReceiveEnd(*connection)) {
      latencies.Add(NowNs() - connection->started);
      ++done;
      client.Forget(connection);
      begin_one(connection);
    }
  };
  const auto run_until = [&](std::uint64_t time) {
    while (NowNs() < time && done < options.operations) client.Turn(50, handle);
  };
  for (Connection& connection : client.Connections()) begin_one(&connection);
  run_until(In(options.warm));
  const std::uint64_t before = done;
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  latencies = Histogram();
  run_until(In(options.seconds));
  const Reading end = meter.Read();
  Print(begin, end, done - before, done, latencies.Json());
}
