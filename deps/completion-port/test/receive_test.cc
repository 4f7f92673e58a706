// Receiving: credit, order, chunk sizes, ends.
#include <thread>

#include "pair.h"

namespace completion_port::test {

PORT_TEST(NothingBeyondTheCredit) {
  PairOptions options;
  options.credit = 2;
  options.refill = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  // The books fail the test if a third completion comes.
  std::uint64_t sent = 0;
  for (int i = 0; i < 5; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("abcdefgh"), PeerStatus::kOk);
    sent += 8;
    pair.client.Pass(20);
  }
  CHECK_EQ(pair.sock->receives, 2);
  CHECK_EQ(pair.sock->received, 16);
  for (int i = 0; pair.sock->received < sent && i < 10; ++i) {
    pair.client.Grant(pair.sock, 1);
    pair.client.Pass(20);
  }
  CHECK_EQ(pair.sock->received, sent);
}

PORT_TEST(SaysWhetherSomethingIsUnread) {
  PairOptions options;
  options.credit = 0;
  options.refill = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Port* port = pair.client.port();
  const SocketId id = pair.sock->id;
  const auto comes_to_be_unread = [&] {
    for (int i = 0; i < 200 && !port->HasUnread(id); ++i) SleepMs(10);
    return port->HasUnread(id);
  };
  CHECK(!port->HasUnread(id));
  CHECK(!port->HasUnread(0));
  REQUIRE_EQ(pair.peer.SendAll("abc"), PeerStatus::kOk);
  CHECK(comes_to_be_unread());
  pair.client.Grant(pair.sock, 1);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->received == 3; }));
  CHECK(!port->HasUnread(id));
  pair.peer.Close();
  CHECK(comes_to_be_unread());
}

PORT_TEST(PausesAndResumesAndLosesNothing) {
  PairOptions options;
  options.credit = 0;
  options.refill = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 3'000'000);
  std::thread sender(
      [&] { CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk); });
  PatternReader reader(1);
  pair.sock->sink = [&](const std::uint8_t* data, std::size_t length) {
    reader.Feed(data, length);
  };
  Random random(Seed());
  while (reader.offset() < bytes.size() && !Failed()) {
    const std::uint32_t before = pair.sock->receives;
    const std::uint32_t credit = 1 + random.Below(5);
    pair.client.Grant(pair.sock, credit);
    CHECK(pair.client.WaitUntil(
        [&] { return pair.sock->receives == before + credit || reader.offset() == bytes.size(); }));
    if (random.OneIn(40)) pair.client.Pass(5);  // a pause with data waiting
  }
  sender.join();
  CHECK(reader.right());
  CHECK_EQ(reader.offset(), bytes.size());
}

// A connection in lively use, whose receives the backend may have left with the system for good.
PORT_TEST(ABusyConnectionPausesToo) {
  PairOptions options;
  options.credit = 20;
  options.refill = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 200'000);
  PatternReader reader(1);
  pair.sock->sink = [&](const std::uint8_t* data, std::size_t length) {
    reader.Feed(data, length);
  };
  std::size_t sent = 0;
  const auto send = [&](std::size_t length) {
    REQUIRE_EQ(pair.peer.SendAll(bytes.data() + sent, length), PeerStatus::kOk);
    sent += length;
  };
  for (int i = 0; i < 20; ++i) {
    send(100);
    REQUIRE(pair.WaitReceived(sent));
  }
  // The credit is used up. What comes now is delivered with the next, in order.
  for (int i = 0; i < 5; ++i) {
    send(100);
    pair.client.Pass(5);
  }
  send(150'000);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(pair.sock->receives, 20);
  for (int i = 0; reader.offset() < sent && i < 200 && !Failed(); ++i) {
    const std::uint32_t before = pair.sock->receives;
    pair.client.Grant(pair.sock, 1);
    CHECK(pair.client.WaitUntil([&] { return pair.sock->receives == before + 1; }));
  }
  CHECK(reader.right());
  CHECK_EQ(reader.offset(), sent);
  pair.client.Close(pair.sock, true);
  CHECK(pair.WaitClosed());
}

PORT_TEST(CreditArrivesInDrops) {
  // A paused socket whose peer ends: the end is delivered with the next credit, not before.
  PairOptions options;
  options.credit = 1;
  options.refill = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("last words"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(10));
  pair.peer.Close();
  pair.client.Pass(kQuietMs);
  CHECK(!pair.sock->ended.has_value());
  pair.client.Grant(pair.sock, 5);
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kOk);
  CHECK_EQ(pair.sock->credit, 4);  // the rest is not used up
  pair.client.Pass(kQuietMs);
}

