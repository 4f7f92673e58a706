// Sending from files: order, pieces, slow readers, files that end, closing in between.
#include <algorithm>
#include <deque>

#include "pair.h"
#include "reader.h"
#include "send_queue.h"
#include "temporary_file.h"

namespace completion_port::test {
namespace {

constexpr std::uint64_t kSeed = 21;

std::vector<std::uint8_t> BytesOf(const std::string& text) { return {text.begin(), text.end()}; }

void Append(std::vector<std::uint8_t>* all, const std::vector<std::uint8_t>& more) {
  all->insert(all->end(), more.begin(), more.end());
}

}  // namespace

PORT_TEST(SendsAFileBetweenItsHeadAndTail) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  constexpr std::size_t kLength = 100'000;
  TemporaryFile file(kSeed, kLength);
  Reader reader(&pair.peer);
  pair.client.Send(pair.sock, "head");
  pair.client.SendFile(pair.sock, file.native(), 0, kLength);
  pair.client.Send(pair.sock, "tail");
  pair.client.Send(pair.sock, "more");
  pair.client.SendFile(pair.sock, file.native(), 500, 10);
  pair.client.SendFile(pair.sock, file.native(), 3, 0);
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  CHECK(pair.client.WaitUntil([&] { return pair.sock->Idle(); }));
  CHECK_EQ(reader.Join(), PeerStatus::kEnd);
  std::vector<std::uint8_t> expected = BytesOf("head");
  Append(&expected, PatternBytes(kSeed, 0, kLength));
  Append(&expected, BytesOf("tailmore"));
  Append(&expected, PatternBytes(kSeed, 500, 10));
  CHECK(reader.bytes() == expected);
  CHECK_EQ(pair.sock->send_results.size(), 6);
  for (const Error error : pair.sock->send_results) CHECK_EQ(error, Error::kOk);
  CHECK_EQ(pair.client.Count(Counter::kBytesSent), expected.size());
}

PORT_TEST(SendsALargeFileToASlowReader) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  TemporaryFile file(kSeed, kMoreThanFits);
  Reader reader(&pair.peer, 1 << 20, 10);
  pair.client.SendFile(pair.sock, file.native(), 0, kMoreThanFits);
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  CHECK(pair.client.WaitUntil([&] { return pair.sock->Idle(); }, 15000));
  CHECK_EQ(reader.Join(), PeerStatus::kEnd);
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  PatternReader pattern(kSeed);
  CHECK(pattern.Feed(reader.bytes()));
  CHECK_EQ(pattern.offset(), kMoreThanFits);
}

// The port goes on while a file waits for its reader: others are served.
PORT_TEST(AFileThatWaitsForItsReaderHoldsUpNobody) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  TemporaryFile file(kSeed, kMoreThanFits);
  pair.client.SendFile(pair.sock, file.native(), 0, kMoreThanFits);
  pair.client.Flush();
  pair.client.Pass(kQuietMs);
  std::vector<Peer> others = pair.ConnectMore(1);
  Sock* other = pair.listener->accepted.at(1);
  pair.client.Send(other, "quick");
  pair.client.Flush();
  CHECK_EQ(others[0].ReceiveText(5), std::string("quick"));
  CHECK(pair.sock->send_results.empty());
  pair.client.Close(pair.sock, true);
  CHECK(pair.WaitClosed());
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kCanceled);
}

PORT_TEST(AFileThatIsShorterFailsAndSaysHowMuchWasSent) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  TemporaryFile file(kSeed, 30'000);
  pair.client.Send(pair.sock, "head");
  pair.client.SendFile(pair.sock, file.native(), 10'000, 50'000);
  pair.client.Send(pair.sock, "never");
  pair.client.Flush();
  REQUIRE(pair.WaitSends(3));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  CHECK_EQ(At(pair.sock->send_results, 1), Error::kEndOfFile);
  CHECK_EQ(At(pair.sock->send_results, 2), Error::kEndOfFile);
  CHECK_EQ(pair.sock->taken_of_failed, 20'000);
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
  std::vector<std::uint8_t> data;
  CHECK_EQ(pair.peer.ReceiveToEnd(&data), PeerStatus::kEnd);
  std::vector<std::uint8_t> expected = BytesOf("head");
  Append(&expected, PatternBytes(kSeed, 10'000, 20'000));
  CHECK(data == expected);
}

PORT_TEST(AFileThatShrinksMeanwhileFails) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  TemporaryFile file(kSeed, kMoreThanFits);
  pair.client.SendFile(pair.sock, file.native(), 0, kMoreThanFits);
  pair.client.Flush();
  pair.client.Pass(kQuietMs);
  CHECK(pair.sock->send_results.empty());
  file.Truncate(1000);
  Reader reader(&pair.peer);
  REQUIRE(pair.WaitSends(1, 15000));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kEndOfFile);
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
  reader.Join();
  CHECK_EQ(reader.bytes().size(), pair.sock->taken_of_failed);
}

