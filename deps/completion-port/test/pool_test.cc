// The receive budget as the submitter meets it: exhaustion, recovery, trimming.
#include <algorithm>
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

PairOptions TinySlab() {
  PairOptions options;
  options.credit = 100'000;
  options.client.receive_slab_bytes = 512 * 1024;
  return options;
}

// Messages that are kept, one by one, until every chunk of the slab is in our hands.
bool TakeEveryChunk(Pair* pair) {
  pair->sock->gives_back = false;
  const std::uint64_t total = pair->client.Count(Counter::kChunksTotal);
  const std::uint64_t before = pair->sock->received;
  for (std::uint64_t i = 1; i <= total; ++i) {
    if (pair->peer.SendAll("x") != PeerStatus::kOk) return false;
    if (!pair->WaitReceived(before + i)) return false;
  }
  return pair->sock->held.size() == total;
}

}  // namespace

PORT_TEST(PoolRunsDryAndRecovers) {
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  sock->gives_back = false;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 3'000'000);
  std::thread sender([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  PatternReader reader(1);
  sock->sink = [&](const std::uint8_t* data, std::size_t length) { reader.Feed(data, length); };
  CHECK(pair.client.WaitCount(Counter::kReceivesStarved, 1));
  pair.client.Pass(kQuietMs);
  const std::uint64_t starved_at = sock->received;
  CHECK_AT_MOST(starved_at, 512 * 1024);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->received, starved_at);  // it waits
  while (reader.offset() < bytes.size() && !Failed()) {
    const std::uint64_t before = sock->received;
    while (!sock->held.empty()) pair.client.GiveBack(sock);
    CHECK(pair.client.WaitUntil([&] { return sock->received > before; }));
  }
  sender.join();
  CHECK(reader.right());
  while (!sock->held.empty()) pair.client.GiveBack(sock);
}

