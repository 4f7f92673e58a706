// Receives into memory of the submitter's: order, ends, what they wait for, what they refuse.
#include <thread>

#include "local_pair.h"
#include "pair.h"

namespace completion_port::test {

namespace {

constexpr std::int32_t kTriedInVain = -static_cast<std::int32_t>(Error::kTryAgain);
constexpr std::int32_t kRefused = -static_cast<std::int32_t>(Error::kBusy);
constexpr std::int32_t kTakenBack = -static_cast<std::int32_t>(Error::kCanceled);

PairOptions NoCredit() {
  PairOptions options;
  options.credit = 0;
  options.refill = 0;
  return options;
}

std::int32_t LastResult(const Sock& sock) {
  return sock.pinned_results.empty() ? INT32_MIN : sock.pinned_results.back();
}

// True once so many have completed.
bool WaitPinned(Pair* pair, std::size_t count) {
  return pair->client.WaitUntil([&] { return pair->sock->pinned_results.size() >= count; });
}

// The backend waits on behalf of one that is withdrawn; behind it one that does not wait, and one
// that does.
void SubmitAfterWithdrawing(Pair* pair) {
  pair->client.ReceivePinned(pair->sock, 100);
  pair->client.Pass(5);
  pair->client.Withdraw(pair->sock);
  pair->client.ReceivePinned(pair->sock, 100, true);
  pair->client.ReceivePinned(pair->sock, 100);
}

}  // namespace

PORT_TEST(PinnedBulkArrivesInOrder) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  const std::vector<std::uint8_t> bytes = PatternBytes(1, 0, 8'000'000);
  std::thread sender([&] {
    CHECK_EQ(pair.peer.SendAll(bytes.data(), bytes.size()), PeerStatus::kOk);
    pair.peer.ShutdownSend();
  });
  Sock* sock = pair.sock;
  PatternReader reader(1);
  sock->sink = [&](const std::uint8_t* data, std::size_t length) { reader.Feed(data, length); };
  Random random(Seed());
  while (!sock->ended && !Failed()) {
    const std::size_t before = sock->pinned_results.size();
    pair.client.ReceivePinned(sock, 1 + random.Below(100'000));
    for (std::uint32_t more = random.Below(4); more != 0; --more) {
      pair.client.ReceivePinned(sock, 1 + random.Below(100'000), !random.OneIn(4));
    }
    if (!CP_TRUE(WaitPinned(&pair, before + 1))) break;
  }
  sender.join();
  CHECK(reader.right());
  CHECK_EQ(reader.offset(), bytes.size());
  CHECK_EQ(sock->receives, 0);  // none in a chunk
  CHECK_AT_MOST(sock->pinned_results.size(), pair.client.Count(Counter::kPinnedReceives));
}

// Nothing is there, which it says in the turn that takes it; one behind it does not change that.
PORT_TEST(PinnedAtOnceFindsNothing) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.ReceivePinned(sock, 100, true);
  pair.client.ReceivePinned(sock, 100, true);
  pair.client.Flush();
  if (setup.SubmitterDrives() && !setup.helper) {
    pair.client.port()->Drive(0);
    pair.client.Drain();
    CHECK_EQ(sock->pinned_results.size(), 2);
  }
  REQUIRE(WaitPinned(&pair, 2));
  CHECK_EQ(sock->pinned_results[0], kTriedInVain);
  CHECK_EQ(sock->pinned_results[1], kTriedInVain);
  REQUIRE_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
  pair.client.ReceivePinned(sock, 100);
  REQUIRE(WaitPinned(&pair, 3));
  CHECK_EQ(sock->Text(), std::string("hello"));
}

PORT_TEST(PinnedWaitsForBytes) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.ReceivePinned(sock, 3);
  pair.client.ReceivePinned(sock, 100, true);  // waits for its turn
  pair.client.ReceivePinned(sock, 100);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->pinned_results.size(), 0);
  REQUIRE_EQ(pair.peer.SendAll("abcd"), PeerStatus::kOk);
  REQUIRE(WaitPinned(&pair, 2));
  CHECK_EQ(sock->pinned_results[0], 3);
  CHECK_EQ(sock->pinned_results[1], 1);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->pinned_results.size(), 2);
  REQUIRE_EQ(pair.peer.SendAll("e"), PeerStatus::kOk);
  REQUIRE(WaitPinned(&pair, 3));
  CHECK_EQ(sock->Text(), std::string("abcde"));
}

