// Wake-ups and rings: nobody sleeps through a message, and nothing is lost when a ring is full.
#include <chrono>

#include "pair.h"

namespace completion_port::test {
namespace {

constexpr SocketId kNobody = 0xfff00000u;  // a generation that no test reaches

// Keeps the processor busy for about so long: a sleep would be far too coarse.
void Spin(std::uint32_t ns) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(ns);
  while (std::chrono::steady_clock::now() < until) {
  }
}

// An operation that is answered without the OS: a shutdown of nobody.
void Ping(Client* client, std::uint32_t port, std::uint32_t number = 0) {
  ++client->strays_expected;
  client->Submit(port, Opcode::kShutdown, kNobody + number);
}

}  // namespace

THREAD_TEST(PingPongsWithThePort) {
  // Each ping finds the port awake, asleep or somewhere between, and this side likewise. A wake-up
  // that is lost shows as a wait that times out.
  Client client(setup);
  REQUIRE(client.started());
  Random random(Seed());
  const int kRounds = UnderWine() ? 4000 : Slowness() > 1 ? 30000 : 100000;
  for (int round = 0; round < kRounds; ++round) {
    if (random.OneIn(2)) Spin(random.Below(12000));
    Ping(&client, 0);
    REQUIRE(client.WaitUntil([&] { return client.strays.size() == client.strays_expected; }, 2000));
    if (client.strays.size() >= 1000) {
      client.strays.clear();
      client.strays_expected = 0;
    }
  }
  // That is what made it a test: both sides slept, and often.
  CHECK_AT_MOST(100, client.Count(Counter::kPortWakeups));
  CHECK_AT_MOST(100, client.Count(Counter::kConsumerWakeups));
}

PORT_TEST(PingPongsWithAPeer) {
  PairOptions options;
  options.credit = 1;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Random random(Seed());
  const int kRounds = UnderWine() ? 500 : setup.Rounds(5000);
  for (int round = 1; round <= kRounds; ++round) {
    if (random.OneIn(3)) Spin(random.Below(20000));
    REQUIRE_EQ(pair.peer.SendAll("?"), PeerStatus::kOk);
    REQUIRE(pair.WaitReceived(static_cast<std::uint64_t>(round), 2000));
    pair.client.Send(pair.sock, "!");
    pair.client.Flush();
    REQUIRE_EQ(pair.peer.ReceiveText(1), std::string("!"));
  }
  CHECK(pair.WaitSends(static_cast<std::size_t>(kRounds)));
}

PORT_TEST(PingPongsWithThreePorts) {
  ClientOptions options;
  options.ports = 3;
  Client client(setup, options);
  REQUIRE(client.started());
  Random random(Seed());
  const int kRounds = UnderWine() ? 1000 : setup.Rounds(10000);
  for (int round = 0; round < kRounds; ++round) {
    for (std::uint32_t n = 1 + random.Below(4); n > 0; --n) Ping(&client, random.Below(3));
    REQUIRE(client.WaitUntil([&] { return client.strays.size() == client.strays_expected; }, 2000));
  }
}

PORT_TEST(HandOversMeetAPortThatFallsAsleep) {
  // Each connection arrives at port 0 and is handed to port 1, which is just awake, or asleep, or
  // somewhere between.
  ClientOptions options;
  options.ports = 2;
  Client client(setup, options);
  Accepting* listener = client.ListenAndAccept(0);
  REQUIRE(listener != nullptr);
  Peer first = Peer::Connect(listener->address);  // stays, on port 0
  REQUIRE(client.WaitAccepted(listener) != nullptr);
  Random random(Seed());
  const auto kRounds = static_cast<std::size_t>(UnderWine() ? 200 : setup.Rounds(4000));
  for (std::size_t round = 1; round <= kRounds; ++round) {
    Peer peer = Peer::Connect(listener->address);
    REQUIRE(peer.IsOpen());
    for (std::uint32_t pings = random.Below(4); pings > 0; --pings) {
      Spin(random.Below(15000));
      Ping(&client, 1);
      client.Flush();
    }
    REQUIRE(client.WaitUntil([&] { return listener->accepted.size() > round; }, 2000));
    Sock* sock = listener->accepted[round];
    CHECK_EQ(sock->port, 1);
    client.Close(sock, true);
    REQUIRE(client.WaitUntil([&] { return sock->closed; }, 2000));
  }
}

