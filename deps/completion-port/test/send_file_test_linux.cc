// Files that sendfile refuses, which are read and sent; and calls of the system that fail or take
// little.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "faults_linux.h"
#include "pair.h"
#include "reader.h"
#include "temporary_file.h"

namespace completion_port::test {

// The memory of this process is a file of that kind.
PORT_TEST(CopiesWhatTheSystemDoesNotSendFrom) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  constexpr std::uint64_t kSeed = 22;
  constexpr std::uint32_t kLength = 100'000;  // more than is read at once
  const std::vector<std::uint8_t> bytes = PatternBytes(kSeed, 0, kLength + 1000);
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  pair.client.SendFile(pair.sock, memory, reinterpret_cast<std::uintptr_t>(bytes.data()), kLength);
  pair.client.Shutdown(pair.sock);
  pair.client.Flush();
  REQUIRE(pair.WaitSends(1));
  REQUIRE_EQ(At(pair.sock->send_results, 0), Error::kOk);
  std::vector<std::uint8_t> received;
  CHECK_EQ(pair.peer.ReceiveToEnd(&received), PeerStatus::kEnd);
  CHECK(received == PatternBytes(kSeed, 0, kLength));
  close(memory);
}

namespace {

constexpr std::uint64_t kSeed = 23;
constexpr std::uint32_t kPieces = 1'000'000;  // several calls

struct Outcome {
  Error error = Error::kOk;
  std::size_t taken = 0;  // of the file, where it failed
  std::vector<std::uint8_t> received;

  // All that was sent, and nothing else, has come.
  void ExpectReceived(std::size_t bytes) const {
    CHECK_EQ(received.size(), bytes);
    PatternReader pattern(kSeed);
    CHECK(pattern.Feed(received));
  }
  void ExpectWhole(std::size_t bytes) const {
    CHECK_EQ(error, Error::kOk);
    ExpectReceived(bytes);
  }
};

// Sends a file and closes, whatever came of it.
Outcome SendFileAndClose(const Setup& setup, std::uint32_t length = kPieces) {
  Outcome outcome;
  Pair pair(setup);
  CHECK(pair.ready());
  if (!pair.ready()) return outcome;
  const TemporaryFile file(kSeed, length);
  Reader reader(&pair.peer);
  pair.client.SendFile(pair.sock, file.native(), 0, length);
  pair.client.Flush();
  CHECK(pair.WaitSends(1));
  outcome.error = At(pair.sock->send_results, 0);
  outcome.taken = pair.sock->taken_of_failed;
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
  reader.Join();
  outcome.received = reader.bytes();
  return outcome;
}

// Each of the first calls in turn, and two at a time.
template <typename Expect>
void FailSendfile(const Setup& setup, int error, const Expect& expect) {
  for (std::uint32_t nth = 1; nth <= 4 && !Failed(); ++nth) {
    const Fault fault(Call::sendfile, nth, error, 1);
    const Outcome outcome = SendFileAndClose(setup);
    CHECK(fault.Struck());
    expect(outcome);
    if (Failed()) std::printf("# sendfile, failing with %d at call %u\n", error, nth);
  }
}

}  // namespace

PORT_TEST(SendfileThatFailsForNowIsMadeAgain) {
  for (const int error : {EINTR, EAGAIN}) {
    FailSendfile(setup, error, [](const Outcome& outcome) { outcome.ExpectWhole(kPieces); });
  }
}

PORT_TEST(SendfileWithoutMemoryIsMadeLaterOrTold) {
  for (const int error : {ENOMEM, ENOBUFS}) {
    FailSendfile(setup, error, [&](const Outcome& outcome) {
      if (setup.backend == BackendKind::kEpoll) return outcome.ExpectWhole(kPieces);
      CHECK_EQ(outcome.error, error == ENOMEM ? Error::kNoMemory : Error::kNoBufferSpace);
      outcome.ExpectReceived(outcome.taken);
    });
  }
}

PORT_TEST(SendfileThatFailsSaysHowMuchWasSent) {
  FailSendfile(setup, EIO, [](const Outcome& outcome) {
    CHECK_EQ(outcome.error, Error::kIo);
    CHECK(outcome.taken < kPieces);
    outcome.ExpectReceived(outcome.taken);
  });
}

PORT_TEST(SendfileMayTakeOneByteAtATime) {
  constexpr std::uint32_t kLength = 2000;
  const ShortSendfiles one(1);
  SendFileAndClose(setup, kLength).ExpectWhole(kLength);
}

