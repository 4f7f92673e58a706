// Connections that send messages and wait for them to come back.
//
// A closed loop (Start): each connection has `depth` messages under way; one that is back makes
// room for the next. A latency counts from the moment the message was given to the socket.
//
// An open loop (Schedule): messages are due at moments that do not depend on the server. A latency
// counts from that moment, so a stall costs every message that was due in it.
#ifndef BENCH_LOAD_ECHO_H_
#define BENCH_LOAD_ECHO_H_

#include <deque>
#include <vector>

#include "client.h"
#include "histogram.h"

class Echo {
 public:
  Echo(Client* client, int size, int depth = 1);

  void Start(Connection* connection);
  void Schedule(Connection* connection, std::uint64_t due);
  void Handle(Connection* connection, std::uint32_t events);
  // Until then, or until so many messages are back; `each_turn` is called between two turns.
  template <typename EachTurn>
  void RunUntil(std::uint64_t time, std::uint64_t messages, EachTurn each_turn);

  std::uint64_t Messages() const { return messages_; }
  std::uint64_t UnderWay() const { return under_way_; }
  Histogram& Latencies() { return latencies_; }
  // From now on, but only messages that were due later.
  void StartCounting();

 private:
  // What a connection has under way, oldest first.
  struct Flow {
    std::deque<std::uint64_t> due;
    std::uint64_t asked = 0;  // messages, ever
    std::uint64_t done = 0;
  };
  Flow& FlowOf(const Connection* connection);
  void Ask(Connection* connection, std::uint64_t due, std::uint64_t count);
  void Continue(Connection* connection);

  Client* client_;
  std::uint64_t size_;
  std::uint64_t depth_;
  bool closed_loop_ = true;
  std::vector<Flow> flows_;
  std::uint64_t messages_ = 0;
  std::uint64_t under_way_ = 0;
  std::uint64_t count_from_ = 0;
  Histogram latencies_;
};

template <typename EachTurn>
void Echo::RunUntil(std::uint64_t time, std::uint64_t messages, EachTurn each_turn) {
  while (each_turn() < time && messages_ < messages) {
    // An open loop must not sleep through the moment at which the next message is due.
    client_->Turn(closed_loop_ ? 50 : 0, [&](Connection* connection, std::uint32_t events) {
      Handle(connection, events);
    });
  }
}

#endif  // BENCH_LOAD_ECHO_H_
