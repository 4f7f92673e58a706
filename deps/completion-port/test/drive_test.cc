// Driving: the submitter's own turns, the helper that takes them while it is away, and what it
// costs when it is not needed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "pair.h"

#ifndef _WIN32
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#endif

namespace completion_port::test {
namespace {

// Much longer than the helper waits, much shorter than the submitter is away.
constexpr int kSoonMs = 100;
constexpr int kAwayMs = 300;

// The submitter computes: it neither drives nor waits for anybody who would drive for it.
void ComputeFor(int ms) {
  const std::uint64_t until_ms = NowMs() + static_cast<std::uint64_t>(ms);
  while (NowMs() < until_ms) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

// Connections of a client with itself, over which messages go both ways while the drive changes
// hands; each is closed after some, and another opened.
class Talk {
 public:
  Talk(const Setup& setup, const ClientOptions& options) : client_(setup, options) {}

  void Run(int ms) {
    REQUIRE(client_.started());
    listener_ = client_.ListenAndAccept(kCredit);
    REQUIRE(listener_ != nullptr);
    Random random(Seed());
    const std::uint64_t until_ms = NowMs() + static_cast<std::uint64_t>(ms);
    while (NowMs() < until_ms && !Failed()) {
      Step(random);
      // Away, mostly for about as long as it takes until the helper is there.
      const std::uint32_t most_us = random.OneIn(100) ? 3000 : 80;
      if (!random.OneIn(4)) {
        std::this_thread::sleep_for(std::chrono::microseconds(random.Below(most_us)));
      }
      if (!random.OneIn(4)) client_.port()->Drive(random.OneIn(50) ? 1 : 0);
      client_.Drain();
      ++rounds_;
    }
    CHECK(client_.WaitUntil([this] { return HasArrived(); }));
    REQUIRE(!ways_.empty());
    Close(0);
    CHECK(closed_ != 0);
  }
  Client& client() { return client_; }
  std::uint64_t rounds() const { return rounds_; }
  std::uint64_t closed() const { return closed_; }

 private:
  static constexpr std::uint32_t kCredit = 2;
  static constexpr std::size_t kAtOnce = 12;

  // What one socket has sent, and what its other end has read of it.
  struct Way {
    Sock* from = nullptr;
    Sock* to = nullptr;
    std::uint64_t seed = 0;
    std::uint64_t sent = 0;
    PatternReader reader;
  };

  void Step(Random& random) {
    Match();
    if (ways_.size() < 2 * kAtOnce && connecting_ == nullptr) Connect();
    if (ways_.empty()) return client_.Flush();
    for (std::uint32_t i = random.Below(4); i > 0; --i) {
      Way& way = *ways_[random.Below(static_cast<std::uint32_t>(ways_.size()))];
      const std::size_t length = 1 + random.Below(random.OneIn(10) ? 300'000 : 500);
      if (way.from->sends.size() > 4) continue;
      client_.Send(way.from, {PatternBytes(way.seed, way.sent, length)});
      way.sent += length;
    }
    if (random.OneIn(2)) client_.Flush();
    if (random.OneIn(30)) Close(random.Below(static_cast<std::uint32_t>(ways_.size())) / 2 * 2);
  }

  void Connect() {
    ConnectOptions options;
    options.remote = listener_->address;
    connecting_ = client_.Prepare(options);
    REQUIRE(connecting_ != nullptr);
    client_.Connect(connecting_);
    client_.Grant(connecting_, kCredit);
  }

  // One connects at a time, so it is the one that was accepted.
  void Match() {
    if (connecting_ == nullptr || connecting_->connect_pending) return;
    if (listener_->accepted.size() == matched_) return;
    Sock* accepted = listener_->accepted[matched_++];
    CHECK_EQ(connecting_->connected.value_or(kNone), Error::kOk);
    AddWay(connecting_, accepted);
    AddWay(accepted, connecting_);
    connecting_ = nullptr;
  }

  void AddWay(Sock* from, Sock* to) {
    Way* way = ways_.emplace_back(std::make_unique<Way>()).get();
    way->from = from;
    way->to = to;
    way->seed = ++seeds_;
    way->reader = PatternReader(way->seed);
    to->refill = 1;
    const auto read = [way](const std::uint8_t* bytes, std::size_t length) {
      if (!way->reader.Feed(bytes, length)) Fail(__FILE__, __LINE__, "wrong bytes");
    };
    read(to->data.data(), to->data.size());
    to->sink = read;
  }

  // Both ends, politely, if all of it has arrived.
  void Close(std::size_t first) {
    for (std::size_t i = first; i < first + 2; ++i) {
      if (!HasArrived(*ways_[i])) return;
    }
    client_.Close(ways_[first]->from);
    client_.Close(ways_[first]->to);
    for (std::size_t i = first; i < first + 2; ++i) gone_.push_back(std::move(ways_[i]));
    ways_.erase(ways_.begin() + static_cast<std::ptrdiff_t>(first),
                ways_.begin() + static_cast<std::ptrdiff_t>(first) + 2);
    ++closed_;
  }

  static bool HasArrived(const Way& way) {
    return way.from->sends.empty() && way.reader.offset() == way.sent;
  }
  bool HasArrived() {
    Match();
    return connecting_ == nullptr && std::all_of(ways_.begin(), ways_.end(),
                                                 [](const auto& way) { return HasArrived(*way); });
  }

  std::vector<std::unique_ptr<Way>> ways_;  // two neighbours are one connection
  std::vector<std::unique_ptr<Way>> gone_;  // their sinks may still be called
  Accepting* listener_ = nullptr;
  Sock* connecting_ = nullptr;
  std::size_t matched_ = 0;
  std::uint64_t seeds_ = 0;
  std::uint64_t rounds_ = 0;
  std::uint64_t closed_ = 0;
  Client client_;  // last: it ends before what its sinks write to
};

}  // namespace

// Thousands of times a second, where the cores are free.
SUBMITTER_TEST(TheDriveChangesHandsAllTheTime) {
  ClientOptions options;
  options.helper_thresholds = {.away_us = 1,
                               .found_work_ns = 20'000,
                               .saturated_after_ns = 50'000,
                               .many_completions = 2,
                               .few_completions = 1};
  Talk talk(setup, options);
  talk.Run(setup.helper ? 2500 : 500);
  const std::uint64_t turns = talk.client().Count(Counter::kHelperTurns);
  std::printf("# %llu rounds, handed over %llu times, left to the helper %llu times, %llu closed\n",
              static_cast<unsigned long long>(talk.rounds()),
              static_cast<unsigned long long>(turns),
              static_cast<unsigned long long>(talk.client().Count(Counter::kWorkFound)),
              static_cast<unsigned long long>(talk.closed()));
  if (!setup.helper) return CHECK_EQ(turns, 0);
  CHECK_AT_MOST(UnderWine() ? 10 : 100, turns);
}

SUBMITTER_TEST(WhatDoesNotFitIsSentWhileTheSubmitterIsAway) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Pass(kQuietMs);
  pair.client.Send(pair.sock, {PatternBytes(3, 0, kMoreThanFits)});
  pair.client.Flush();
  std::uint64_t took_ms = 0;
  std::uint64_t got = 0;
  std::thread reader([&] {
    const std::uint64_t started_ms = NowMs();
    std::vector<std::uint8_t> data;
    PatternReader pattern(3);
    // As much as the sender's side holds comes also without it.
    while (got < kMoreThanFits) {
      data.clear();
      if (pair.peer.ReceiveSome(&data, 256 * 1024, kSoonMs) != PeerStatus::kOk) break;
      got += data.size();
      if (!pattern.Feed(data)) Fail(__FILE__, __LINE__, "wrong bytes");
    }
    took_ms = NowMs() - started_ms;
  });
  ComputeFor(Patience(kAwayMs));
  const bool was_helped =
      pair.client.Count(Counter::kHelperNs) != 0 ||
      pair.client.header().At(kDriver).load() == static_cast<std::uint32_t>(Driver::kThread);
  CHECK_EQ(was_helped, setup.helper);
  if (setup.helper) {
    reader.join();
    CHECK_EQ(got, kMoreThanFits);
    CHECK_AT_MOST(took_ms, Patience(kAwayMs));
    CHECK_EQ(pair.sock->send_results.size(), 0);  // it is in the ring, and nobody has looked
    CHECK(pair.client.port()->HasCompletions());
  } else {
    reader.join();
    // It gave up waiting. On Windows the system sends by itself what it was given as one operation.
    if (setup.backend != BackendKind::kIocp) CHECK(got < kMoreThanFits);
    std::vector<std::uint8_t> rest;
    CHECK_EQ(pair.peer.ReceiveExactly(&rest, kMoreThanFits - got), PeerStatus::kOk);
  }
  REQUIRE(pair.WaitSends(1));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
}

SUBMITTER_TEST(OthersBytesArriveWhileTheSubmitterIsAway) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  std::vector<Peer> peers = pair.ConnectMore(3);
  pair.client.Pass(kQuietMs);
  const std::uint64_t before = pair.client.Count(Counter::kBytesReceived);
  std::thread senders([&] {
    for (Peer& peer : peers) CHECK_EQ(peer.SendAll("hello"), PeerStatus::kOk);
    pair.peer.SendAll("hello");
    peers.push_back(Peer::Connect(pair.listener->address));
  });
  ComputeFor(kSoonMs);
  senders.join();
  const std::uint64_t received = pair.client.Count(Counter::kBytesReceived) - before;
  CHECK_EQ(received, setup.helper ? 20 : 0);
  CHECK_EQ(pair.client.port()->HasCompletions(), setup.helper);
  CHECK(pair.client.WaitUntil([&] { return pair.listener->accepted.size() == 5; }));
  CHECK(pair.WaitReceived(5));
}

SUBMITTER_TEST(ASubmitterThatWaitsIsNotHelped) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  // While it is busy, with waits between, the helper may look, but finds that it is not needed.
  for (int i = 0; i < 50; ++i) {
    REQUIRE_EQ(pair.peer.SendAll("?"), PeerStatus::kOk);
    REQUIRE(pair.WaitReceived(static_cast<std::uint64_t>(i) + 1));
  }
  pair.client.Pass(kQuietMs);
  const std::uint64_t looks = pair.client.Count(Counter::kHelperLooks);
  const std::uint64_t turns = pair.client.Count(Counter::kHelperTurns);
  const std::uint64_t calls = pair.client.Count(Counter::kOsCalls);
  for (int i = 0; i < 5; ++i) pair.client.Pass(60);
  // One alarm may be set in each of the moments between two waits.
  CHECK_AT_MOST(pair.client.Count(Counter::kHelperLooks) - looks, setup.helper ? 10 : 0);
  CHECK_EQ(pair.client.Count(Counter::kHelperTurns), turns);
  CHECK_AT_MOST(pair.client.Count(Counter::kOsCalls) - calls, 15);
}

