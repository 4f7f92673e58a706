// Connections on which nothing happens after one round trip: what each costs in memory, and
// whether keeping them costs any time.
#include <unistd.h>

#include "client.h"
#include "modes.h"
#include "print.h"

namespace {

// A server may give memory back some time after a burst, and this was one.
constexpr unsigned kSettleMicros = 3'000'000;

}  // namespace

void RunIdle(const Options& options) {
  const Meter meter(options.pid);
  const Reading empty = meter.Read();
  Client client(options.port, options.connections);
  client.ConnectAndEcho(options.connections);
  usleep(kSettleMicros);
  const Reading begin = meter.Read();
  usleep(static_cast<unsigned>(options.seconds * 1e6));
  const Reading end = meter.Read();
  const auto count = static_cast<std::uint64_t>(options.connections);
  const double more = static_cast<double>(end.resident) - static_cast<double>(empty.resident);
  Print(begin, end, count, count,
        "\"bytesPerConnection\":" + std::to_string(more / static_cast<double>(count)));
}
