// Receiving without chunks: kReadable says when, ReceiveNow receives.
#include <initializer_list>
#include <thread>

#include "local_pair.h"
#include "pair.h"

namespace completion_port::test {
namespace {

constexpr std::int32_t kNothingNow = ToResult(Error::kTryAgain);

PairOptions WithCredit(std::uint32_t credit) {
  PairOptions options;
  options.credit = credit;
  options.refill = 0;
  return options;
}

// The answer to the kReadable that is awaited.
Error WaitAnswer(Client& client, Sock* sock) {
  client.WaitUntil([&] { return sock->readable != Readable::kAwaited; });
  return sock->readable == Readable::kAwaited ? kNone : Last(sock->readable_results);
}

Error AskReadable(Client& client, Sock* sock) {
  client.AwaitReadable(sock);
  return WaitAnswer(client, sock);
}

// Directly, until nothing is there or it is the end. Bytes.
std::uint64_t ReceiveAllThereIs(Client& client, Sock* sock) {
  const std::uint64_t before = sock->received;
  while (client.ReceiveDirectly(sock) > 0) {
  }
  return sock->received - before;
}

// Fails the test where the peer does not take them.
void SendFrom(Peer& peer, const std::vector<std::uint8_t>& bytes, std::uint64_t* sent,
              std::size_t length) {
  const std::uint8_t* from = bytes.data() + static_cast<std::size_t>(*sent);
  CHECK_EQ(peer.SendAll(from, length), PeerStatus::kOk);
  *sent += length;
}

}  // namespace

PORT_TEST(ReadableWhenBytesCome) {
  Pair pair(setup, WithCredit(0));
  REQUIRE(pair.ready());
  Client& client = pair.client;
  for (int round = 1; round <= 3; ++round) {
    client.AwaitReadable(pair.sock);
    client.Pass(kQuietMs);
    CHECK(pair.sock->readable == Readable::kAwaited);
    REQUIRE_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
    REQUIRE_EQ(WaitAnswer(client, pair.sock), Error::kOk);
    CHECK_EQ(client.ReceiveDirectly(pair.sock), 5);
    CHECK_EQ(client.ReceiveDirectly(pair.sock), kNothingNow);
  }
  CHECK_EQ(pair.sock->Text(), std::string("hellohellohello"));
  CHECK_EQ(client.Count(Counter::kDirectReceives), 6);
  CHECK_EQ(client.Count(Counter::kDirectBytesReceived), 15);
  CHECK_EQ(client.Count(Counter::kBytesReceived), 0);
  CHECK_EQ(client.CountSubmitted(Opcode::kReadable), 3);
  CHECK_EQ(client.CountCompleted(Opcode::kReadable), 3);
}

PORT_TEST(ReadableAtOnceWhereBytesAre) {
  Pair pair(setup, WithCredit(0));
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("0123456789"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  // Also for what was left behind.
  for (int round = 0; round < 2; ++round) {
    REQUIRE_EQ(AskReadable(pair.client, pair.sock), Error::kOk);
    CHECK_EQ(pair.client.ReceiveDirectly(pair.sock, 5), 5);
  }
  CHECK_EQ(pair.client.ReceiveDirectly(pair.sock), kNothingNow);
  CHECK_EQ(pair.sock->Text(), std::string("0123456789"));
}

PORT_TEST(ReadableAtTheEnd) {
  for (const bool ends_before : {false, true}) {
    for (const std::string words : {"", "last words"}) {
      Pair pair(setup, WithCredit(0));
      REQUIRE(pair.ready());
      if (!ends_before) {
        pair.client.AwaitReadable(pair.sock);
        pair.client.Pass(kQuietMs);
      }
      REQUIRE_EQ(pair.peer.SendAll(words), PeerStatus::kOk);
      pair.peer.ShutdownSend();
      if (ends_before) {
        pair.client.Pass(kQuietMs);
        pair.client.AwaitReadable(pair.sock);
      }
      while (!pair.sock->ended.has_value()) {
        REQUIRE_EQ(WaitAnswer(pair.client, pair.sock), Error::kOk);
        ReceiveAllThereIs(pair.client, pair.sock);
        if (!pair.sock->ended.has_value()) pair.client.AwaitReadable(pair.sock);
      }
      CHECK_EQ(*pair.sock->ended, Error::kOk);
      CHECK_EQ(pair.sock->Text(), words);
      // We can still send, and end the same way as if the port had seen the end.
      pair.client.Send(pair.sock, "and thanks");
      pair.client.Shutdown(pair.sock);
      pair.client.Close(pair.sock);
      std::vector<std::uint8_t> data;
      pair.client.Flush();
      CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
      CHECK_EQ(data.size(), 10);
      CHECK(pair.WaitClosed(500));
    }
  }
}

PORT_TEST(ReadableOnReset) {
  for (const bool resets_before : {false, true}) {
    Pair pair(setup, WithCredit(0));
    REQUIRE(pair.ready());
    if (resets_before) {
      pair.peer.Reset();
      pair.client.Pass(kQuietMs);
    }
    pair.client.AwaitReadable(pair.sock);
    if (!resets_before) {
      pair.client.Pass(kQuietMs);
      pair.peer.Reset();
    }
    const Error answer = WaitAnswer(pair.client, pair.sock);
    if (answer == Error::kOk) pair.client.ReceiveDirectly(pair.sock);
    CHECK_EQ(pair.sock->ended.value_or(kNone), Error::kConnectionReset);
    pair.client.Close(pair.sock);
    CHECK(pair.WaitClosed());
  }
}

PORT_TEST(ReadableIsBusyWithCreditOut) {
  Pair pair(setup, WithCredit(2));
  REQUIRE(pair.ready());
  Client& client = pair.client;
  CHECK_EQ(AskReadable(client, pair.sock), Error::kBusy);
  for (const char* text : {"one", "two"}) {
    REQUIRE_EQ(pair.peer.SendAll(text), PeerStatus::kOk);
    const std::uint32_t before = pair.sock->receives;
    CHECK(client.WaitUntil([&] { return pair.sock->receives == before + 1; }));
    if (pair.sock->credit != 0) CHECK_EQ(AskReadable(client, pair.sock), Error::kBusy);
  }
  REQUIRE_EQ(pair.peer.SendAll("three"), PeerStatus::kOk);
  client.Pass(kQuietMs);
  client.Grant(pair.sock, 1);
  CHECK(pair.WaitReceived(11));
  CHECK_EQ(pair.sock->Text(), std::string("onetwothree"));
  // Also with what the end left over.
  client.Grant(pair.sock, 2);
  pair.peer.ShutdownSend();
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(pair.sock->credit, 1);
  CHECK_EQ(AskReadable(client, pair.sock), Error::kBusy);
}

// The second is refused at once; the first waits on.
PORT_TEST(ReadableIsBusyWhileAwaited) {
  Pair pair(setup, WithCredit(0));
  REQUIRE(pair.ready());
  Client& client = pair.client;
  client.strays_expected = 1;
  client.AwaitReadable(pair.sock);
  client.Submit(0, Opcode::kReadable, pair.sock->id);
  CHECK_EQ(WaitAnswer(client, pair.sock), Error::kBusy);
  client.Pass(kQuietMs);
  CHECK_EQ(client.strays.size(), 0);
  REQUIRE_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
  REQUIRE(client.WaitUntil([&] { return client.strays.size() == 1; }));
  CHECK(client.strays[0].opcode == Opcode::kReadable);
  CHECK_EQ(client.strays[0].result, Error::kOk);
}

PORT_TEST(ReadableBeforeConnecting) {
  Client client(setup);
  PeerListener listener(Family::kIpv4);
  ConnectOptions options;
  options.remote = listener.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  CHECK_EQ(AskReadable(client, sock), Error::kNotConnected);
  client.Connect(sock);
  REQUIRE(client.WaitUntil([&] { return sock->connected.has_value(); }));
  Peer peer = listener.Accept();
  REQUIRE_EQ(peer.SendAll("now"), PeerStatus::kOk);
  REQUIRE_EQ(AskReadable(client, sock), Error::kOk);
  CHECK_EQ(client.ReceiveDirectly(sock), 3);
}

// It waits for the completion, which comes first, and is not lost. The books see to the order.
PORT_TEST(CreditBehindAReadable) {
  for (const bool bytes_are_there : {false, true}) {
    Pair pair(setup, WithCredit(0));
    REQUIRE(pair.ready());
    if (bytes_are_there) REQUIRE_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
    pair.client.Pass(kQuietMs);
    pair.client.AwaitReadable(pair.sock);
    pair.client.Grant(pair.sock, 1);
    pair.client.Grant(pair.sock, 1);
    if (!bytes_are_there) {
      pair.client.Pass(kQuietMs);
      REQUIRE_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
    }
    REQUIRE_EQ(WaitAnswer(pair.client, pair.sock), Error::kOk);
    CHECK(pair.WaitReceived(5));
    CHECK_EQ(pair.sock->credit, 1);
    REQUIRE_EQ(pair.peer.SendAll("again"), PeerStatus::kOk);
    CHECK(pair.WaitReceived(10));
    CHECK_EQ(pair.sock->Text(), std::string("helloagain"));
  }
}

PORT_TEST(ChunksAndDirectReceivesInTurns) {
  PairOptions options = WithCredit(4);
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  Sock* sock = pair.sock;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 6'000'000);
  std::thread sender([&] {
    CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    pair.peer.ShutdownSend();
  });
  PatternReader reader(1);
  sock->sink = [&](const std::uint8_t* data, std::size_t length) { reader.Feed(data, length); };
  Random random(Seed());
  while (!sock->ended && !Failed()) {
    CHECK(client.WaitUntil([&] { return sock->credit == 0 || sock->ended; }));
    const Error answer = sock->ended ? Error::kBusy : AskReadable(client, sock);
    if (answer != Error::kBusy) {
      CHECK_EQ(answer, Error::kOk);
      const std::uint32_t most = 1 + random.Below(20);
      for (std::uint32_t i = 0; i < most && !sock->ended; ++i) {
        if (client.ReceiveDirectly(sock, 1 + random.Below(100'000)) <= 0) break;
      }
    }
    if (!sock->ended) client.Grant(sock, 1 + random.Below(4));
  }
  sender.join();
  CHECK_EQ(sock->ended.value_or(kNone), Error::kOk);
  CHECK(reader.right());
  CHECK_EQ(reader.offset(), bytes.size());
  CHECK_EQ(client.Count(Counter::kDirectBytesReceived), sock->received_directly);
  CHECK_EQ(client.Count(Counter::kBytesReceived), sock->received - sock->received_directly);
  CHECK(sock->received_directly != 0 && sock->received_directly != sock->received);
}

// A connection in lively use, of whose receives one may still be with the system: then it is busy.
PORT_TEST(ReadableOnABusyConnection) {
  Pair pair(setup, WithCredit(20));
  REQUIRE(pair.ready());
  Client& client = pair.client;
  Sock* sock = pair.sock;
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 2'000'000);
  PatternReader reader(1);
  sock->sink = [&](const std::uint8_t* data, std::size_t length) { reader.Feed(data, length); };
  std::uint64_t sent = 0;
  Random random(Seed());
  const int kRounds = UnderWine() ? 40 : 200;
  for (int round = 0; round < kRounds && !Failed(); ++round) {
    while (sock->credit != 0 && !Failed()) {
      SendFrom(pair.peer, bytes, &sent, 100);
      REQUIRE(pair.WaitReceived(sent));
    }
    // More than was asked for, before the question or after it.
    const std::size_t length = random.OneIn(10) ? 20'000 : 100;
    const bool before = random.OneIn(2);
    if (before) SendFrom(pair.peer, bytes, &sent, length);
    if (before && random.OneIn(4)) client.Pass(1);
    client.AwaitReadable(sock);
    client.Flush();
    if (!before) SendFrom(pair.peer, bytes, &sent, length);
    const Error answer = WaitAnswer(client, sock);
    CHECK(answer == Error::kOk || answer == Error::kBusy);
    if (answer == Error::kOk && random.OneIn(2)) {
      CHECK(ReceiveAllThereIs(client, sock) != 0);
    }
    while (sock->received < sent && !Failed()) {
      const std::uint32_t receives = sock->receives;
      client.Grant(sock, 1);
      CHECK(client.WaitUntil([&] { return sock->receives == receives + 1; }));
    }
    if (random.OneIn(3)) client.Grant(sock, 10);
  }
  CHECK(reader.right());
  CHECK_EQ(reader.offset(), sent);
  CHECK(sock->received_directly != 0);
}

// A named pipe is not for this; there as elsewhere credit brings the bytes.
PORT_TEST(ReadableOnALocalConnection) {
  LocalPair pair(setup, 1, 0);
  REQUIRE(pair.ready());
  Client& client = pair.client;
#ifdef _WIN32
  pair.client.Send(pair.here, "hello");
  CHECK_EQ(AskReadable(client, pair.there), Error::kBusy);
  std::uint8_t byte = 0;
  CHECK_EQ(client.port()->ReceiveNow(pair.there->id, &byte, 1),
           ToResult(Error::kOperationNotSupported));
  client.Grant(pair.there, 1);
  CHECK(client.WaitUntil([&] { return pair.there->Text() == "hello"; }));
#else
  client.AwaitReadable(pair.there);
  client.Pass(kQuietMs);
  client.Send(pair.here, "hello");
  REQUIRE_EQ(WaitAnswer(client, pair.there), Error::kOk);
  CHECK_EQ(client.ReceiveDirectly(pair.there), 5);
  CHECK_EQ(client.ReceiveDirectly(pair.there), kNothingNow);
  client.AwaitReadable(pair.there);
  client.Close(pair.here);
  REQUIRE_EQ(WaitAnswer(client, pair.there), Error::kOk);
  CHECK_EQ(client.ReceiveDirectly(pair.there), 0);
#endif
}

}  // namespace completion_port::test
