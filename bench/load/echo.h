// Connections that each send a message, wait until it is back, and send the next.
#ifndef BENCH_LOAD_ECHO_H_
#define BENCH_LOAD_ECHO_H_

#include "client.h"
#include "histogram.h"

class Echo {
 public:
  Echo(Client* client, int size) : client_(client), size_(static_cast<std::uint64_t>(size)) {}

  void Start(Connection* connection);
  void Handle(Connection* connection, std::uint32_t events);
  // Until then, or until so many messages are back.
  void RunUntil(std::uint64_t time, std::uint64_t messages);

  std::uint64_t Messages() const { return messages_; }
  Histogram& Latencies() { return latencies_; }
  void StartCounting() {
    latencies_ = Histogram();
    messages_ = 0;
  }

 private:
  void SendNext(Connection* connection);
  void Continue(Connection* connection);

  Client* client_;
  std::uint64_t size_;
  std::uint64_t messages_ = 0;
  Histogram latencies_;
};

#endif  // BENCH_LOAD_ECHO_H_
