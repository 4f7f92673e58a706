// Many sockets, everything at random, every byte checked. The seed is printed; --seed repeats it
// (as far as threads and the kernel let anything be repeated).
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <list>
#include <thread>

#include "pair.h"

namespace completion_port::test {
namespace {

// One end of one connection.
struct End {
  Sock* sock = nullptr;
  std::uint64_t to_send = 0;
  std::uint64_t sent = 0;        // submitted
  std::uint64_t sends_with = 0;  // the seed of what this end sends
  PatternReader reader;
  bool polite = true;  // ends with a shutdown and waits for the other
  bool resets = false;
  bool shut_down = false;
};

// A connection of the client with itself, both ends of which misbehave at random.
struct Link {
  std::uint64_t number = 0;
  End ends[2];  // who connected, who accepted
};

class Stress {
 public:
  Stress(const Setup& setup, const ClientOptions& options, std::uint64_t seed)
      : client_(setup, options), random_(seed) {}

  // From now on the submitter is away for up to so long, now and then, before it takes a turn.
  void GoAwayFor(std::uint32_t us) { away_us_ = us; }
  Client& client() { return client_; }

  void Run(int ms, std::size_t links_at_once) {
    REQUIRE(client_.started());
    for (std::uint32_t port = 0; port < client_.ports(); ++port) {
      listeners_.push_back(client_.ListenAndAccept(1, port));
      REQUIRE(listeners_.back() != nullptr);
    }
    seen_.resize(listeners_.size());
    const std::uint64_t until_ms = NowMs() + static_cast<std::uint64_t>(ms);
    const std::uint64_t latest_ms = until_ms + static_cast<std::uint64_t>(Patience(10000));
    // On a busy machine none may have ended by then.
    const auto goes_on = [&] {
      return NowMs() < until_ms || (opened_ <= links_at_once && NowMs() < latest_ms);
    };
    while (goes_on() && !Failed()) {
      while (links_.size() < links_at_once) Open();
      TurnAndStep();
    }
    // No new ones; the old ones come to their ends by themselves.
    const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(10000));
    while (!links_.empty() && NowMs() < deadline_ms && !Failed()) TurnAndStep();
    CHECK_EQ(links_.size(), 0);
    CHECK(opened_ > links_at_once);
    CHECK(finished_politely_ > 0);
    CHECK(bytes_ > 0);
    CHECK(pinned_ > 0);
    if (Failed()) Describe();
  }

 private:
  std::uint64_t SeedOf(const Link& link, int end) const { return link.number * 2 + end; }