PORT_TEST(ASubmissionDoesNotWaitForOthers) {
  // The port sleeps in the OS, with a receive that will never end. A submission gets through.
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Pass(kQuietMs);
  const std::uint64_t started_ms = NowMs();
  Ping(&pair.client, 0);
  REQUIRE(pair.client.WaitUntil([&] { return pair.client.strays.size() == 1; }));
  CHECK_AT_MOST(NowMs() - started_ms, Patience(500));
}

PORT_TEST(AnIdlePortDoesNotSpin) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Pass(kQuietMs);
  const std::uint64_t calls = pair.client.Count(Counter::kOsCalls);
  pair.client.Pass(300);
  CHECK_AT_MOST(pair.client.Count(Counter::kOsCalls) - calls, 3);
}

PORT_TEST(CompletionRingFull) {
  ClientOptions options;
  options.completion_entries = 4;
  options.submission_entries = 64;
  Client client(setup, options);
  REQUIRE(client.started());
  const std::uint32_t kPings = 5000;
  // Nobody reads while all are submitted: the port holds back what has no room.
  for (std::uint32_t i = 0; i < kPings; ++i) Ping(&client, 0, i % 1000);
  client.Flush();
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(3000));
  while (client.header().At(kCompletionOverflow).load() == 0 && NowMs() < deadline_ms) SleepMs(1);
  CHECK_EQ(client.header().At(kCompletionOverflow).load(), 1);
  SleepMs(20);
  client.max_batch = 3;
  CHECK(client.WaitUntil([&] { return client.strays.size() == kPings; }, 10000));
  for (std::uint32_t i = 0; i < client.strays.size(); ++i) {
    REQUIRE_EQ(client.strays[i].id, kNobody + i % 1000);  // in order, each once
  }
  CHECK_EQ(client.header().At(kCompletionOverflow).load(), 0);
  // And while new ones come: they queue up behind those held back.
  client.strays.clear();
  client.strays_expected = 0;
  Random random(Seed());
  for (std::uint32_t i = 0; i < kPings; ++i) {
    Ping(&client, 0, i);
    if (!random.OneIn(3)) continue;
    client.Flush();
    if (random.OneIn(2)) client.Drain();
  }
  CHECK(client.WaitUntil([&] { return client.strays.size() == kPings; }, 10000));
  for (std::uint32_t i = 0; i < client.strays.size(); ++i) {
    REQUIRE_EQ(client.strays[i].id, kNobody + i);
  }
}

PORT_TEST(CompletionRingFullOfData) {
  PairOptions options;
  options.credit = 64;
  options.client.completion_entries = 2;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  const std::vector<std::uint8_t> bytes = PatternBytes(6, 0, 500'000);
  REQUIRE_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
  SleepMs(30);
  pair.peer.ShutdownSend();
  pair.client.max_batch = 1;
  REQUIRE(pair.WaitEnded(10000));
  PatternReader reader(6);
  CHECK(reader.Feed(pair.sock->data));
  CHECK_EQ(pair.sock->received, bytes.size());
}

PORT_TEST(SubmissionRingFull) {
  ClientOptions options;
  options.submission_entries = 8;
  Client client(setup, options);
  REQUIRE(client.started());
  Submission ping{};
  ping.opcode = static_cast<std::uint32_t>(Opcode::kShutdown);
  ping.id = kNobody;
  // Not published: the port cannot make room, and the ninth does not fit.
  for (int i = 0; i < 8; ++i) CHECK(client.TryWrite(0, ping));
  CHECK(!client.TryWrite(0, ping));
  CHECK(!client.TryWrite(0, ping));
  client.strays_expected = 8;
  REQUIRE(client.WaitUntil([&] { return client.strays.size() == 8; }));
  // Many rounds of the ring, so that its indices wrap often.
  for (int i = 0; i < 20000; ++i) Ping(&client, 0);
  CHECK(client.WaitUntil([&] { return client.strays.size() == 20008; }, 10000));
}

PORT_TEST(UnknownOpcodesAreIgnored) {
  Client client(setup);
  REQUIRE(client.started());
  for (const std::uint32_t opcode : {0u, 7u, 8u, 9u, 10u, 1000u, 0xffffffffu}) {
    if (opcode < static_cast<std::uint32_t>(Opcode::kCount) &&
        opcode != static_cast<std::uint32_t>(Opcode::kLinger) && opcode != 0) {
      continue;
    }
    client.Submit(0, static_cast<Opcode>(opcode), 1, 2, 3);
  }
  Ping(&client, 0);
  CHECK(client.WaitUntil([&] { return client.strays.size() == 1; }));
}

}  // namespace completion_port::test
