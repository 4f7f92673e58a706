// Stopping with everything under way: it ends soon, and each operation has its one completion.
#include <functional>
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

// How long Stop() may take, in ms, whatever is under way. It does not wait for peers.
constexpr int kStopMs = 1500;

// Everything answered, everything closed.
void ExpectAllEnded(Client* client) {
  for (const Sock& sock : client->socks()) {
    CHECK(sock.closed);
    CHECK(sock.Idle());
  }
  CHECK_EQ(client->CountSubmitted(Opcode::kSend), client->CountCompleted(Opcode::kSend));
}

void StopsDuring(const Setup& setup, const PairOptions& options,
                 const std::function<void(Pair&)>& prepare) {
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  prepare(pair);
  if (Failed()) return;
  CHECK_AT_MOST(pair.client.Stop(), Patience(kStopMs));
  ExpectAllEnded(&pair.client);
  CHECK(pair.listener->closed);
  CHECK_AT_MOST(pair.client.Stop(), 50);  // a second time: nothing to do
}

}  // namespace

PORT_TEST(StopsWhileIdle) {
  for (int i = 0; i < 20; ++i) {
    Client client(setup);
    REQUIRE(client.started());
    if (i % 2 == 0) client.Pass(5);
    CHECK_AT_MOST(client.Stop(), Patience(kStopMs));
  }
}

PORT_TEST(StopsWithListenersAndReceives) {
  StopsDuring(setup, {}, [](Pair& pair) { pair.client.Pass(10); });
  PairOptions options;
  options.credit = 0;
  StopsDuring(setup, options, [](Pair& pair) { pair.client.Pass(10); });
}

PORT_TEST(StopsWithAListenerThatNeverAccepted) {
  StopsDuring(setup, {}, [](Pair& pair) {
    ListenOptions options;
    options.address = Loopback(0);
    CHECK(pair.client.Listen(options) != nullptr);
  });
}

PORT_TEST(StopsWithConnects) {
  PeerListener deaf(Family::kIpv4, 0);
  std::vector<Peer> fillers;
  fillers.push_back(Peer::Connect(deaf.address()));
  StopsDuring(setup, {}, [&](Pair& pair) {
    ConnectOptions options;
    options.remote = deaf.address();
    for (int i = 0; i < 5; ++i) {
      Sock* sock = pair.client.Prepare(options);
      REQUIRE(sock != nullptr);
      if (i == 0) continue;  // prepared only
      pair.client.Connect(sock);
      pair.client.Send(sock, "never");
      if (i == 1) pair.client.Shutdown(sock);
      if (i == 2) pair.client.Flush();
    }
  });
}

PORT_TEST(StopsWithABlockedSend) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  StopsDuring(setup, options, [](Pair& pair) {
    pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
    pair.client.Shutdown(pair.sock);
    pair.client.Pass(20);
    CHECK(!pair.sock->Idle());
  });
}

