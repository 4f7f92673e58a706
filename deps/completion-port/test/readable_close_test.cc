// Closing and stopping while a kReadable is awaited. kClose stands for it.
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

struct AwaitingPair : Pair {
  explicit AwaitingPair(const Setup& setup, PairOptions options = {})
      : Pair(setup, WithoutCredit(options)) {
    if (!ready()) return;
    client.AwaitReadable(sock);
    client.Pass(20);
  }
  static PairOptions WithoutCredit(PairOptions options) {
    options.credit = options.refill = 0;
    return options;
  }
  void CheckUnanswered() {
    CHECK(sock->closed);
    CHECK_EQ(sock->readable_results.size(), 0);
    CHECK_EQ(client.CountCompleted(Opcode::kReadable), 0);
  }
};

}  // namespace

PORT_TEST(CloseWhileReadableIsAwaited) {
  AwaitingPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(1, 0, 50'000)});
  pair.client.Close(pair.sock);
  REQUIRE(pair.WaitClosed());
  ExpectEnd(&pair.peer, 1, 50'000, PeerStatus::kEnd);
  pair.CheckUnanswered();
}

// What the peer sent and nobody read must not turn our FIN into RST, whether we were told of it or
// close before we could be.
PORT_TEST(CloseWithBytesThatAreReadable) {
  for (const bool told : {true, false}) {
    PairOptions options;
    options.credit = options.refill = 0;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    REQUIRE_EQ(pair.peer.SendAll(std::string(100'000, 'x')), PeerStatus::kOk);
    pair.client.Pass(kQuietMs);
    pair.client.AwaitReadable(pair.sock);
    if (told) {
      CHECK(pair.client.WaitUntil([&] { return pair.sock->readable == Readable::kYes; }));
    }
    pair.client.Send(pair.sock, {PatternBytes(3, 0, 50'000)});
    pair.client.Close(pair.sock);
    REQUIRE(pair.WaitClosed());
    ExpectEnd(&pair.peer, 3, 50'000, PeerStatus::kEnd);
    CHECK_EQ(pair.sock->readable_results.size(), told ? 1 : 0);
    CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  }
}

PORT_TEST(ResetWhileReadableIsAwaited) {
  AwaitingPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Close(pair.sock, true);
  REQUIRE(pair.WaitClosed());
  CHECK(!pair.sock->lingers);
  ExpectEnd(&pair.peer, 1, 0, PeerStatus::kReset);
  pair.CheckUnanswered();
}

PORT_TEST(CloseBeforeConnectingStandsForAReadable) {
  Client client(setup);
  ConnectOptions options;
  options.remote = Loopback(9);
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  client.Close(sock);
  client.AwaitReadable(sock);
  REQUIRE(client.WaitUntil([&] { return sock->closed; }));
  client.Pass(kQuietMs);
  CHECK_EQ(sock->readable_results.size(), 0);
}

// The connection goes on in the duplicate, and no byte of it is lost to ours.
PORT_TEST(ReleaseWhileReadableIsAwaited) {
  AwaitingPair pair(setup);
  REQUIRE(pair.ready());
  std::intptr_t native = -1;
  REQUIRE_EQ(pair.client.port()->Duplicate(pair.sock->id, &native), Error::kOk);
  Peer heir(native);
  pair.client.Release(pair.sock);
  REQUIRE(pair.WaitClosed());
  pair.CheckUnanswered();
  REQUIRE_EQ(pair.peer.SendAll("goes on"), PeerStatus::kOk);
  CHECK_EQ(heir.ReceiveText(7), std::string("goes on"));
  REQUIRE_EQ(heir.SendAll("indeed"), PeerStatus::kOk);
  CHECK_EQ(pair.peer.ReceiveText(6), std::string("indeed"));
}

// We had ended our side: the peer is owed the whole stream, and what was awaited becomes the
// receives that throw it away.
PORT_TEST(CloseDrainsWhereReadableWasAwaited) {
  PairOptions options;
  options.client.linger_ms = 10'000;
  AwaitingPair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Shutdown(pair.sock);
  pair.client.Close(pair.sock);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  const std::vector<std::uint8_t> bytes = PatternBytes(8, 0, kMoreThanFits);
  std::thread peer([&] {
    CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    ExpectEnd(&pair.peer, 7, 0, PeerStatus::kEnd);
    pair.peer.ShutdownSend();
  });
  CHECK(pair.WaitClosed(8000));
  peer.join();
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  pair.CheckUnanswered();
}

// The same where our sends wait for a peer that reads nothing before all it writes is taken.
PORT_TEST(CloseReadsOnWhereReadableWasAwaited) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  options.client.linger_ms = 15'000;
  AwaitingPair pair(setup, options);
  REQUIRE(pair.ready());
  const std::size_t length = 6'000'000;
  pair.client.Send(pair.sock, {PatternBytes(7, 0, length)});
  pair.client.Shutdown(pair.sock);
  pair.client.Close(pair.sock);
  pair.client.Flush();
  const std::vector<std::uint8_t> bytes = PatternBytes(8, 0, kMoreThanFits);
  std::thread peer([&] {
    CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size(), 4000), PeerStatus::kOk);
    ExpectEnd(&pair.peer, 7, length, PeerStatus::kEnd);
    pair.peer.Close();
  });
  CHECK(pair.WaitClosed(10'000));
  peer.join();
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
}

// Close races with what arrives. It is answered before kLinger and kClose or not at all: the books
// see to that.
PORT_TEST(CloseRacesWithReadable) {
  for (int round = 0; round < 40; ++round) {
    PairOptions options;
    options.credit = options.refill = 0;
    options.client.linger_ms = 50;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    pair.client.AwaitReadable(pair.sock);
    if (round % 4 < 2) pair.client.Flush();
    std::thread sender([&] {
      const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 20'000);
      for (int i = 0; i < 5; ++i) pair.peer.SendSome(bytes.data(), bytes.size());
      if (round % 8 == 0) pair.peer.ShutdownSend();
    });
    if (round % 3 == 0) pair.client.Shutdown(pair.sock);
    if (round % 5 == 0) pair.client.Grant(pair.sock, 3);
    pair.client.Close(pair.sock, round % 2 == 0);
    // After kClose: without effect.
    pair.client.Submit(0, Opcode::kReadable, pair.sock->id);
    sender.join();
    pair.peer.Close();
    REQUIRE(pair.WaitClosed());
  }
}

// A connection in lively use has watches beside its receives on some systems; all come back.
PORT_TEST(CloseOfABusyConnectionWhileReadableIsAwaited) {
  for (const bool reset : {false, true}) {
    PairOptions options;
    options.credit = 20;
    options.refill = 0;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    Client& client = pair.client;
    const auto send = [&](std::size_t length) {
      CHECK_EQ(pair.peer.SendAll(std::string(length, 'x')), PeerStatus::kOk);
    };
    for (std::uint64_t sent = 10; sent <= 200; sent += 10) {
      send(10);
      REQUIRE(pair.WaitReceived(sent));
    }
    // What was left with the system brings something unasked, and goes.
    for (std::uint64_t sent = 200; pair.sock->readable != Readable::kAwaited && !Failed();) {
      client.AwaitReadable(pair.sock);
      client.Pass(20);
      if (pair.sock->readable == Readable::kAwaited) break;
      CHECK_EQ(Last(pair.sock->readable_results), Error::kBusy);
      send(10);
      sent += 10;
      client.Pass(20);
      client.Grant(pair.sock, 1);
      REQUIRE(pair.WaitReceived(sent));
    }
    client.Close(pair.sock, reset);
    REQUIRE(pair.WaitClosed());
    std::vector<std::uint8_t> data;
    CHECK_EQ(pair.peer.ReceiveToEnd(&data), reset ? PeerStatus::kReset : PeerStatus::kEnd);
  }
}

PORT_TEST(StopsWhileReadableIsAwaited) {
  for (const bool lingers : {false, true}) {
    PairOptions options;
    options.client.linger_ms = 60'000;
    AwaitingPair pair(setup, options);
    REQUIRE(pair.ready());
    if (lingers) {
      pair.client.Shutdown(pair.sock);
      pair.client.Close(pair.sock);
      REQUIRE(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
    }
    CHECK_AT_MOST(pair.client.Stop(), Patience(1500));
    pair.CheckUnanswered();
  }
}

}  // namespace completion_port::test
