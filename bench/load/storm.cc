// Many connect at once to a server whose other clients are busy.
#include "client.h"
#include "echo.h"
#include "modes.h"
#include "print.h"

void RunStorm(const Options& options) {
  Client client(options.port, options.connections + options.newcomers);
  client.ConnectAndEcho(options.connections);
  Echo echo(&client, options.size);
  auto& connections = client.Connections();
  for (int i = 0; i < options.connections; ++i) {
    echo.Start(&connections[static_cast<std::size_t>(i)]);
  }
  echo.RunUntil(In(options.warm), options.operations, NowNs);

  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  echo.StartCounting();
  const std::uint64_t deadline = In(options.seconds);
  Histogram first_replies;
  int asked = 0;
  int served = 0;
  const auto message = static_cast<std::uint64_t>(options.size);
  const auto handle = [&](Connection* connection, std::uint32_t events) {
    if (connection->state == State::kBusy) {
      echo.Handle(connection, events);
    } else if (connection->state == State::kConnecting) {
      client.CheckConnected(*connection);
      client.Watch(connection, EPOLLIN);
      if (!client.SendUpTo(connection, message)) Fail("a first message could not be sent");
      connection->state = State::kWaiting;
    } else if (client.Receive(connection) > 0 && connection->received == message) {
      first_replies.Add(NowNs() - connection->started);
      connection->state = State::kServed;
      ++served;
    }
  };
  while (served < options.newcomers) {
    if (NowNs() > deadline) Fail("not all newcomers were served in time");
    // A few in each turn: the busy ones are to stay busy meanwhile.
    for (int i = 0; i < 8 && asked < options.newcomers && asked - served < kUnansweredAtMost; ++i) {
      Connection* connection = &connections[static_cast<std::size_t>(options.connections + asked)];
      connection->started = NowNs();
      client.Dial(connection);
      ++asked;
    }
    const bool more = asked < options.newcomers && asked - served < kUnansweredAtMost;
    client.Turn(more ? 0 : 50, handle);
  }
  const Reading end = meter.Read();
  Print(begin, end, first_replies.Count(), first_replies.Count(),
        first_replies.Json() + ",\"busyMessages\":" + std::to_string(echo.Messages()));
}