SUBMITTER_TEST(APortWithoutSocketsIsNotHelped) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  for (int i = 0; i < 3; ++i) {
    client.Pass(10);
    ComputeFor(20);
  }
  CHECK_EQ(client.Count(Counter::kHelperLooks), 0);
}

// Two ports of one submitter: while it waits in the one, the other's helper accepts for it.
SUBMITTER_TEST(AHandOverWakesASubmitterThatWaitsInAnotherPort) {
  if (!setup.helper) return Skip("nobody accepts meanwhile");
  ClientOptions options;
  options.ports = 2;
  Client client(setup, options);
  Accepting* listener = client.ListenAndAccept(0);
  REQUIRE(listener != nullptr);
  Peer first = Peer::Connect(listener->address);  // stays, on port 0
  REQUIRE(client.WaitAccepted(listener) != nullptr);
  for (int round = 0; round < 10; ++round) {
    Peer peer;
    std::thread connector([&] {
      SleepMs(20);
      peer = Peer::Connect(listener->address);
    });
    client.port(0)->Drive(0);
    const std::uint64_t started_ms = NowMs();
    while (!client.port(1)->HasCompletions() && NowMs() - started_ms < 3000) {
      client.port(1)->Drive(3000);
    }
    CHECK_AT_MOST(NowMs() - started_ms, Patience(1000));
    connector.join();
    const std::size_t count = static_cast<std::size_t>(round) + 2;
    REQUIRE(client.WaitUntil([&] { return listener->accepted.size() == count; }));
    Sock* sock = listener->accepted.back();
    CHECK_EQ(sock->port, 1);
    client.Close(sock, true);
    REQUIRE(client.WaitUntil([&] { return sock->closed; }));
  }
}