PORT_TEST(ChunkClassesAdapt) {
  PairOptions options;
  options.credit = 8;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  const std::vector<std::uint8_t> bulk = PatternBytes(2, 0, 8'000'000);
  PatternReader reader(2);
  pair.sock->sink = [&](const std::uint8_t* data, std::size_t length) {
    reader.Feed(data, length);
  };
  std::thread sender([&] { pair.peer.SendAll(bulk.data(), bulk.size()); });
  CHECK(pair.WaitReceived(bulk.size(), 10000));
  sender.join();
  CHECK(reader.right());
  // Bulk came in large chunks, not in 2,000 small ones.
  CHECK_AT_MOST(16 * 1024, pair.sock->largest);
  CHECK_AT_MOST(pair.sock->receives, 1000);
  // Messages again, and they all come.
  pair.sock->sink = nullptr;
  for (int i = 0; i < 20; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("0123456789"), PeerStatus::kOk);
    REQUIRE(pair.WaitReceived(bulk.size() + 10 * (static_cast<std::uint64_t>(i) + 1)));
  }
  CHECK_EQ(pair.sock->data.size(), 200);
}

PORT_TEST(ManyMessagesInOrder) {
  PairOptions options;
  options.credit = 3;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  PatternReader reader(3);
  pair.sock->sink = [&](const std::uint8_t* data, std::size_t length) {
    reader.Feed(data, length);
  };
  Random random(Seed());
  std::uint64_t sent = 0;
  const int kMessages = UnderWine() ? 500 : 3000;
  for (int i = 0; i < kMessages; ++i) {
    const std::vector<std::uint8_t> bytes = PatternBytes(3, sent, 1 + random.Below(300));
    REQUIRE_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    sent += bytes.size();
    if (random.OneIn(4)) pair.client.Drain();
  }
  CHECK(pair.WaitReceived(sent));
  CHECK(reader.right());
}

PORT_TEST(PeerEndsAndThatIsTheEnd) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("bye"), PeerStatus::kOk);
  pair.peer.ShutdownSend();
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kOk);
  CHECK_EQ(pair.sock->Text(), std::string("bye"));
  pair.client.Grant(pair.sock, 3);  // after the end: no answer
  pair.client.Pass(kQuietMs);
  // We can still send: half-closed.
  pair.client.Send(pair.sock, "and thanks");
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
  CHECK_EQ(std::string(data.begin(), data.end()), std::string("and thanks"));
  CHECK(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
}

PORT_TEST(WeEndAndStillReceive) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, "question");
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
  CHECK_EQ(data.size(), 8);
  REQUIRE_EQ(pair.peer.SendAll("answer"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(6));
  pair.client.Send(pair.sock, "refused");  // after our end
  REQUIRE(pair.WaitSends(2));
  CHECK_EQ(At(pair.sock->send_results, 1), Error::kBrokenPipe);
  pair.client.Shutdown(pair.sock);  // a second end
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  CHECK_EQ(At(pair.sock->shutdown_results, 1), Error::kNotConnected);
  pair.peer.Close();
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kOk);
  CHECK_EQ(pair.sock->Text(), std::string("answer"));
}

PORT_TEST(PeerResetsWhileWeReceive) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.peer.Reset();
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kConnectionReset);
  pair.client.Send(pair.sock, "anyone?");
  REQUIRE(pair.WaitSends(1));
  CHECK(At(pair.sock->send_results, 0) == Error::kBrokenPipe ||
        At(pair.sock->send_results, 0) == Error::kConnectionReset ||
        At(pair.sock->send_results, 0) == Error::kConnectionAborted);
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
}

PORT_TEST(PeerResetsWhileWePause) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.peer.Reset();
  pair.client.Pass(kQuietMs);
  CHECK(!pair.sock->ended.has_value());
  pair.client.Grant(pair.sock, 1);
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kConnectionReset);
}

PORT_TEST(IdleConnectionsHoldNoChunks) {
  // 200 idle connections with credit on a slab of 64 small chunks: one more still receives.
  PairOptions options;
  options.client.receive_slab_bytes = 512 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  std::vector<Peer> peers;
  for (int i = 0; i < 200; ++i) peers.push_back(Peer::Connect(pair.listener->address));
  Client& client = pair.client;
  REQUIRE(client.WaitUntil([&] { return pair.listener->accepted.size() == 201; }));
  for (std::size_t i = 0; i < peers.size(); ++i) {
    REQUIRE_EQ(peers[i].SendAll("ping"), PeerStatus::kOk);
  }
  std::uint64_t received = 0;
  CHECK(client.WaitUntil([&] {
    received = 0;
    for (const Sock* sock : pair.listener->accepted) received += sock->received;
    return received == 800;
  }));
  REQUIRE_EQ(pair.peer.SendAll("pong"), PeerStatus::kOk);
  CHECK(pair.WaitReceived(4));
}

}  // namespace completion_port::test