PORT_TEST(StopsWhileLingering) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  options.client.linger_ms = 60'000;
  StopsDuring(setup, options, [](Pair& pair) {
    pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
    pair.client.Close(pair.sock);
    CHECK(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  });
  StopsDuring(setup, options, [](Pair& pair) {
    pair.client.Shutdown(pair.sock);
    pair.client.Close(pair.sock);
    CHECK(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  });
}

PORT_TEST(StopsUnderLoad) {
  const std::vector<std::uint8_t> megabyte = PatternBytes(1, 0, 1'000'000);
  for (int round = 0; round < 10; ++round) {
    PairOptions options;
    options.credit = 1000;
    options.client.completion_entries = 16 * 1024;  // room for all, for nobody reads meanwhile
    options.client.ports = 1 + static_cast<std::uint32_t>(round % 3);
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    Client& client = pair.client;
    std::vector<Peer> peers;
    for (int i = 0; i < 20; ++i) peers.push_back(Peer::Connect(pair.listener->address));
    const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 100'000);
    std::thread traffic([&] {
      for (int i = 0; i < 10; ++i) {
        for (Peer& peer : peers) peer.SendSome(bytes.data(), bytes.size());
      }
      // Some arrive while the port stops.
      for (int i = 0; i < 10; ++i) peers.push_back(Peer::Connect(pair.listener->address));
    });
    client.Pass(round);
    for (Sock* sock : pair.listener->accepted) {
      client.Send(sock, {megabyte});
      client.Grant(sock, 5);
    }
    CHECK_AT_MOST(client.Stop(), Patience(kStopMs));
    traffic.join();
    ExpectAllEnded(&client);
  }
}

PORT_TEST(WhatCanGoOutGoesOutBeforeStop) {
  for (int round = 0; round < 20; ++round) {
    PairOptions options;
    options.credit = round % 2 == 0 ? 4 : 0;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    if (round % 3 == 0) CHECK_EQ(pair.peer.SendAll("unread"), PeerStatus::kOk);
    for (int i = 0; i < 10; ++i) pair.client.Send(pair.sock, "0123456789");
    if (round % 4 == 0) pair.client.Flush();
    pair.client.Send(pair.sock, {PatternBytes(3, 0, 40'000)});
    if (round % 5 == 0) pair.client.Shutdown(pair.sock);
    CHECK_AT_MOST(pair.client.Stop(), Patience(kStopMs));
    ExpectAllEnded(&pair.client);
    for (const Error error : pair.sock->send_results) CHECK_EQ(error, Error::kOk);
    std::vector<std::uint8_t> data;
    CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
    REQUIRE_EQ(data.size(), 40'100);
    PatternReader reader(3);
    CHECK(reader.Feed(data.data() + 100, 40'000));
  }
}

PORT_TEST(NoHandleIsLeft) {
  const auto live = [&](int round) {
    PairOptions options;
    options.peer_receive_buffer = 16 * 1024;
    options.client.ports = 1 + static_cast<std::uint32_t>(round % 2);
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    ConnectOptions connect;
    connect.remote = pair.listener->address;
    std::vector<Sock*> socks;
    for (int i = 0; i < 6; ++i) {
      socks.push_back(pair.client.Prepare(connect));
      REQUIRE(socks.back() != nullptr);
      if (i != 0) pair.client.Connect(socks.back());
    }
    if (round % 3 == 0) pair.client.Pass(5);
    pair.client.Close(socks[1]);
    pair.client.Close(socks[2], true);
    pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
    if (round % 4 == 0) pair.client.Close(pair.sock);
    connect.remote = Loopback(UnusedPort(Family::kIpv4));
    if (Sock* refused = pair.client.Prepare(connect)) pair.client.Connect(refused);
    if (round % 2 == 0) CHECK_AT_MOST(pair.client.Stop(), Patience(kStopMs));
  };
  live(0);
  live(1);  // whatever is made once is made now
  const int before = OpenHandles();
  if (before < 0) return Skip("the system does not count handles");
  for (int round = 0; round < 12; ++round) live(round);
  int after = OpenHandles();
  for (int i = 0; i < 50 && after > before; ++i) {  // some are closed a little later
    SleepMs(10);
    after = OpenHandles();
  }
  CHECK_AT_MOST(after, before);
}

PORT_TEST(AStoppedPortLeavesItsMemoryAlone) {
  Client client(setup);
  REQUIRE(client.started());
  client.Stop();
  // It is the submitter's again, who may put anything there.
  const auto word = client.header().At(kDriver);
  word.store(static_cast<std::uint32_t>(Driver::kNobody));
  client.Stop();
  CHECK_EQ(word.load(), static_cast<std::uint32_t>(Driver::kNobody));
}

PORT_TEST(DestroyingAGroupStopsIt) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, "bye");
  // ~Pair: closes, waits, stops. And a client that never began anything:
  Client idle(setup);
}

PORT_TEST(TwoGroupsAtOnce) {
  // Two environments: nothing is shared, one's end does not touch the other.
  Pair first(setup);
  REQUIRE(first.ready());
  {
    Pair second(setup);
    REQUIRE(second.ready());
    Sock* across = second.client.ConnectTo(first.listener->address);
    REQUIRE(across != nullptr);
    Sock* arrived = first.client.WaitAccepted(first.listener, 1);
    REQUIRE(arrived != nullptr);
    for (int i = 0; i < 100; ++i) {
      second.client.Send(across, "to the other side ");
      second.client.Flush();
      first.client.Send(first.sock, "x");
      first.client.Flush();
    }
    arrived->refill = 1;
    CHECK(first.client.WaitUntil([&] { return arrived->received == 1800; }));
    CHECK_AT_MOST(second.client.Stop(), Patience(kStopMs));
    CHECK(first.client.WaitUntil([&] { return arrived->ended.has_value(); }));
  }
  CHECK_EQ(first.peer.ReceiveText(100).size(), 100);
  REQUIRE_EQ(first.peer.SendAll("still here"), PeerStatus::kOk);
  CHECK(first.WaitReceived(10));
}

}  // namespace completion_port::test
