// The order of closing: FIN and every byte before it, RST only on request, in every state.
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

PairOptions SlowPeer(std::uint32_t linger_ms) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  options.client.linger_ms = linger_ms;
  return options;
}

}  // namespace

PORT_TEST(PoliteCloseOfAnIdleSocket) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Close(pair.sock);
  REQUIRE(pair.WaitClosed());
  CHECK(!pair.sock->ended.has_value());  // kClose stood for the credit
  ExpectEnd(&pair.peer, 0, 0, PeerStatus::kEnd);
}

PORT_TEST(PoliteCloseWithoutAReceive) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Close(pair.sock);
  REQUIRE(pair.WaitClosed());
  ExpectEnd(&pair.peer, 0, 0, PeerStatus::kEnd);
}

PORT_TEST(ResetCloseIsSeenAsReset) {
  for (const std::uint32_t credit : {0u, 4u}) {
    PairOptions options;
    options.credit = credit;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    pair.client.Close(pair.sock, true);
    REQUIRE(pair.WaitClosed());
    CHECK(!pair.sock->lingers);
    std::vector<std::uint8_t> data;
    CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kReset);
  }
}

PORT_TEST(PoliteCloseWithUnreadData) {
  // What the peer sent and nobody read must not turn our FIN into RST.
  for (const std::size_t unread : {std::size_t{1}, std::size_t{100'000}}) {
    PairOptions options;
    options.credit = 0;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    const std::vector<std::uint8_t> bytes = PatternBytes(2, 0, unread);
    REQUIRE_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    SleepMs(20);
    pair.client.Send(pair.sock, {PatternBytes(3, 0, 50'000)});
    pair.client.Close(pair.sock);
    pair.client.Flush();
    ExpectEnd(&pair.peer, 3, 50'000, PeerStatus::kEnd);
    REQUIRE(pair.WaitClosed());
    CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  }
}

PORT_TEST(PoliteCloseWithUnsentData) {
  Pair pair(setup, SlowPeer(10000));
  REQUIRE(pair.ready());
  for (std::size_t i = 0; i < 4; ++i) {
    pair.client.Send(pair.sock, {PatternBytes(4, i * kMoreThanFits / 4, kMoreThanFits / 4)});
  }
  pair.client.Close(pair.sock);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  CHECK(!pair.sock->closed);
  std::thread reader([&] { ExpectEnd(&pair.peer, 4, kMoreThanFits, PeerStatus::kEnd); });
  CHECK(pair.WaitClosed(10000));
  reader.join();
  REQUIRE_EQ(pair.sock->send_results.size(), 4);
  for (const Error error : pair.sock->send_results) CHECK_EQ(error, Error::kOk);
}

PORT_TEST(PoliteCloseWithUnreadAndUnsentData) {
  // All orders of: the peer sends, we send, we end, we close.
  for (int order = 0; order < 8; ++order) {
    PairOptions options = SlowPeer(10000);
    options.credit = (order & 1) != 0 ? 4 : 0;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    const std::size_t length = 2'000'000;
    const std::vector<std::uint8_t> bytes = PatternBytes(5, 0, 60'000);
    const auto peer_sends = [&] {
      REQUIRE_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
      SleepMs(5);
    };
    if ((order & 2) != 0) peer_sends();
    pair.client.Send(pair.sock, {PatternBytes(6, 0, length)});
    if ((order & 2) == 0) {
      pair.client.Flush();
      peer_sends();
    }
    if ((order & 4) != 0) pair.client.Shutdown(pair.sock);
    pair.client.Close(pair.sock);
    pair.client.Flush();
    std::thread reader([&] {
      ExpectEnd(&pair.peer, 6, length, PeerStatus::kEnd);
      pair.peer.Close();
    });
    CHECK(pair.WaitClosed(10000));
    reader.join();
    CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
    if ((order & 4) != 0) CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  }
}

PORT_TEST(EndThenCloseDrainsAPeerThatStillSends) {
  // We end, the peer goes on sending for a while, we close: it may finish, and sees FIN, not RST.
  Pair pair(setup, SlowPeer(10000));
  REQUIRE(pair.ready());
  const std::size_t length = 1'000'000;
  pair.client.Send(pair.sock, {PatternBytes(7, 0, length)});
  pair.client.Shutdown(pair.sock);
  pair.client.Close(pair.sock);
  pair.client.Flush();
  const std::vector<std::uint8_t> bytes = PatternBytes(8, 0, 100'000);
  for (int i = 0; i < 20; ++i) {
    REQUIRE_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    pair.client.Pass(2);
  }
  ExpectEnd(&pair.peer, 7, length, PeerStatus::kEnd);
  pair.client.Pass(kQuietMs);
  CHECK(pair.sock->lingers);
  CHECK(!pair.sock->closed);  // the peer has not ended yet
  REQUIRE_EQ(pair.peer.SendAll("the end"), PeerStatus::kOk);
  pair.peer.ShutdownSend();
  CHECK(pair.WaitClosed());
}

PORT_TEST(CloseWhileThePeerWritesBeforeItReads) {
  // A peer that reads nothing until all it writes has been taken. If a closing socket did not read
  // on, each side would wait for the other until the linger time ends, and lose our bytes then.
  for (const bool ends_first : {true, false}) {
    Pair pair(setup, SlowPeer(15000));
    REQUIRE(pair.ready());
    const std::size_t length = 6'000'000;
    pair.client.Send(pair.sock, {PatternBytes(7, 0, length)});
    if (ends_first) pair.client.Shutdown(pair.sock);
    pair.client.Close(pair.sock);
    pair.client.Flush();
    const std::vector<std::uint8_t> bytes = PatternBytes(8, 0, kMoreThanFits);
    std::thread peer([&] {
      CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size(), 4000), PeerStatus::kOk);
      if (ends_first) ExpectEnd(&pair.peer, 7, length, PeerStatus::kEnd);
      // Otherwise it may meet RST in the end: what it wrote last arrived after the close.
      std::vector<std::uint8_t> data;
      while (pair.peer.ReceiveSome(&data, 1 << 20, Patience(2000)) == PeerStatus::kOk) {
      }
      pair.peer.Close();
    });
    CHECK(pair.WaitClosed(10000));
    peer.join();
    CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  }
}

PORT_TEST(LingerHasADeadline) {
  {
    Pair pair(setup, SlowPeer(200));  // a peer that does not read
    REQUIRE(pair.ready());
    pair.client.Send(pair.sock, {PatternBytes(9, 0, kMoreThanFits)});
    pair.client.Shutdown(pair.sock);
    const std::uint64_t started_ms = NowMs();
    pair.client.Close(pair.sock);
    REQUIRE(pair.WaitClosed(2000));
    CHECK_AT_MOST(150, NowMs() - started_ms);
    CHECK(pair.sock->lingers);
    CHECK_EQ(At(pair.sock->send_results, 0), Error::kCanceled);
    CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kCanceled);
  }
  {
    Pair pair(setup, SlowPeer(200));  // a peer that does not end
    REQUIRE(pair.ready());
    pair.client.Shutdown(pair.sock);
    const std::uint64_t started_ms = NowMs();
    pair.client.Close(pair.sock);
    REQUIRE(pair.WaitClosed(2000));
    CHECK_AT_MOST(150, NowMs() - started_ms);
    CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  }
}

PORT_TEST(ResetEndsTheLinger) {
  Pair pair(setup, SlowPeer(30'000));  // a peer that neither reads nor ends
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(9, 0, kMoreThanFits)});
  pair.client.Close(pair.sock);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  pair.client.Close(pair.sock, true);
  REQUIRE(pair.WaitClosed(2000));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kCanceled);
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kReset);
}

PORT_TEST(CloseInEveryState) {
  enum State { kPrepared, kIdle, kReceiving, kSendBlocked, kEndQueued, kLingers, kEnded, kStates };
  for (int state = 0; state < kStates; ++state) {
    for (const bool reset : {false, true}) {
      PairOptions options = SlowPeer(100);
      options.credit = state == kReceiving || state == kEnded ? 4 : 0;
      Pair pair(setup, options);
      REQUIRE(pair.ready());
      Client& client = pair.client;
      Sock* sock = pair.sock;
      if (state == kPrepared) {
        ConnectOptions connect;
        connect.remote = pair.listener->address;
        sock = client.Prepare(connect);
        REQUIRE(sock != nullptr);
        client.Send(sock, "never");
      }
      if (state == kSendBlocked || state == kEndQueued || state == kLingers) {
        client.Send(sock, {PatternBytes(1, 0, kMoreThanFits)});
      }
      if (state == kEndQueued) client.Shutdown(sock);
      if (state == kLingers) {
        client.Close(sock);
        CHECK(client.WaitUntil([&] { return sock->lingers; }));
      }
      if (state == kEnded) {
        pair.peer.ShutdownSend();
        CHECK(pair.WaitEnded());
      }
      client.Pass(20);
      const bool had_lingered = sock->lingers;
      CHECK_EQ(had_lingered, state == kLingers);
      client.Close(sock, reset);
      CHECK(client.WaitUntil([&] { return sock->closed; }, 3000));
      if (Failed()) {
        return Fail(__FILE__, __LINE__,
                    "state " + std::to_string(state) + (reset ? ", reset" : ", polite"));
      }
      const bool sent =
          state == kPrepared || state == kSendBlocked || state == kEndQueued || state == kLingers;
      CHECK_EQ(sock->send_results.size(), sent ? 1 : 0);
      for (const Error error : sock->send_results) CHECK_EQ(error, Error::kCanceled);
      for (const Error error : sock->shutdown_results) CHECK_EQ(error, Error::kCanceled);
      if (reset && state != kLingers) CHECK(!sock->lingers);
      if (reset && (state == kIdle || state == kReceiving || state == kSendBlocked)) {
        std::vector<std::uint8_t> data;
        CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kReset);
      }
    }
  }
}

PORT_TEST(ClosingTwiceClosesOnce) {
  Pair pair(setup, SlowPeer(50));
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
  for (int i = 0; i < 4; ++i) pair.client.Close(pair.sock, i == 3);
  REQUIRE(pair.WaitClosed());
  pair.client.Close(pair.sock);
  pair.client.Pass(kQuietMs);  // the books fail the test on a second kClose
}

PORT_TEST(NothingAfterCloseEvenIfDataWaits) {
  // Close races with arriving data; whatever wins, nothing comes after kLinger and kClose.
  for (int round = 0; round < 30; ++round) {
    PairOptions options;
    options.credit = 8;
    options.client.linger_ms = 50;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    std::thread sender([&] {
      const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 20'000);
      for (int i = 0; i < 10; ++i) pair.peer.SendSome(bytes.data(), bytes.size());
    });
    if (round % 2 == 0) CHECK(pair.WaitReceived(1));
    if (round % 3 == 0) pair.client.Shutdown(pair.sock);
    pair.client.Close(pair.sock);
    pair.client.Grant(pair.sock, 5);  // after kClose: without effect
    sender.join();
    pair.peer.Close();
    REQUIRE(pair.WaitClosed());
  }
}

PORT_TEST(OperationsAfterCloseFail) {
  Pair pair(setup, SlowPeer(100));
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
  pair.client.Close(pair.sock);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->lingers; }));
  // Lingering: each is answered, none has effect.
  pair.client.Send(pair.sock, "no");
  pair.client.Shutdown(pair.sock);
  REQUIRE(pair.WaitClosed());
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kCanceled);
  CHECK_EQ(At(pair.sock->send_results, 1), Error::kBrokenPipe);
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kCanceled);
}

}  // namespace completion_port::test