  void Open() {
    Accepting* listener = listeners_[random_.Below(static_cast<std::uint32_t>(listeners_.size()))];
    ConnectOptions options;
    options.remote = listener->address;
    Sock* sock = client_.Prepare(options, random_.Below(client_.ports()));
    REQUIRE(sock != nullptr);
    Link& link = links_.emplace_back();
    link.number = ++opened_;
    for (int i = 0; i < 2; ++i) {
      End& end = link.ends[i];
      end.sends_with = SeedOf(link, i);
      end.reader = PatternReader(SeedOf(link, 1 - i));
      end.to_send = random_.OneIn(20) ? random_.Below(2'000'000) : random_.Below(30'000);
      end.polite = !random_.OneIn(5);
      end.resets = random_.OneIn(2);
    }
    Take(&link, 0, sock);
    client_.Connect(sock);
    client_.Grant(sock, 1 + random_.Below(8));
    // The first eight bytes say which link it is: the accepting side learns it from them.
    std::vector<std::uint8_t> number(8);
    std::memcpy(number.data(), &link.number, 8);
    client_.Send(sock, {std::move(number)});
  }

  void Take(Link* link, int which, Sock* sock) {
    End* end = &link->ends[which];
    end->sock = sock;
    sock->refill = random_.Below(3);
    sock->gives_back = !random_.OneIn(3);
    sock->sink = [this, end](const std::uint8_t* data, std::size_t length) {
      bytes_ += length;
      if (!end->reader.Feed(data, length)) Fail(__FILE__, __LINE__, "wrong bytes");
    };
  }

  // Newly accepted: read the eight bytes, find the link.
  void Greet() {
    for (std::size_t i = 0; i < listeners_.size(); ++i) {
      for (; seen_[i] < listeners_[i]->accepted.size(); ++seen_[i]) {
        Sock* sock = listeners_[i]->accepted[seen_[i]];
        sock->refill = 1;
        sock->sink = nullptr;
        strangers_.push_back(sock);
      }
    }
    for (auto it = strangers_.begin(); it != strangers_.end();) {
      Sock* sock = *it;
      if (sock->data.size() < 8) {
        // The other end went before it said who it was.
        if (sock->ended.has_value() && !sock->close_submitted) client_.Close(sock);
        it = sock->closed ? strangers_.erase(it) : std::next(it);
        continue;
      }
      std::uint64_t number = 0;
      std::memcpy(&number, sock->data.data(), 8);
      const auto link = std::find_if(links_.begin(), links_.end(),
                                     [&](const Link& one) { return one.number == number; });
      it = strangers_.erase(it);
      if (link == links_.end()) {  // whoever connected has long gone
        client_.Close(sock, true);
        continue;
      }
      REQUIRE(link->ends[1].sock == nullptr);
      Take(&*link, 1, sock);
      sock->sink(sock->data.data() + 8, sock->data.size() - 8);
      client_.Grant(sock, random_.Below(4));
    }
  }

  void SendSome(End* end) {
    const std::uint64_t left = end->to_send - end->sent;
    const std::uint64_t most = random_.OneIn(8) ? 200'000 : 3000;
    std::uint64_t length = 1 + random_.Below(static_cast<std::uint32_t>(std::min(left, most)));
    std::vector<std::vector<std::uint8_t>> parts;
    while (length > 0) {
      const std::uint64_t part = 1 + random_.Below(static_cast<std::uint32_t>(length));
      parts.push_back(PatternBytes(end->sends_with, end->sent, static_cast<std::size_t>(part)));
      end->sent += part;
      length -= part;
      if (random_.OneIn(30)) parts.emplace_back();  // an empty one
    }
    client_.Send(end->sock, std::move(parts));
  }

  // Under credit, into pinned memory, and now and then one behind the other.
  void Receive(Sock* sock) {
    while (!sock->held.empty() && !random_.OneIn(4)) {
      client_.GiveBack(sock, sock->ended ? 0 : random_.Below(2));
    }
    if (sock->ended) return;
    if (random_.OneIn(200)) client_.Withdraw(sock);
    const bool waits = sock->credit != 0 || !sock->pinned.empty();
    if (waits && !random_.OneIn(50)) return;
    if (random_.OneIn(3)) return client_.Grant(sock, 1 + random_.Below(3));
    for (std::uint32_t more = 1 + random_.Below(3); more != 0; --more) {
      client_.ReceivePinned(sock, 1 + random_.Below(70'000), random_.OneIn(3));
    }
  }

  void StepEnd(End* end) {
    Sock* sock = end->sock;
    if (sock == nullptr) return;
    if (sock->close_submitted) {
      sock->gives_back = true;
      while (!sock->held.empty()) client_.GiveBack(sock);
      return;
    }
    Receive(sock);
    const bool failed = (sock->connected.has_value() && sock->connected != Error::kOk) ||
                        Last(sock->send_results) > Error::kOk;
    const bool failed_to_send = failed && Last(sock->send_results) != kNone;
    const bool over = sock->ended.has_value() && *sock->ended != Error::kOk;
    if (failed_to_send || over || (!end->polite && random_.OneIn(40))) {
      return client_.Close(sock, end->resets && random_.OneIn(2));
    }
    if (end->sent < end->to_send) {
      if (sock->sends.size() < 6) SendSome(end);
      return;
    }
    if (!end->shut_down) {
      end->shut_down = true;
      return client_.Shutdown(sock);
    }
    // Done when the other has ended; now and then without waiting for our own FIN.
    if (sock->ended.has_value() && (sock->Idle() || random_.OneIn(10))) client_.Close(sock);
  }

  void TurnAndStep() {
    if (away_us_ != 0 && random_.OneIn(2)) {
      // Mostly short, so that the helper has often just begun.
      const std::uint32_t most_us = random_.OneIn(20) ? away_us_ : away_us_ / 20;
      std::this_thread::sleep_for(std::chrono::microseconds(random_.Below(most_us)));
    }
    if (away_us_ == 0 || !random_.OneIn(4)) client_.TakeTurns();
    client_.Drain();
    Step();
  }

  void Step() {
    Greet();
    for (auto it = links_.begin(); it != links_.end();) {
      for (End& end : it->ends) StepEnd(&end);
      const Sock* a = it->ends[0].sock;
      const Sock* b = it->ends[1].sock;
      if (a->closed && (b == nullptr || b->closed)) {
        if (b != nullptr) Judge(*it);
        it = links_.erase(it);
      } else {
        ++it;
      }
    }
    client_.Flush();
  }

  // Where both ended politely, all has arrived on both sides.
  void Judge(const Link& link) {
    const End& a = link.ends[0];
    const End& b = link.ends[1];
    pinned_ += a.sock->received_pinned + b.sock->received_pinned;
    if (!a.polite || !b.polite) return;
    for (const End* end : {&a, &b}) {
      const End* other = end == &a ? &b : &a;
      CHECK_EQ(end->sock->ended.value_or(kNone), Error::kOk);
      CHECK_EQ(end->reader.offset(), other->to_send);
      for (const Error error : end->sock->send_results) CHECK_EQ(error, Error::kOk);
    }
    ++finished_politely_;
  }

  void Describe() const {
    for (const Link& link : links_) {
      std::string text = "link " + std::to_string(link.number);
      for (const End& end : link.ends) {
        if (end.sock == nullptr) continue;
        const Sock& sock = *end.sock;
        text += " [sent " + std::to_string(end.sent) + "/" + std::to_string(end.to_send) +
                " received " + std::to_string(sock.received) + " credit " +
                std::to_string(sock.credit) + " pinned " + std::to_string(sock.pinned.size()) +
                " sends " + std::to_string(sock.sends.size()) + " ended " +
                Show(sock.ended.value_or(kNone)) + (end.polite ? " polite" : "") +
                (end.shut_down ? " shut" : "") + (sock.close_submitted ? " closing" : "") +
                (sock.closed ? " closed" : "") + "]";
      }
      Fail(__FILE__, __LINE__, text);
    }
  }

  Client client_;
  Random random_;
  std::vector<Accepting*> listeners_;
  std::vector<std::size_t> seen_;  // of each listener: how many of its accepted we know
  std::list<Sock*> strangers_;
  std::list<Link> links_;
  std::uint64_t opened_ = 0;
  std::uint64_t finished_politely_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t pinned_ = 0;  // bytes
  std::uint32_t away_us_ = 0;
};

}  // namespace

PORT_TEST(StressOfOnePort) {
  ClientOptions options;
  options.linger_ms = 5000;
  Stress(setup, options, Seed())
      .Run(UnderWine()               ? 2000
           : setup.SubmitterDrives() ? 1200
                                     : 2000,
           40);
}

PORT_TEST(StressOfThreePortsWithTinyRings) {
  ClientOptions options;
  options.ports = 3;
  options.submission_entries = 16;
  options.completion_entries = 16;
  options.receive_slab_bytes = 1024 * 1024;
  options.linger_ms = 5000;
  Stress(setup, options, Seed() + 1).Run(UnderWine() || setup.SubmitterDrives() ? 1200 : 2000, 60);
}

// The drive changes hands all the time: the submitter is away for up to 3 ms, writes meanwhile and
// comes back, and is now saturated and now not.
SUBMITTER_TEST(StressOfHandingOver) {
  if (!setup.helper) return Skip("nobody to hand over to");
  ClientOptions options;
  options.linger_ms = 5000;
  options.helper_thresholds = {.away_us = 10,
                               .found_work_ns = 20'000,
                               .saturated_after_ns = 100'000,
                               .many_completions = 4,
                               .few_completions = 2};
  std::uint64_t turns = 0;
  std::uint64_t found = 0;
  const bool can_be_saturated = std::thread::hardware_concurrency() > 1;
  // A busy machine may have little time for the helper.
  for (int run = 0; run < 10 && (turns < 20 || (can_be_saturated && found == 0)); ++run) {
    Stress stress(setup, options, Seed() + 2 + static_cast<std::uint64_t>(run));
    stress.GoAwayFor(3000);
    stress.Run(3000, 25);
    turns += stress.client().Count(Counter::kHelperTurns);
    found += stress.client().Count(Counter::kWorkFound);
  }
  CHECK_AT_MOST(20, turns);
  if (can_be_saturated) CHECK_AT_MOST(1, found);
  std::printf("# handed over %llu times, %llu turns left to the helper\n",
              static_cast<unsigned long long>(turns), static_cast<unsigned long long>(found));
}

}  // namespace completion_port::test