// What a file system refuses in the middle is read from there on.
PORT_TEST(SendfileThatIsRefusedIsReplacedByReading) {
  for (const int error : {EINVAL, EOPNOTSUPP}) {
    FailSendfile(setup, error, [](const Outcome& outcome) { outcome.ExpectWhole(kPieces); });
  }
}

PORT_TEST(ReadingThatFailsSaysHowMuchWasSent) {
  constexpr std::uint32_t kLength = 300'000;
  const std::vector<std::uint8_t> bytes = PatternBytes(kSeed, 0, kLength);
  const int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  REQUIRE(memory >= 0);
  for (const int error : {EINTR, EIO}) {
    Pair pair(setup);
    REQUIRE(pair.ready());
    Reader reader(&pair.peer);
    const Fault fault(Call::pread, 3, error);
    pair.client.SendFile(pair.sock, memory, reinterpret_cast<std::uintptr_t>(bytes.data()),
                         kLength);
    pair.client.Flush();
    REQUIRE(pair.WaitSends(1));
    CHECK(fault.Struck());
    pair.client.Close(pair.sock);
    CHECK(pair.WaitClosed());
    reader.Join();
    const bool passes = error == EINTR;
    CHECK_EQ(At(pair.sock->send_results, 0), passes ? Error::kOk : Error::kIo);
    CHECK_EQ(reader.bytes().size(), passes ? kLength : pair.sock->taken_of_failed);
    PatternReader pattern(kSeed);
    CHECK(pattern.Feed(reader.bytes()));
  }
  close(memory);
}

// Whoever has a duplicate of the descriptors has them with the same flags.
PORT_TEST(SendingAFileLeavesTheModeOfItsDescriptors) {
  for (const int mode : {0, O_NONBLOCK}) {
    PeerListener listener(Family::kIpv4);
    Peer outer = Peer::Connect(listener.address(), 32 * 1024);
    Peer inner = listener.Accept();
    REQUIRE(outer.IsOpen() && inner.IsOpen());
    Client client(setup);
    const auto native = static_cast<int>(inner.Detach());
    const int kept = fcntl(native, F_DUPFD_CLOEXEC, 0);
    REQUIRE(kept >= 0);
    const TemporaryFile file(kSeed, kMoreThanFits);
    const auto source = static_cast<int>(file.native());
    for (const int each : {kept, source}) {
      REQUIRE_EQ(fcntl(each, F_SETFL, (fcntl(each, F_GETFL) & ~O_NONBLOCK) | mode), 0);
    }
    Sock* sock = client.AdoptNative(native);
    REQUIRE(sock != nullptr);
    client.Connect(sock);
    client.SendFile(sock, source, 0, kMoreThanFits);
    client.Flush();
    client.Pass(kQuietMs);
    const auto expect_mode = [&] {
      for (const int each : {kept, source}) CHECK_EQ(fcntl(each, F_GETFL) & O_NONBLOCK, mode);
    };
    expect_mode();
    CHECK(sock->send_results.empty());
    Reader reader(&outer);
    CHECK(client.WaitUntil([&] { return sock->send_results.size() == 1; }, 15000));
    expect_mode();
    CHECK_EQ(At(sock->send_results, 0), Error::kOk);
    client.Close(sock);
    close(kept);
    CHECK(client.WaitUntil([&] { return sock->closed; }));
    reader.Join();
    CHECK_EQ(reader.bytes().size(), kMoreThanFits);
  }
}

PORT_TEST(ASocketKeepsItsModeAfterAFile) {
  PairOptions options;
  options.peer_receive_buffer = 32 * 1024;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  std::intptr_t duplicate = -1;
  REQUIRE_EQ(pair.client.port()->Duplicate(pair.sock->id, &duplicate), Error::kOk);
  const auto mode = [&] { return fcntl(static_cast<int>(duplicate), F_GETFL); };
  const int before = mode();
  CHECK_EQ(before & O_NONBLOCK, 0);  // else there would be nothing to restore
  const TemporaryFile file(kSeed, kMoreThanFits);
  pair.client.SendFile(pair.sock, file.native(), 0, kMoreThanFits);
  pair.client.Flush();
  pair.client.Pass(kQuietMs);
  CHECK(pair.sock->send_results.empty());
  CHECK_EQ(mode(), before);
  Reader reader(&pair.peer);
  CHECK(pair.WaitSends(1, 15000));
  CHECK_EQ(mode(), before);
  close(static_cast<int>(duplicate));
  pair.client.Close(pair.sock);
  CHECK(pair.WaitClosed());
}

}  // namespace completion_port::test
