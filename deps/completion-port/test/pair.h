// What most tests begin with: a client with a listener, and one plain peer connected to it.
#ifndef COMPLETION_PORT_TEST_PAIR_H_
#define COMPLETION_PORT_TEST_PAIR_H_

#include <cstdint>
#include <vector>

#include "client.h"
#include "pattern.h"
#include "peer.h"

namespace completion_port::test {

struct PairOptions {
  std::uint32_t credit = 4;     // of the accepted socket, at first
  std::uint32_t refill = 1;     // granted again with each chunk
  int peer_receive_buffer = 0;  // > 0: small, so that sends soon have to wait
  ClientOptions client;
};

struct Pair {
  explicit Pair(const Setup& setup, const PairOptions& options = {})
      : client(setup, options.client) {
    if (!client.started()) return;
    listener = client.ListenAndAccept(options.credit);
    if (listener == nullptr) return;
    peer = Peer::Connect(listener->address, options.peer_receive_buffer);
    CHECK(peer.IsOpen());
    sock = client.WaitAccepted(listener);
    if (sock != nullptr) sock->refill = options.refill;
  }

  bool ready() const { return sock != nullptr && peer.IsOpen(); }
  // So many more peers, connected and accepted: listener->accepted, from 1 on.
  std::vector<Peer> ConnectMore(std::size_t count) {
    const std::size_t accepted = listener->accepted.size() + count;
    std::vector<Peer> peers;
    for (std::size_t i = 0; i < count; ++i) peers.push_back(Peer::Connect(listener->address));
    CHECK(client.WaitUntil([&] { return listener->accepted.size() == accepted; }));
    return peers;
  }
  bool WaitClosed(int ms = 5000) {
    return client.WaitUntil([this] { return sock->closed; }, ms);
  }
  bool WaitSends(std::size_t count, int ms = 5000) {
    return client.WaitUntil([&] { return sock->send_results.size() >= count; }, ms);
  }
  bool WaitReceived(std::uint64_t bytes, int ms = 5000) {
    return client.WaitUntil([&] { return sock->received >= bytes || sock->ended; }, ms) &&
           sock->received >= bytes;
  }
  bool WaitEnded(int ms = 5000) {
    return client.WaitUntil([this] { return sock->ended.has_value(); }, ms);
  }

  Client client;
  Accepting* listener = nullptr;
  Peer peer;
  Sock* sock = nullptr;
};

// A quiet moment, in which what should not happen would happen.
inline constexpr int kQuietMs = 60;

// More than the system buffers between a sender and a reader with a small window.
inline constexpr std::size_t kMoreThanFits = 16 * 1024 * 1024;

// The peer receives `length` bytes of the pattern of `seed`, all right, and then that end.
inline void ExpectEnd(Peer* peer, std::uint64_t seed, std::size_t length, PeerStatus end) {
  std::vector<std::uint8_t> data;
  CHECK_EQ(peer->ReceiveToEnd(&data), end);
  PatternReader pattern(seed);
  CHECK(pattern.Feed(data));
  CHECK_EQ(data.size(), length);
}

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_PAIR_H_
