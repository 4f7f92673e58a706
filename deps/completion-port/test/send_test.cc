// Sending: sizes, gathers, order, waiting for a slow reader, failing.
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

// Sends `length` bytes of pattern as one request, while the peer reads in pieces of at most
// `limit`.
void SendsToASlowReader(const Setup& setup, std::size_t length, std::size_t limit) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(7, 0, length)});
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  bool right = false;
  std::thread reader([&] {
    PatternReader pattern(7);
    std::vector<std::uint8_t> data;
    PeerStatus status = PeerStatus::kOk;
    for (int i = 0; status == PeerStatus::kOk && !Failed(); ++i) {
      data.clear();
      status = pair.peer.ReceiveSome(&data, limit, Patience(5000));
      pattern.Feed(data);
      if (i < 5) SleepMs(10);
    }
    CHECK_EQ(status, PeerStatus::kEnd);
    right = pattern.right() && pattern.offset() == length;
  });
  CHECK(pair.client.WaitUntil([&] { return pair.sock->Idle(); }, 15000));
  reader.join();
  CHECK(right);
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  CHECK_EQ(pair.client.Count(Counter::kBytesSent), length);
}

}  // namespace

PORT_TEST(SendsSmallOnes) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  std::string all;
  for (int i = 0; i < 100; ++i) {
    const std::string text = "message " + std::to_string(i) + ";";
    all += text;
    pair.client.Send(pair.sock, text);
    if (i % 7 == 0) pair.client.Flush();
  }
  REQUIRE(pair.WaitSends(100));
  for (const Error error : pair.sock->send_results) CHECK_EQ(error, Error::kOk);
  CHECK_EQ(pair.peer.ReceiveText(all.size()), all);
}

PORT_TEST(GathersAHundredBuffers) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  for (int request = 0; request < 3; ++request) {
    std::vector<std::vector<std::uint8_t>> parts;
    std::string expected;
    for (std::size_t i = 0; i < 100; ++i) {
      const std::string text(i % 13, static_cast<char>('a' + i % 26));  // some are empty
      parts.emplace_back(text.begin(), text.end());
      expected += text;
    }
    pair.client.Send(pair.sock, std::move(parts));
    REQUIRE(pair.WaitSends(static_cast<std::size_t>(request) + 1));
    CHECK_EQ(Last(pair.sock->send_results), Error::kOk);
    CHECK_EQ(pair.peer.ReceiveText(expected.size()), expected);
  }
  CHECK_EQ(pair.client.CountSubmitted(Opcode::kSend), 3);
}

PORT_TEST(GathersAThousandLargeBuffers) {
  PairOptions options;
  options.client.submission_entries = 256;  // the request is longer than the ring
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  constexpr std::size_t kPart = 5000;
  std::vector<std::vector<std::uint8_t>> parts;
  for (std::size_t i = 0; i < 1000; ++i) parts.push_back(PatternBytes(8, i * kPart, kPart));
  std::vector<std::uint8_t> data;
  std::thread reader([&] { pair.peer.ReceiveExactly(&data, 1000 * kPart); });
  pair.client.Send(pair.sock, std::move(parts));
  CHECK(pair.WaitSends(1));
  reader.join();
  REQUIRE_EQ(pair.sock->send_results.size(), 1);
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  PatternReader pattern(8);
  CHECK(pattern.Feed(data));
  CHECK_EQ(data.size(), 1000 * kPart);
}

PORT_TEST(AnUnfinishedRequestIsSentButNotCompleted) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.SendPart(pair.sock, {'o', 'n', 'e', ' '});
  pair.client.Pass(kQuietMs);
  CHECK_EQ(pair.sock->send_results.size(), 0);
  pair.client.SendPart(pair.sock, {'t', 'w', 'o', ' '});
  pair.client.Flush();
  pair.client.Send(pair.sock, "three");
  REQUIRE(pair.WaitSends(1));
  CHECK_EQ(pair.peer.ReceiveText(13), std::string("one two three"));
  pair.client.Pass(kQuietMs);
  CHECK_EQ(pair.sock->send_results.size(), 1);
}