PORT_TEST(OneChunkComesBackOneReceiveGoesOn) {
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  sock->gives_back = false;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 4'000'000);
  std::thread sender([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  CHECK(pair.client.WaitCount(Counter::kReceivesStarved, 1));
  pair.client.Pass(kQuietMs);
  // The small ones it came with first are not what it waits for.
  while (!sock->held.empty() && sock->held.front().length <= 4096) pair.client.GiveBack(sock);
  for (int i = 0; i < 50 && !Failed(); ++i) {
    const std::uint32_t before = sock->receives;
    REQUIRE(!sock->held.empty());
    pair.client.GiveBack(sock);
    CHECK(pair.client.WaitUntil([&] { return sock->receives > before; }));
  }
  PatternReader reader(1);
  CHECK(reader.Feed(sock->data));
  pair.client.Close(sock, true);
  while (!sock->held.empty()) pair.client.GiveBack(sock);  // also after kClose was submitted
  CHECK(pair.WaitClosed());
  sender.join();
}

PORT_TEST(ChunksComeBackQuietly) {
  // A submitter that lets the port sleep over chunks it gives back, unless the port wants them.
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  sock->gives_back = false;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 8'000'000);
  std::thread sender([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  PatternReader reader(1);
  sock->sink = [&](const std::uint8_t* data, std::size_t length) { reader.Feed(data, length); };
  Random random(Seed());
  while (reader.offset() < bytes.size() && !Failed()) {
    if (random.OneIn(3)) SleepMs(1);  // the port runs dry, or falls asleep
    const std::uint64_t before = sock->received;
    while (!sock->held.empty() && !random.OneIn(20)) pair.client.GiveBack(sock);
    pair.client.FlushQuietly();
    if (!sock->held.empty()) continue;
    // Sooner than the next tick of the port's own clock.
    CHECK(pair.client.WaitUntil([&] { return sock->received > before; }, 400));
  }
  sender.join();
  CHECK(reader.right());
}

PORT_TEST(AHogStarvesOthersOnlyUntilItGivesBack) {
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Client& client = pair.client;
  std::vector<Peer> peers = pair.ConnectMore(10);
  REQUIRE_EQ(pair.listener->accepted.size(), 11);
  pair.sock->gives_back = false;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 4'000'000);
  std::thread sender([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  CHECK(client.WaitCount(Counter::kReceivesStarved, 1));
  client.Pass(20);
  for (Peer& peer : peers) CHECK_EQ(peer.SendAll("me too"), PeerStatus::kOk);
  client.Pass(20);
  // The hog leaves, holding its chunks; then they come back under its dead id.
  client.Close(pair.sock, true);
  CHECK(pair.WaitClosed());
  while (!pair.sock->held.empty()) client.GiveBack(pair.sock);
  CHECK(client.WaitUntil([&] {
    return std::all_of(pair.listener->accepted.begin() + 1, pair.listener->accepted.end(),
                       [](const Sock* sock) { return sock->received == 6; });
  }));
  sender.join();
}

PORT_TEST(ManyDrainAndReceiveTogether) {
  // Sockets that linger read and throw away, others receive; all share few chunks.
  PairOptions options = TinySlab();
  options.client.linger_ms = 10'000;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  const std::size_t kPeers = 24;
  std::vector<Peer> peers = pair.ConnectMore(kPeers);
  REQUIRE_EQ(pair.listener->accepted.size(), kPeers + 1);
  for (std::size_t i = 1; i <= kPeers; i += 2) {
    client.Shutdown(pair.listener->accepted[i]);
    client.Close(pair.listener->accepted[i]);
  }
  client.Flush();
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 400'000);
  std::thread sender([&] {
    for (std::size_t done = 0; done < bytes.size(); done += 20'000) {
      for (Peer& peer : peers) peer.SendAll(bytes.data() + done, 20'000);
    }
    for (Peer& peer : peers) peer.ShutdownSend();
  });
  const auto all_ended = [&] {
    return std::all_of(pair.listener->accepted.begin() + 1, pair.listener->accepted.end(),
                       [](const Sock* sock) { return sock->closed || sock->ended.has_value(); });
  };
  CHECK(client.WaitUntil(all_ended, 15000));
  sender.join();
  std::uint64_t received = 0;
  for (std::size_t i = 2; i <= kPeers; i += 2) received += pair.listener->accepted[i]->received;
  CHECK_EQ(received, kPeers / 2 * bytes.size());
}

PORT_TEST(ADrainingSocketGivesItsChunkToTheStarved) {
  // More sockets drain than there are chunks, and one receives now and then. When it finds no
  // chunk, the next that a draining socket is done with is for it: nobody else gives one back.
  PairOptions options;
  options.credit = 100'000;
  options.client.receive_slab_bytes = 256 * 1024;
  options.client.linger_ms = 20'000;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  const std::size_t kPeers = 100;
  std::vector<Peer> peers = pair.ConnectMore(kPeers);
  REQUIRE_EQ(pair.listener->accepted.size(), kPeers + 1);
  for (std::size_t i = 1; i <= kPeers; ++i) {
    client.Shutdown(pair.listener->accepted[i]);
    client.Close(pair.listener->accepted[i]);
  }
  client.Flush();
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 4000);
  Random random(Seed());
  const int kRounds = UnderWine() ? 20 : 200;
  for (int round = 1; round <= kRounds; ++round) {
    const std::size_t turn = random.Below(kPeers);
    for (std::size_t i = 0; i < kPeers; ++i) {
      peers[i].SendSome(bytes.data(), bytes.size());
      if (i == turn) CHECK_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
    }
    REQUIRE(pair.WaitReceived(static_cast<std::uint64_t>(round), 2000));
  }
}

PORT_TEST(ChunksDoNotLeak) {
  // Far more connections than chunks, ended in every way with data under way. In the end the whole
  // slab still serves one socket.
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Client& client = pair.client;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 100'000);
  const std::size_t kRounds = UnderWine() ? 100 : 400;
  for (std::size_t i = 1; i <= kRounds; ++i) {
    Peer peer = Peer::Connect(pair.listener->address);
    Sock* sock = client.WaitAccepted(pair.listener, i);
    REQUIRE(sock != nullptr);
    peer.SendSome(bytes.data(), i % 7 == 0 ? bytes.size() : 100);
    if (i % 2 == 0) client.Drain();
    if (i % 5 == 0) client.Shutdown(sock);
    client.Close(sock, i % 3 == 0);
    client.Flush();
    if (i % 4 == 0) peer.Reset();
    peer.Close();
    REQUIRE(client.WaitUntil([&] { return sock->closed; }));
  }
  CHECK(TakeEveryChunk(&pair));
  client.Close(pair.sock, true);
  CHECK(pair.WaitClosed());
}

PORT_TEST(OnlyWhatWasDeliveredIsReleased) {
  // A submitter gives back what it never got. The books fail the test if a chunk that lies with
  // the system is handed out twice then.
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(1));
  const std::uint64_t total = pair.client.Count(Counter::kChunksTotal);
  for (std::uint32_t chunk = 0; chunk <= total; ++chunk) {
    pair.client.Submit(0, Opcode::kRelease, pair.sock->id, chunk);
  }
  pair.client.Pass(kQuietMs);
  CHECK(TakeEveryChunk(&pair));
}

PORT_TEST(AChunkThatOneLeavesServesTheNext) {
  PairOptions options = TinySlab();
  options.client.receive_slab_bytes = 256 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  std::vector<Peer> peers = pair.ConnectMore(2);
  REQUIRE_EQ(pair.listener->accepted.size(), 3);
  REQUIRE(TakeEveryChunk(&pair));
  std::uint64_t starved = client.Count(Counter::kReceivesStarved);
  for (Peer& peer : peers) {
    REQUIRE_EQ(peer.SendAll("y"), PeerStatus::kOk);
    ++starved;
    REQUIRE(client.WaitCount(Counter::kReceivesStarved, starved));
  }
  // What the first waits to read is gone when its turn comes: another process was quicker.
  std::intptr_t duplicate = -1;
  REQUIRE_EQ(client.port()->Duplicate(pair.listener->accepted[1]->id, &duplicate), Error::kOk);
  Peer twin(duplicate);
  std::vector<std::uint8_t> taken;
  REQUIRE_EQ(twin.ReceiveSome(&taken, 1, 1000), PeerStatus::kOk);
  client.GiveBack(pair.sock);
  CHECK(client.WaitUntil([&] { return pair.listener->accepted[2]->received == 1; }, 1000));
  while (!pair.sock->held.empty()) client.GiveBack(pair.sock);
}

PORT_TEST(LargePiecesWaitForLargeChunks) {
  // Far more connections than large chunks. Small ones would cut each piece in four, and to try
  // for all of them whenever a chunk comes back would be most of the work.
  Pair pair(setup, TinySlab());
  REQUIRE(pair.ready());
  Client& client = pair.client;
  const std::size_t kPeers = 100;
  std::vector<Peer> peers = pair.ConnectMore(kPeers);
  REQUIRE_EQ(pair.listener->accepted.size(), kPeers + 1);
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 16'000);
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint32_t receives = 0;
  const auto count = [&] {
    received = receives = 0;
    for (const Sock* sock : pair.listener->accepted) {
      received += sock->received;
      receives += sock->receives;
    }
    return received == sent;
  };
  const auto send_each = [&](std::size_t length) {
    for (Peer& peer : peers) CHECK_EQ(peer.SendAll(bytes.data(), length), PeerStatus::kOk);
    sent += kPeers * length;
  };
  for (int i = 0; i < 3; ++i) {
    send_each(bytes.size());  // teaches the port what to expect
    REQUIRE(client.WaitUntil(count));
  }
  const std::uint32_t receives_before = receives;
  const std::uint64_t packets_before = client.Count(Counter::kPackets);
  send_each(bytes.size());  // while nobody gives chunks back
  SleepMs(kQuietMs);
  REQUIRE(client.WaitUntil(count));
  CHECK_AT_MOST(receives - receives_before, kPeers * 2);
  CHECK_AT_MOST(client.Count(Counter::kPackets) - packets_before, kPeers * 6);
}

PORT_TEST(IdlePoolIsTrimmed) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.sock->gives_back = false;
  pair.client.Grant(pair.sock, 1000);
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 2'000'000);
  std::thread sender([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  CHECK(pair.WaitReceived(bytes.size()));
  sender.join();
  while (!pair.sock->held.empty()) pair.client.GiveBack(pair.sock);
  // Two seconds of idleness, then most of the pages are gone.
  pair.client.Pass(2300);
  // With io_uring also of the chunks that lie ready: 32 and 8 of them at least.
  const std::uint64_t least = setup.backend == BackendKind::kIoUring ? 50 : 10;
  CHECK_AT_MOST(least, pair.client.Count(Counter::kChunksTrimmed));
  const std::uint64_t calls = pair.client.Count(Counter::kOsCalls);
  pair.client.Pass(1200);
  CHECK_AT_MOST(pair.client.Count(Counter::kOsCalls) - calls, 4);  // and then it sleeps for good
  // What was trimmed is still usable.
  const std::uint64_t before = pair.sock->received;
  std::thread again([&] { pair.peer.SendAll(bytes.data(), bytes.size()); });
  pair.sock->data.clear();
  pair.sock->gives_back = true;
  CHECK(pair.WaitReceived(before + bytes.size()));
  again.join();
  CHECK(pair.sock->data == bytes);
}

}  // namespace completion_port::test