SUBMITTER_TEST(DrivesNoMoreAfterStop) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, "bye");
  pair.client.Stop();
  CHECK(!pair.client.port()->Drive(0));
  CHECK(!pair.client.port()->Drive(5000));
  CHECK(!pair.client.port()->Submit(pair.sock->id));
  CHECK(!pair.client.port()->HasCompletions());
}

#ifndef _WIN32
namespace {

// As long as it lives, this process can open nothing.
class NoDescriptors {
 public:
  NoDescriptors() {
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit few = before_;
    few.rlim_cur = 128;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &few), 0);
    for (int fd; (fd = socket(AF_INET, SOCK_STREAM, 0)) >= 0;) all_.push_back(fd);
    CHECK(!all_.empty());
  }
  NoDescriptors(const NoDescriptors&) = delete;
  NoDescriptors& operator=(const NoDescriptors&) = delete;
  ~NoDescriptors() {
    while (!all_.empty()) GiveBackOne();
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before_), 0);
  }
  void GiveBackOne() {
    close(all_.back());
    all_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> all_;
};

}  // namespace

// With one descriptor left the queue is opened in part.
PORT_TEST(APortThatCannotBeOpened) {
  NoDescriptors none;
  for (int left = 0; left < 2; ++left) {
    ClientOptions options;
    options.may_fail_to_open = true;
    const Client client(setup, options);
    CHECK_EQ(client.open_error(), Error::kTooManyFiles);
    none.GiveBackOne();
  }
}

// Neither an alarm nor, then, a thread.
SUBMITTER_TEST(APortWhoseHelperCannotBeMade) {
  PeerListener listener(Family::kIpv4);
  Client client(setup);
  REQUIRE(client.started() && listener.IsOpen());
  ConnectOptions options;
  options.remote = listener.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  {
    const NoDescriptors none;
    client.Connect(sock);
    REQUIRE(client.WaitUntil([&] { return !sock->connect_pending; }));
    ComputeFor(20);
    client.Pass(20);
  }
  Peer peer = listener.Accept();
  REQUIRE(peer.IsOpen());
  // It is not tried again, and everything works.
  client.Grant(sock, 4);
  client.Send(sock, "hello");
  client.Flush();
  CHECK_EQ(peer.ReceiveText(5), std::string("hello"));
  CHECK_EQ(peer.SendAll("hi"), PeerStatus::kOk);
  CHECK(client.WaitUntil([&] { return sock->received == 2; }));
  ComputeFor(20);
  CHECK_EQ(client.Count(Counter::kHelperLooks), 0);
}
#endif

}  // namespace completion_port::test