PORT_TEST(AnUnfinishedRequestFailsOnce) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.SendPart(pair.sock, {'o', 'n', 'e'});
  pair.client.Pass(kQuietMs);
  pair.peer.Reset();
  SleepMs(20);
  pair.client.SendPart(pair.sock, {'t', 'w', 'o'});
  pair.client.Pass(kQuietMs);
  pair.client.Send(pair.sock, "three");
  REQUIRE(pair.WaitSends(1));
  CHECK(At(pair.sock->send_results, 0) != Error::kOk);
  pair.client.Pass(kQuietMs);  // the books fail the test if there is a second completion
}

PORT_TEST(ZeroLengthSends) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, "");
  REQUIRE(pair.WaitSends(1));
  pair.client.Send(pair.sock, "");
  pair.client.Send(pair.sock, "a");
  pair.client.Send(pair.sock, "");
  pair.client.Send(pair.sock, std::vector<std::vector<std::uint8_t>>(3));
  pair.client.Send(pair.sock, "b");
  pair.client.Send(pair.sock, "");
  pair.client.Shutdown(pair.sock);
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  REQUIRE_EQ(pair.sock->send_results.size(), 7);
  for (const Error error : pair.sock->send_results) CHECK_EQ(error, Error::kOk);
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
  CHECK_EQ(std::string(data.begin(), data.end()), std::string("ab"));
}

PORT_TEST(SixtyFourMegabytesToASlowReader) {
  SendsToASlowReader(setup, 64 * 1024 * 1024, 256 * 1024);
}

PORT_TEST(ShortWritesToAVerySlowReader) { SendsToASlowReader(setup, 3'000'000, 1000); }

PORT_TEST(OrderAcrossRequests) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Random random(Seed());
  std::uint64_t total = 0;
  const std::size_t kRequests = 400;
  for (std::size_t i = 0; i < kRequests; ++i) {
    std::vector<std::vector<std::uint8_t>> parts;
    for (std::uint32_t n = 1 + random.Below(6); n > 0; --n) {
      const std::size_t length = random.OneIn(10) ? random.Below(60000) : random.Below(2000);
      parts.push_back(PatternBytes(9, total, length));
      total += length;
    }
    pair.client.Send(pair.sock, std::move(parts));
    if (random.OneIn(3)) pair.client.Flush();
  }
  pair.client.Flush();
  std::vector<std::uint8_t> data;
  std::thread reader([&] { pair.peer.ReceiveExactly(&data, static_cast<std::size_t>(total)); });
  CHECK(pair.WaitSends(kRequests));
  reader.join();
  PatternReader pattern(9);
  CHECK(pattern.Feed(data));
  CHECK_EQ(pattern.offset(), total);
}

PORT_TEST(RefusedSendsKeepTheirPlace) {
  // A send after the end is refused, but not before the sends ahead of it are done.
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, {PatternBytes(5, 0, kMoreThanFits)});
  pair.client.Shutdown(pair.sock);
  pair.client.Send(pair.sock, "refused");
  pair.client.SendPart(pair.sock, {'r', 'e'});
  pair.client.Send(pair.sock, "fused");
  pair.client.Pass(kQuietMs);
  CHECK_EQ(pair.sock->send_results.size(), 0);
  std::vector<std::uint8_t> data;
  std::thread reader([&] { CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd); });
  CHECK(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  reader.join();
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  CHECK_EQ(At(pair.sock->send_results, 1), Error::kBrokenPipe);
  CHECK_EQ(At(pair.sock->send_results, 2), Error::kBrokenPipe);
  CHECK_EQ(At(pair.sock->shutdown_results, 0), Error::kOk);
  CHECK_EQ(data.size(), kMoreThanFits);
}

