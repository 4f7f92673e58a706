// Sends of several connections in one turn, which epoll makes by one call where it may.
#include <cerrno>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "faults_linux.h"
#include "pair.h"

namespace completion_port::test {
namespace {

constexpr std::size_t kPeers = 70;  // more than one call takes
constexpr std::size_t kFewPeers = 10;

// Connections of one port, each with its peer.
struct Crowd {
  explicit Crowd(const Setup& setup, std::size_t size, const PairOptions& options = {})
      : pair(setup, options) {
    if (!pair.ready()) return;
    peers = pair.ConnectMore(size - 1);
    peers.insert(peers.begin(), std::move(pair.peer));
  }
  bool ready() const { return pair.sock != nullptr && peers.size() == socks().size(); }
  const std::vector<Sock*>& socks() const { return pair.listener->accepted; }

  // One message for each, submitted together.
  void SendToAll() {
    for (std::size_t i = 0; i < socks().size(); ++i) pair.client.Send(socks()[i], MessageFor(i));
    pair.client.Flush();
  }
  bool AllAnswered(std::size_t requests) {
    return pair.client.WaitUntil([&] {
      for (const Sock* sock : socks()) {
        if (sock->send_results.size() < requests) return false;
      }
      return true;
    });
  }
  void ExpectMessages() {
    for (std::size_t i = 0; i < peers.size(); ++i) {
      CHECK_EQ(peers[i].ReceiveText(MessageFor(i).size()), MessageFor(i));
    }
  }
  void ExpectNoMore() {
    for (Sock* sock : socks()) pair.client.Close(sock);
    pair.client.Flush();
    for (Peer& peer : peers) {
      peer.ShutdownSend();
      std::vector<std::uint8_t> rest;
      CHECK_EQ(peer.ReceiveToEnd(&rest), PeerStatus::kEnd);
      CHECK(rest.empty());
    }
  }
  static std::string MessageFor(std::size_t i) {
    return "to " + std::to_string(i) + std::string(i, '.') + ";";
  }

  Pair pair;
  std::vector<Peer> peers;
};

// What the calls for one message to each came to.
std::uint64_t CallsOfASend(Crowd* crowd) {
  const Client& client = crowd->pair.client;
  const std::uint64_t before = client.Count(Counter::kOsCalls);
  crowd->SendToAll();
  CHECK(crowd->AllAnswered(1));
  const std::uint64_t calls = client.Count(Counter::kOsCalls) - before;
  crowd->ExpectMessages();
  return calls;
}

}  // namespace

SUBMITTER_TEST(SendsToManyByFewCalls) {
  Crowd crowd(setup, kPeers);
  REQUIRE(crowd.ready());
  const std::uint64_t calls = CallsOfASend(&crowd);
  if (ProbeBackend(BackendKind::kIoUring) != Error::kOk)
    return Skip("io_uring is not allowed here");
  CHECK(calls < kPeers / 2);
}

SUBMITTER_TEST(SendsToEachByItselfWhereItMayNot) {
  if (setup.backend != BackendKind::kEpoll) return Skip("is about epoll");
  PairOptions options;
  options.client.batch_sends = false;
  Crowd crowd(setup, kPeers, options);
  REQUIRE(crowd.ready());
  CHECK(CallsOfASend(&crowd) >= kPeers);
}

// One of them takes no more, one is gone; the others do not notice.
PORT_TEST(SendsTogetherWhoTakesNoMore) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Crowd crowd(setup, 6, options);
  REQUIRE(crowd.ready());
  Client& client = crowd.pair.client;
  client.Send(crowd.socks()[0], {PatternBytes(1, 0, kMoreThanFits)});
  client.Flush();
  crowd.peers[1].Reset();
  client.Pass(kQuietMs);
  crowd.SendToAll();
  CHECK(client.WaitUntil([&] { return !crowd.socks()[1]->send_results.empty(); }));
  CHECK(Last(crowd.socks()[1]->send_results) != Error::kOk);
  for (std::size_t i = 2; i < crowd.peers.size(); ++i) {
    CHECK_EQ(crowd.peers[i].ReceiveText(Crowd::MessageFor(i).size()), Crowd::MessageFor(i));
    CHECK(client.WaitUntil([&] { return crowd.socks()[i]->Idle(); }));
    CHECK_EQ(Last(crowd.socks()[i]->send_results), Error::kOk);
  }
  CHECK(crowd.socks()[0]->send_results.empty());
  PatternReader pattern(1);
  std::vector<std::uint8_t> data;
  std::thread reader([&] { crowd.peers[0].ReceiveExactly(&data, kMoreThanFits); });
  CHECK(client.WaitUntil([&] { return crowd.socks()[0]->Idle(); }, 15000));
  reader.join();
  CHECK(pattern.Feed(data));
  CHECK_EQ(crowd.peers[0].ReceiveText(Crowd::MessageFor(0).size()), Crowd::MessageFor(0));
}