PORT_TEST(AFileThatIsNoneFails) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.SendFile(pair.sock, 0x7ffffff0, 0, 1000);
  pair.client.Flush();
  REQUIRE(pair.WaitSends(1));
  CHECK(At(pair.sock->send_results, 0) != Error::kOk);
  CHECK_EQ(pair.sock->taken_of_failed, 0);
}

PORT_TEST(AResetEndsAFile) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  TemporaryFile file(kSeed, kMoreThanFits);
  pair.client.SendFile(pair.sock, file.native(), 0, kMoreThanFits);
  pair.client.Send(pair.sock, "behind");
  pair.client.Flush();
  pair.client.Pass(kQuietMs);
  pair.peer.Reset();
  REQUIRE(pair.WaitSends(2));
  const Error error = At(pair.sock->send_results, 0);
  CHECK(error == Error::kConnectionReset || error == Error::kBrokenPipe ||
        error == Error::kConnectionAborted || error == Error::kCanceled);
}

// The rest of a file follows after kClose, as the rest of any send.
PORT_TEST(ClosingFinishesAFile) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  constexpr std::size_t kLength = 3 * 1024 * 1024;
  TemporaryFile file(kSeed, kLength);
  Reader reader(&pair.peer);
  pair.client.SendFile(pair.sock, file.native(), 0, kLength);
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
  CHECK_EQ(reader.Join(), PeerStatus::kEnd);
  PatternReader pattern(kSeed);
  CHECK(pattern.Feed(reader.bytes()));
  CHECK_EQ(pattern.offset(), kLength);
}

PORT_TEST(SendsOneFileToMany) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  constexpr std::size_t kLength = 200'000;
  TemporaryFile file(kSeed, kLength);
  std::vector<Peer> peers = pair.ConnectMore(8);
  for (Sock* sock : pair.listener->accepted) {
    pair.client.Send(sock, "head");
    pair.client.SendFile(sock, file.native(), 0, kLength);
    pair.client.Send(sock, "tail");
    pair.client.Close(sock);
  }
  pair.client.Flush();
  std::vector<std::uint8_t> expected = BytesOf("head");
  Append(&expected, PatternBytes(kSeed, 0, kLength));
  Append(&expected, BytesOf("tail"));
  std::deque<Reader> readers;
  for (Peer& peer : peers) readers.emplace_back(&peer);
  readers.emplace_back(&pair.peer);
  CHECK(pair.client.WaitUntil([&] {
    return std::all_of(pair.listener->accepted.begin(), pair.listener->accepted.end(),
                       [](const Sock* sock) { return sock->closed; });
  }));
  for (Reader& reader : readers) {
    CHECK_EQ(reader.Join(), PeerStatus::kEnd);
    CHECK(reader.bytes() == expected);
  }
}

TEST(SendQueueAdvancesInAFile) {
  const std::uint8_t bytes[10] = {};
  SendQueue queue;
  CHECK(queue.Push({bytes, 10, false}));
  CHECK(queue.Push({nullptr, 100, true, 5, (std::uint64_t{1} << 32) - 10}));
  CHECK(queue.Push({bytes, 10, true}));
  CHECK(!queue.FileIsFirst());
  CHECK_EQ(queue.Consume(10 + 20), 0);
  REQUIRE(queue.FileIsFirst());
  CHECK_EQ(queue.begin()->offset, (std::uint64_t{1} << 32) + 10);
  CHECK_EQ(queue.begin()->length, 80);
  CHECK_EQ(queue.taken_of_first(), 30);
  CHECK_EQ(queue.Consume(80 + 3), 1);
  CHECK(!queue.FileIsFirst());
  CHECK_EQ(queue.taken_of_first(), 3);
  CHECK_EQ(queue.Clear(), 1);
  CHECK_EQ(queue.taken_of_first(), 0);
}

TEST(ADuplicateOfAFileOutlivesIt) {
  std::intptr_t duplicate = -1;
  {
    TemporaryFile file(kSeed, 10);
    REQUIRE(DuplicateFile(file.native(), &duplicate) == Error::kOk);
    CHECK(duplicate != file.native());
  }
  std::intptr_t another = -1;
  CHECK_EQ(DuplicateFile(duplicate, &another), Error::kOk);
  CloseFile(another);
  CloseFile(duplicate);
  CHECK(DuplicateFile(duplicate, &another) != Error::kOk);
}

}  // namespace completion_port::test