PORT_TEST(PeerResetsWhileASendWaits) {
  PairOptions options;
  options.credit = 0;
  options.peer_receive_buffer = 16 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  for (int i = 0; i < 4; ++i) pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits / 4)});
  pair.client.Shutdown(pair.sock);
  pair.client.Pass(kQuietMs);
  CHECK(!pair.sock->Idle());
  pair.peer.Reset();
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  CHECK_EQ(Last(pair.sock->send_results), Error::kConnectionReset);
  CHECK_EQ(Last(pair.sock->shutdown_results), Error::kConnectionReset);
  pair.client.Send(pair.sock, "too late");
  REQUIRE(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  CHECK_EQ(Last(pair.sock->send_results), Error::kBrokenPipe);
}

// Whichever of the two the system tells of it, whoever reads is not to take it for an end.
PORT_TEST(PeerResetsWhileASendAndAReceiveWait) {
  for (int round = 0; round < 10; ++round) {
    PairOptions options;
    options.peer_receive_buffer = 16 * 1024;
    Pair pair(setup, options);
    REQUIRE(pair.ready());
    pair.client.Send(pair.sock, {PatternBytes(1, 0, kMoreThanFits)});
    pair.client.Pass(kQuietMs);
    CHECK(!pair.sock->Idle());
    pair.peer.Reset();
    REQUIRE(pair.WaitEnded());
    CHECK_EQ(pair.sock->ended.value_or(Error::kOk), Error::kConnectionReset);
  }
}

PORT_TEST(PeerResetsThenWeSend) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.peer.Reset();
  SleepMs(20);
  pair.client.Send(pair.sock, "anyone?");
  REQUIRE(pair.WaitSends(1));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kConnectionReset);
  // The error was the send's; a receive still finds that the connection is over.
  pair.client.Grant(pair.sock, 1);
  REQUIRE(pair.WaitEnded());
}

// The first bytes make its system answer with a reset, while they are being sent.
PORT_TEST(SendingToAPeerThatIsGone) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.peer.Close();
  REQUIRE(pair.WaitEnded());
  Error error = Error::kOk;
  for (std::size_t sent = 1; error == Error::kOk && sent <= 100; ++sent) {
    pair.client.Send(pair.sock, {PatternBytes(7, 0, kMoreThanFits / 4)});
    REQUIRE(pair.WaitSends(sent));
    error = Last(pair.sock->send_results);
  }
  CHECK(error == Error::kConnectionReset || error == Error::kBrokenPipe);
}

PORT_TEST(SendNowSkipsTheRing) {
  PairOptions options;
  options.peer_receive_buffer = 16 * 1024;
  options.client.linger_ms = 100;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Port* port = pair.client.port();
  const std::vector<std::uint8_t> bytes = PatternBytes(4, 0, 64 * 1024);
  REQUIRE_EQ(port->SendNow(pair.sock->id, bytes.data(), 100), 100);
  CHECK_EQ(pair.peer.ReceiveText(100), std::string(bytes.begin(), bytes.begin() + 100));
  CHECK_EQ(port->SendNow(pair.sock->id, bytes.data(), 0), 0);
  // Until it would block, which it says and does not do.
  std::int64_t total = 0;
  std::int32_t sent = 1;
  for (int i = 0; i < 10000 && sent > 0; ++i) {
    sent = port->SendNow(pair.sock->id, bytes.data(), bytes.size());
    if (sent > 0) total += sent;
  }
  CHECK_EQ(sent, 0);
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveExactly(&data, static_cast<std::size_t>(total)), PeerStatus::kOk);
  pair.client.Send(pair.sock, "ring again");
  pair.client.Flush();
  CHECK_EQ(pair.peer.ReceiveText(10), std::string("ring again"));
  REQUIRE(pair.WaitSends(1));
  pair.peer.Reset();
  SleepMs(20);
  for (int i = 0; i < 3; ++i) CHECK(port->SendNow(pair.sock->id, bytes.data(), 10) <= 0);
  CHECK_EQ(port->SendNow(0, bytes.data(), 10), ToResult(Error::kBadDescriptor));
}

}  // namespace completion_port::test