// All full at once: what the call took of each is told, and the rest follows.
PORT_TEST(SendsMoreThanFitsTogether) {
  constexpr std::size_t kLength = 6 * 1024 * 1024;
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Crowd crowd(setup, 5, options);
  REQUIRE(crowd.ready());
  for (std::size_t i = 0; i < crowd.socks().size(); ++i) {
    std::vector<std::vector<std::uint8_t>> parts;
    for (std::size_t at = 0; at < kLength; at += kLength / 96) {
      parts.push_back(PatternBytes(i, at, kLength / 96));
    }
    crowd.pair.client.Send(crowd.socks()[i], std::move(parts));
  }
  crowd.pair.client.Flush();
  std::vector<std::thread> readers;
  std::vector<std::vector<std::uint8_t>> received(crowd.peers.size());
  for (std::size_t i = 0; i < crowd.peers.size(); ++i) {
    readers.emplace_back([&, i] { crowd.peers[i].ReceiveExactly(&received[i], kLength); });
  }
  CHECK(crowd.AllAnswered(1));
  for (std::size_t i = 0; i < readers.size(); ++i) {
    readers[i].join();
    PatternReader pattern(i);
    CHECK(pattern.Feed(received[i]));
    CHECK_EQ(received[i].size(), kLength);
    CHECK_EQ(At(crowd.socks()[i]->send_results, 0), Error::kOk);
  }
}

// Closed in the turn in which they were to send: the bytes go first, or with a reset nobody waits.
PORT_TEST(ClosesWhoWasToSendTogether) {
  for (const bool reset : {false, true}) {
    Crowd crowd(setup, 8);
    REQUIRE(crowd.ready());
    for (std::size_t i = 0; i < crowd.socks().size(); ++i) {
      crowd.pair.client.Send(crowd.socks()[i], Crowd::MessageFor(i));
      if (i % 2 == 0) crowd.pair.client.Close(crowd.socks()[i], reset);
    }
    crowd.pair.client.Flush();
    for (std::size_t i = 0; i < crowd.peers.size(); ++i) {
      if (reset && i % 2 == 0) continue;
      CHECK_EQ(crowd.peers[i].ReceiveText(Crowd::MessageFor(i).size()), Crowd::MessageFor(i));
    }
  }
}

// The io_uring that makes the calls may be had or not, and may take its requests or not.
PORT_TEST(FaultsOfSendsTogether) {
  if (setup.backend != BackendKind::kEpoll) return Skip("is about epoll");
  const struct {
    Call call;
    int error;
    std::uint32_t more;
  } faults[] = {
      {Call::io_uring_setup, EPERM, 0},
      {Call::io_uring_setup, ENOMEM, 0},
      {Call::mmap, ENOMEM, 0},
      {Call::io_uring_enter, EAGAIN, 1},
      {Call::io_uring_enter, EBUSY, 0},
      {Call::io_uring_enter, EINTR, 0},
      {Call::io_uring_enter, EPERM, 1000},
  };
  for (const auto& fault : faults) {
    Crowd crowd(setup, kFewPeers);
    REQUIRE(crowd.ready());
    const Fault failing(fault.call, 1, fault.error, fault.more);
    for (std::size_t round = 1; round <= 3; ++round) {
      crowd.SendToAll();
      CHECK(crowd.AllAnswered(round));
      crowd.ExpectMessages();
    }
    CHECK(failing.Struck());
    crowd.ExpectNoMore();
  }
}

}  // namespace completion_port::test