PORT_TEST(PinnedWaitsForTheConnection) {
  Client client(setup);
  PeerListener peers(Family::kIpv4);
  REQUIRE(client.started() && peers.IsOpen());
  ConnectOptions options;
  options.remote = peers.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  client.ReceivePinned(sock, 100);
  client.Pass(kQuietMs);
  client.Connect(sock);
  client.Flush();
  Peer peer = peers.Accept();
  REQUIRE(peer.IsOpen());
  REQUIRE_EQ(peer.SendAll("hello"), PeerStatus::kOk);
  CHECK(client.WaitUntil([&] { return sock->received == 5; }));
  CHECK_EQ(sock->received_pinned, 5);
}

// The books fail the test if anything comes after the end.
PORT_TEST(PinnedEndIsToldOnce) {
  for (const bool waits : {false, true}) {
    Pair pair(setup, NoCredit());
    REQUIRE(pair.ready());
    Sock* sock = pair.sock;
    if (waits) pair.client.ReceivePinned(sock, 100);
    pair.client.Pass(5);
    REQUIRE_EQ(pair.peer.SendAll("bye"), PeerStatus::kOk);
    pair.peer.ShutdownSend();
    for (int i = 0; i < 4; ++i) pair.client.ReceivePinned(sock, 100, i % 2 == 1);
    REQUIRE(pair.WaitEnded());
    CHECK_EQ(sock->ended.value_or(kNone), Error::kOk);
    CHECK_EQ(sock->Text(), std::string("bye"));
    const std::size_t results = sock->pinned_results.size();
    pair.client.ReceivePinned(sock, 100);
    pair.client.ReceivePinned(sock, 100, true);
    pair.client.Grant(sock, 2);
    pair.client.Pass(kQuietMs);
    CHECK_EQ(sock->pinned_results.size(), results);
    pair.client.Send(sock, "half-closed");
    CHECK_EQ(pair.WaitSends(1), true);
    CHECK_EQ(pair.peer.ReceiveText(11), std::string("half-closed"));
    pair.client.Close(sock);
    CHECK(pair.WaitClosed());
  }
}

PORT_TEST(PinnedResetIsToldOnce) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.ReceivePinned(sock, 100);
  pair.client.ReceivePinned(sock, 100);
  pair.client.Pass(5);
  pair.peer.Reset();
  REQUIRE(pair.WaitEnded());
  CHECK_EQ(sock->ended.value_or(kNone), Error::kConnectionReset);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->pinned_results.size(), 1);
}

