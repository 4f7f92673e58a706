#include "modes.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "client.h"
#include "echo.h"
#include "meter.h"

namespace {

std::uint64_t In(double seconds) { return NowNs() + static_cast<std::uint64_t>(seconds * 1e9); }

void Print(const Reading& begin, const Reading& end, std::uint64_t operations, std::uint64_t all,
           const std::string& more) {
  std::printf("{\"operations\":%llu,\"allOperations\":%llu,%s%s%s}\n",
              static_cast<unsigned long long>(operations), static_cast<unsigned long long>(all),
              Difference(begin, end).c_str(), more.empty() ? "" : ",", more.c_str());
}

}  // namespace

void RunEcho(const Options& options) {
  Client client(options.port, options.connections);
  client.ConnectAndEcho(options.connections);
  Echo echo(&client, options.size);
  for (Connection& connection : client.Connections()) echo.Start(&connection);
  echo.RunUntil(In(options.warm), options.operations);
  const std::uint64_t before = echo.Messages();
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  echo.StartCounting();
  echo.RunUntil(In(options.seconds), options.operations);
  const Reading end = meter.Read();
  Print(begin, end, echo.Messages(), before + echo.Messages(), echo.Latencies().Json());
}

void RunStorm(const Options& options) {
  Client client(options.port, options.connections + options.newcomers);
  client.ConnectAndEcho(options.connections);
  Echo echo(&client, options.size);
  auto& connections = client.Connections();
  for (int i = 0; i < options.connections; ++i) {
    echo.Start(&connections[static_cast<std::size_t>(i)]);
  }
  echo.RunUntil(In(options.warm), options.operations);

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

int RunCommand(const Options& options) {
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  const pid_t child = fork();
  if (child < 0) Fail("fork", errno);
  if (child == 0) {
    // It ends with us, and in time by itself: an alarm outlives exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    alarm(static_cast<unsigned>(options.seconds) + 1);
    execvp(options.command[0], options.command.data());
    Fail(options.command[0], errno);
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) Fail("waitpid", errno);
  }
  Print(begin, meter.Read(), 0, 0, "");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
