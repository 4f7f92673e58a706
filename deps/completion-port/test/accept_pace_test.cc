// Accepting gets hardly ahead of the consumer: who is not read of waits in the system's backlog.
#include <algorithm>

#include "pair.h"

namespace completion_port::test {

namespace {

constexpr std::size_t kBatch = 32;  // accepted and not read of, at most

std::uint64_t SocketsOpen(const Client& client) {
  std::uint64_t open = 0;
  for (std::uint32_t port = 0; port < client.ports(); ++port) {
    open += client.Count(Counter::kSocketsOpen, port);
  }
  return open;
}

void TakeTurnsFor(Client& client, int ms) {
  for (int i = 0; i < ms; ++i) {
    client.TakeTurns();
    SleepMs(1);
  }
}

// Connected while the consumer reads nothing.
void Connect(Client& client, std::vector<Peer>* peers, const Accepting& listener,
             std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    peers->push_back(Peer::Connect(listener.address));
    REQUIRE(peers->back().IsOpen());
  }
  // A helper comes only where there is a connection.
  TakeTurnsFor(client, kQuietMs);
}

void ServesAll(Client& client, const Accepting& listener, std::vector<Peer>& peers) {
  REQUIRE(client.WaitUntil([&] { return listener.accepted.size() == peers.size(); }));
  for (Peer& peer : peers) REQUIRE_EQ(peer.SendAll("x"), PeerStatus::kOk);
  CHECK(client.WaitUntil([&] {
    return std::all_of(listener.accepted.begin(), listener.accepted.end(),
                       [](const Sock* sock) { return sock->received == 1; });
  }));
}

void AcceptsNoFasterThanIsRead(const Setup& setup, std::uint32_t ports) {
  ClientOptions options;
  options.ports = ports;
  Client client(setup, options);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  constexpr std::size_t kFirst = 120;
  constexpr std::size_t kSecond = 60;
  std::vector<Peer> peers;
  Connect(client, &peers, *listener, kFirst);
  // On a busy machine they take their time.
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(5000));
  while (SocketsOpen(client) < kBatch && NowMs() < deadline_ms) TakeTurnsFor(client, kQuietMs);
  const std::uint64_t open = SocketsOpen(client);
  // With io_uring an accept takes all that waits while the kernel is at it; on Windows 32 accepts
  // stand ready.
  std::size_t ahead = 0;
  if (setup.backend == BackendKind::kIoUring) ahead = kFirst - kBatch;
  if (setup.backend == BackendKind::kIocp) ahead = 32;
  CHECK_AT_MOST(kBatch, open);
  CHECK_AT_MOST(open, kBatch + ahead);
  Connect(client, &peers, *listener, kSecond);
  if (setup.backend == BackendKind::kIocp) {
    CHECK_AT_MOST(SocketsOpen(client),
                  kBatch + ahead);  // those that stand ready come in their time
  } else {
    CHECK_EQ(client.header().At(kCompletionOverflow).load(), 1);
    CHECK_EQ(SocketsOpen(client), open);
  }
  ServesAll(client, *listener, peers);
  CHECK(client.WaitUntil([&] { return client.header().At(kCompletionOverflow).load() == 0; }));
}

}  // namespace

PORT_TEST(AcceptsNoFasterThanIsRead) { AcceptsNoFasterThanIsRead(setup, 1); }

PORT_TEST(AcceptsNoFasterThanIsReadOfAllPorts) { AcceptsNoFasterThanIsRead(setup, 3); }

// Where others accept too, it takes one at a time.
PORT_TEST(AcceptsOfASharedListenerAsTheyAreRead) {
  Client client(setup);
  PeerListener shared(Family::kIpv4);
  REQUIRE(shared.IsOpen());
  const Address address = shared.address();
  Accepting* listener = client.AdoptNativeListener(shared.Detach());
  REQUIRE(listener != nullptr);
  listener->address = address;
  client.Accept(listener, 1);
  client.Flush();
  std::vector<Peer> peers;
  Connect(client, &peers, *listener, 20);
  // On Windows eight accepts stand ready, and one was posted again before it was held back.
  CHECK_AT_MOST(SocketsOpen(client), setup.backend == BackendKind::kIocp ? 9 : 1);
  ServesAll(client, *listener, peers);
}

// The listener is closed while it is held back: that ends it.
PORT_TEST(ListenerClosesWhileAcceptsAreHeldBack) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  std::vector<Peer> peers;
  Connect(client, &peers, *listener, 100);
  client.CloseListener(listener);
  client.Flush();
  SleepMs(kQuietMs);
  CHECK(client.WaitUntil([&] { return listener->closed; }));
  CHECK_AT_MOST(listener->accepted.size(), peers.size());
}

}  // namespace completion_port::test