PORT_TEST(PinnedIsRefusedWhileCreditIsOut) {
  PairOptions options = NoCredit();
  options.credit = 1;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.ReceivePinned(sock, 100);
  pair.client.ReceivePinned(sock, 100, true);
  REQUIRE(WaitPinned(&pair, 2));
  CHECK_EQ(sock->pinned_results[0], kRefused);
  CHECK_EQ(sock->pinned_results[1], kRefused);
  REQUIRE_EQ(pair.peer.SendAll("one"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(3));
  CHECK_EQ(sock->receives, 1);
  // Used up.
  pair.client.ReceivePinned(sock, 100);
  REQUIRE_EQ(pair.peer.SendAll("two"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(6));
  CHECK_EQ(sock->received_pinned, 3);
  // Granted behind one that waits: that is answered first, and the bytes come in a chunk.
  pair.client.ReceivePinned(sock, 100);
  pair.client.Pass(5);
  pair.client.Grant(sock, 1);
  pair.client.Pass(kQuietMs);
  REQUIRE_EQ(pair.peer.SendAll("three"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(11));
  CHECK_EQ(LastResult(*sock), kRefused);
  CHECK_EQ(sock->receives, 2);
  CHECK_EQ(sock->Text(), std::string("onetwothree"));
}

// Both submitted at once, with bytes there: the books fail the test if the chunk comes first.
PORT_TEST(PinnedIsAnsweredBeforeTheCreditBehindIt) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
    pair.client.Pass(2);
    pair.client.ReceivePinned(sock, 100, i % 2 == 0);
    pair.client.Grant(sock, 1);
    pair.client.Flush();
    pair.client.Flush();
    pair.client.Drain();
    REQUIRE(pair.WaitReceived(i));
    REQUIRE(pair.client.WaitUntil([&] { return sock->pinned.empty(); }));
    if (sock->credit != 0) {
      REQUIRE_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
      REQUIRE(pair.WaitReceived(++i));
    }
  }
}

// The backend may have left a receive with the system, which brings what nobody asked for yet.
PORT_TEST(PinnedDoesNotOvertakeWhatTheSystemHasReceived) {
  PairOptions options = NoCredit();
  options.credit = 20;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  for (std::uint64_t i = 1; i <= 20; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("."), PeerStatus::kOk);
    REQUIRE(pair.WaitReceived(i));
  }
  REQUIRE_EQ(pair.peer.SendAll("abc"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  REQUIRE_EQ(pair.peer.SendAll("def"), PeerStatus::kOk);
  while (sock->received < 26 && !Failed()) {
    const std::size_t before = sock->pinned_results.size();
    pair.client.ReceivePinned(sock, 100, before % 2 == 1);
    REQUIRE(WaitPinned(&pair, before + 1));
    if (LastResult(*sock) == kRefused) {
      pair.client.Grant(sock, 1);
      REQUIRE(pair.client.WaitUntil([&] { return sock->credit == 0; }));
    }
  }
  CHECK_EQ(sock->Text(), std::string(20, '.') + "abcdef");
}

// The books look at the memory when kClose has come, and again at the end.
PORT_TEST(CloseStandsForPinnedOnes) {
  for (const bool reset : {false, true}) {
    Pair pair(setup, NoCredit());
    REQUIRE(pair.ready());
    Sock* sock = pair.sock;
    pair.client.ReceivePinned(sock, 1000);
    pair.client.ReceivePinned(sock, 1000, true);
    pair.client.Pass(5);
    CHECK_EQ(sock->pinned_results.size(), 0);
    if (!reset) pair.client.Shutdown(sock);  // so that it goes on reading
    pair.client.Close(sock, reset);
    REQUIRE(pair.client.WaitUntil([&] { return sock->lingers || sock->closed; }));
    pair.peer.SendSome("too late", 8);
    pair.peer.Close();
    REQUIRE(pair.WaitClosed());
    CHECK_EQ(sock->pinned_results.size(), 0);
    CHECK_EQ(sock->received, 0);
  }
  // Submitted in one go, and one for a socket that is no more.
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("unread"), PeerStatus::kOk);
  pair.client.ReceivePinned(pair.sock, 1000);
  pair.client.Close(pair.sock, true);
  pair.client.ReceivePinned(pair.sock, 1000);
  REQUIRE(pair.WaitClosed());
  CHECK_EQ(pair.sock->received, 0);
}

PORT_TEST(PinnedOnALocalSocket) {
  LocalPair pair(setup, 1, 0);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  client.ReceivePinned(pair.there, 100);
  client.Send(pair.here, "hello");
  const auto answered = [&] { return pair.there->pinned_results.size() == 1; };
  REQUIRE(pair.Wait(answered));
  if (setup.backend == BackendKind::kIocp) {
    CHECK_EQ(LastResult(*pair.there), kRefused);  // a pipe
  } else {
    CHECK_EQ(pair.there->Text(), std::string("hello"));
  }
}

// --- Withdrawing

PORT_TEST(WithdrawnCreditReceivesNothing) {
  PairOptions options = NoCredit();
  options.credit = 5;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.Pass(5);
  pair.client.Withdraw(sock);
  // One may be with the system, and completes there.
  const bool is_epoll = setup.backend == BackendKind::kEpoll;
  REQUIRE(pair.client.WaitUntil([&] { return sock->withdrawn != 0; }));
  CHECK_EQ(sock->withdrawn, is_epoll ? 5 : 4);
  CHECK_EQ(sock->credit, is_epoll ? 0 : 1);
  REQUIRE_EQ(pair.peer.SendAll("one"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->received, is_epoll ? 0 : 3);
  REQUIRE_EQ(pair.peer.SendAll("two"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->received, is_epoll ? 0 : 3);
  pair.client.Withdraw(sock);  // there is none: no answer
  pair.client.Grant(sock, 2);
  REQUIRE(pair.WaitReceived(6));
  CHECK_EQ(sock->Text(), std::string("onetwo"));
}

PORT_TEST(WithdrawnPinnedOnesComplete) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  pair.client.ReceivePinned(sock, 100);
  pair.client.ReceivePinned(sock, 100, true);
  pair.client.Pass(5);
  pair.client.Grant(sock, 3);  // behind them
  pair.client.Withdraw(sock);
  REQUIRE(WaitPinned(&pair, 2));
  REQUIRE(pair.client.WaitUntil([&] { return sock->withdrawn == 3; }));
  // Refused for the credit behind it, if a turn came between.
  for (const std::int32_t result : sock->pinned_results) {
    CHECK(result == kTakenBack || result == kRefused);
  }
  REQUIRE_EQ(pair.peer.SendAll("abc"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(sock->received, 0);
  pair.client.ReceivePinned(sock, 2);
  pair.client.ReceivePinned(sock, 100, true);
  REQUIRE(pair.WaitReceived(3));
  CHECK_EQ(sock->Text(), std::string("abc"));
}

// What the backend waits for on behalf of one that was withdrawn holds nobody up.
PORT_TEST(PinnedAtOnceAfterWithdrawing) {
  Pair pair(setup, NoCredit());
  REQUIRE(pair.ready());
  Sock* sock = pair.sock;
  SubmitAfterWithdrawing(&pair);
  REQUIRE(WaitPinned(&pair, 2));
  CHECK_EQ(sock->pinned_results[0], kTakenBack);
  CHECK_EQ(sock->pinned_results[1], kTriedInVain);
  pair.client.Pass(kQuietMs);
  REQUIRE_EQ(pair.peer.SendAll("abc"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(3));
  pair.client.Withdraw(sock);
  pair.client.Grant(sock, 1);
  REQUIRE_EQ(pair.peer.SendAll("d"), PeerStatus::kOk);
  CHECK(pair.WaitReceived(4));
}

// What the backend waits for tells the end, too, when one that does not wait has found it.
PORT_TEST(PinnedEndFoundAtOnceIsToldOnce) {
  for (const bool reset : {false, true}) {
    Pair pair(setup, NoCredit());
    REQUIRE(pair.ready());
    Sock* sock = pair.sock;
    SubmitAfterWithdrawing(&pair);
    if (reset) pair.peer.Reset();
    if (!reset) pair.peer.ShutdownSend();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));  // and takes no turn
    REQUIRE(pair.WaitEnded());
    CHECK_EQ(*sock->ended, reset ? Error::kConnectionReset : Error::kOk);
    pair.client.Pass(kQuietMs);
    // Who else drives may have taken a turn before all was submitted.
    CHECK_AT_MOST(sock->pinned_results.size(), 2);
    const bool drives_alone = setup.SubmitterDrives() && !setup.helper;
    if (drives_alone) CHECK_EQ(sock->pinned_results[0], kTakenBack);
  }
}

// Bytes have come and no chunk is free: nothing is with the system.
PORT_TEST(WithdrawnStarvedReceive) {
  PairOptions options;
  options.credit = 100'000;
  options.client.receive_slab_bytes = 256 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  std::vector<Peer> peers = pair.ConnectMore(1);
  REQUIRE_EQ(pair.listener->accepted.size(), 2);
  Sock* starved = pair.listener->accepted[1];
  pair.sock->gives_back = false;
  const std::uint64_t chunks = client.Count(Counter::kChunksTotal);
  for (std::uint64_t i = 1; i <= chunks; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("x"), PeerStatus::kOk);
    REQUIRE(pair.WaitReceived(i));
  }
  REQUIRE_EQ(peers[0].SendAll("abc"), PeerStatus::kOk);
  REQUIRE(client.WaitCount(Counter::kReceivesStarved, 1));
  client.Withdraw(starved);
  REQUIRE(client.WaitUntil([&] { return starved->withdrawn == options.credit; }));
  while (!pair.sock->held.empty()) client.GiveBack(pair.sock);
  client.Pass(kQuietMs);
  CHECK_EQ(starved->received, 0);
  client.ReceivePinned(starved, 100);
  REQUIRE(client.WaitUntil([&] { return starved->received == 3; }));
  CHECK_EQ(starved->received_pinned, 3);
  client.Grant(starved, 1);
  REQUIRE_EQ(peers[0].SendAll("d"), PeerStatus::kOk);
  CHECK(client.WaitUntil([&] { return starved->received == 4; }));
}

}  // namespace completion_port::test
