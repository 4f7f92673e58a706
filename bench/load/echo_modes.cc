// Echo in a closed and in an open loop.
#include <cmath>

#include "client.h"
#include "echo.h"
#include "modes.h"
#include "print.h"

namespace {

// Sends as fast as the server takes it, and reads one piece in ten milliseconds: what the server
// owes it piles up until the server stops reading.
class SlowReaders {
 public:
  SlowReaders(Client* client, int first, int count)
      : client_(client), first_(first), count_(count) {}

  void Start() {
    ForEach([&](Connection* connection) { client_->Watch(connection, EPOLLOUT); });
  }
  bool Owns(const Connection* connection) const {
    return connection >= client_->Connections().data() + first_ &&
           connection < client_->Connections().data() + first_ + count_;
  }
  void OnWritable(Connection* connection) {
    client_->SendUpTo(connection, connection->sent + kPieceBytes);
  }
  std::uint64_t EachTurn() {
    const std::uint64_t now = NowNs();
    if (count_ > 0 && now >= next_) {
      next_ = now + 10'000'000;
      ForEach([&](Connection* connection) { client_->Receive(connection, kPieceBytes); });
    }
    return now;
  }

 private:
  static constexpr std::size_t kPieceBytes = 4096;

  template <typename Visit>
  void ForEach(Visit visit) {
    for (int i = first_; i < first_ + count_; ++i) {
      visit(&client_->Connections()[static_cast<std::size_t>(i)]);
    }
  }

  Client* client_;
  int first_;
  int count_;
  std::uint64_t next_ = 0;
};

}  // namespace

void RunEcho(const Options& options) {
  const int all = options.connections + options.quiet + options.slow;
  Client client(options.port, all);
  client.ConnectAndEcho(all);
  Echo echo(&client, options.size, options.depth);
  SlowReaders slow(&client, options.connections + options.quiet, options.slow);
  for (int i = 0; i < options.connections; ++i) {
    echo.Start(&client.Connections()[static_cast<std::size_t>(i)]);
  }
  slow.Start();
  const auto run_until = [&](std::uint64_t time) {
    while (slow.EachTurn() < time && echo.Messages() < options.operations) {
      client.Turn(10, [&](Connection* connection, std::uint32_t events) {
        if (slow.Owns(connection)) {
          slow.OnWritable(connection);
        } else {
          echo.Handle(connection, events);
        }
      });
    }
  };
  const Meter meter(options.pid);
  run_until(In(options.warm));
  const std::uint64_t before = echo.Messages();
  const Reading begin = meter.Read();
  echo.StartCounting();
  run_until(In(options.seconds));
  const Reading end = meter.Read();
  Print(begin, end, echo.Messages(), before + echo.Messages(), echo.Latencies().Json());
}

void RunPaced(const Options& options) {
  Client client(options.port, options.connections);
  client.ConnectAndEcho(options.connections);
  Echo echo(&client, options.size);
  const double step = 1e9 / options.rate;
  const double start = static_cast<double>(NowNs());
  std::uint64_t sent = 0;
  const auto send_due = [&] {
    const std::uint64_t now = NowNs();
    for (;;) {
      const auto due = static_cast<std::uint64_t>(start + std::floor(step * (sent + 1)));
      if (due > now) return now;
      echo.Schedule(&client.Connections()[sent % client.Connections().size()], due);
      ++sent;
    }
  };
  echo.RunUntil(In(options.warm), options.operations, send_due);
  const std::uint64_t before = sent;
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  echo.StartCounting();
  echo.RunUntil(In(options.seconds), options.operations, send_due);
  const Reading end = meter.Read();
  const std::uint64_t answered = echo.Messages();
  // What was due in the window counts, however late it is.
  const std::uint64_t patience = In(5);
  while (echo.UnderWay() > 0) {
    if (NowNs() > patience) Fail("the server fell behind the rate for good");
    client.Turn(
        10, [&](Connection* connection, std::uint32_t events) { echo.Handle(connection, events); });
  }
  Print(begin, end, answered, sent,
        echo.Latencies().Json() + ",\"offered\":" + std::to_string(sent - before));
}
