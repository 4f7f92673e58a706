// Listening and accepting.
#include <algorithm>
#include <set>

#include "pair.h"

namespace completion_port::test {

PORT_TEST(AcceptsOneAndEchoes) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
  REQUIRE(pair.WaitReceived(5));
  CHECK_EQ(pair.sock->Text(), std::string("hello"));
  pair.client.Send(pair.sock, "hello yourself");
  REQUIRE(pair.WaitSends(1));
  CHECK_EQ(At(pair.sock->send_results, 0), Error::kOk);
  CHECK_EQ(pair.peer.ReceiveText(14), std::string("hello yourself"));
  Address address;
  CHECK_EQ(pair.client.port()->PeerAddress(pair.sock->id, &address), Error::kOk);
  CHECK_EQ(address.port, pair.peer.LocalPort());
  CHECK_EQ(FormatAddress(address), std::string("127.0.0.1"));
  CHECK_EQ(pair.client.port()->LocalAddress(pair.sock->id, &address), Error::kOk);
  CHECK_EQ(address.port, pair.listener->address.port);
}

PORT_TEST(AcceptsOverIpv6) {
  if (!HasIpv6()) return Skip("no IPv6 on this machine");
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1, 0, Family::kIpv6);
  REQUIRE(listener != nullptr);
  Peer peer = Peer::Connect(listener->address);
  REQUIRE(peer.IsOpen());
  Sock* sock = client.WaitAccepted(listener);
  REQUIRE(sock != nullptr);
  Address address;
  CHECK_EQ(client.port()->PeerAddress(sock->id, &address), Error::kOk);
  CHECK_EQ(FormatAddress(address), std::string("::1"));
  client.Send(sock, "six");
  client.Flush();
  CHECK_EQ(peer.ReceiveText(3), std::string("six"));
}

PORT_TEST(DualStackListenerTakesIpv4) {
  if (!HasIpv6()) return Skip("no IPv6 on this machine");
  Client client(setup);
  ListenOptions options;
  options.address.family = Family::kIpv6;
  Accepting* listener = client.Listen(options);
  REQUIRE(listener != nullptr);
  client.Accept(listener, 1);
  client.Flush();
  Peer peer = Peer::Connect(Loopback(listener->address.port));
  REQUIRE(peer.IsOpen());
  Sock* sock = client.WaitAccepted(listener);
  REQUIRE(sock != nullptr);
  Address address;
  CHECK_EQ(client.port()->PeerAddress(sock->id, &address), Error::kOk);
  CHECK_EQ(FormatAddress(address), std::string("::ffff:127.0.0.1"));
}

PORT_TEST(AcceptsManyAtOnce) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  constexpr std::size_t kPeers = 300;
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < kPeers; ++i) {
    peers.push_back(Peer::Connect(listener->address));
    REQUIRE(peers.back().IsOpen());
    REQUIRE_EQ(peers.back().SendAll(std::to_string(i)), PeerStatus::kOk);
  }
  REQUIRE(client.WaitUntil([&] { return listener->accepted.size() == kPeers; }));
  const auto all_have_data = [&] {
    return std::all_of(listener->accepted.begin(), listener->accepted.end(),
                       [](const Sock* sock) { return sock->receives != 0; });
  };
  REQUIRE(client.WaitUntil(all_have_data));
  std::set<std::string> texts;
  for (const Sock* sock : listener->accepted) texts.insert(sock->Text());
  CHECK_EQ(texts.size(), kPeers);
  CHECK_EQ(client.Count(Counter::kSocketsOpen), kPeers);
}

PORT_TEST(WhatWaitsInTheBacklogIsAccepted) {
  Client client(setup);
  Accepting* listener = client.ListenOnLoopback();
  REQUIRE(listener != nullptr);
  std::vector<Peer> peers;
  for (int i = 0; i < 40; ++i) peers.push_back(Peer::Connect(listener->address));
  client.Pass(kQuietMs);
  CHECK_EQ(listener->accepted.size(), 0);  // not before kAccept
  client.Accept(listener, 1);
  CHECK(client.WaitUntil([&] { return listener->accepted.size() == 40; }));
}

PORT_TEST(SpreadsOverThosePortsAloneThatTakeAccepted) {
  ClientOptions options;
  options.ports = 3;
  options.ports_for_accepted = 2;
  Client client(setup, options);
  Accepting* listener = client.ListenAndAccept(4, 0);
  REQUIRE(listener != nullptr);
  const std::size_t kPeers = 40;
  std::vector<Peer> peers;
  for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(Peer::Connect(listener->address));
  REQUIRE(client.WaitUntil([&] { return listener->accepted.size() == kPeers; }));
  std::vector<std::uint32_t> per_port(options.ports);
  for (const Sock* sock : listener->accepted) ++per_port[sock->port];
  CHECK_EQ(per_port[0], 20);
  CHECK_EQ(per_port[1], 20);
  CHECK_EQ(per_port[2], 0);
}

PORT_TEST(SpreadsByLoad) {
  for (const std::uint32_t ports : {2u, 3u}) {
    ClientOptions options;
    options.ports = ports;
    Client client(setup, options);
    Accepting* listener = client.ListenAndAccept(4, ports - 1);
    REQUIRE(listener != nullptr);
    const std::size_t kPeers = 20 * ports;
    std::vector<Peer> peers;
    for (std::size_t i = 0; i < kPeers; ++i) peers.push_back(Peer::Connect(listener->address));
    REQUIRE(client.WaitUntil([&] { return listener->accepted.size() == kPeers; }));
    std::vector<std::uint32_t> per_port(ports);
    for (const Sock* sock : listener->accepted) ++per_port[sock->port];
    for (const std::uint32_t count : per_port) CHECK_EQ(count, 20);
    // Each works where it lives.
    for (Peer& peer : peers) REQUIRE_EQ(peer.SendAll("x"), PeerStatus::kOk);
    for (Sock* sock : listener->accepted) client.Send(sock, "y");
    client.Flush();
    for (Peer& peer : peers) CHECK_EQ(peer.ReceiveText(1), std::string("y"));
    REQUIRE(client.WaitUntil([&] {
      return std::all_of(listener->accepted.begin(), listener->accepted.end(),
                         [](const Sock* sock) { return sock->received == 1; });
    }));
    // A port that has become empty gets the next ones.
    for (Sock* sock : listener->accepted) {
      if (sock->port == 0) client.Close(sock);
    }
    REQUIRE(client.WaitUntil([&] {
      return std::all_of(listener->accepted.begin(), listener->accepted.end(),
                         [](const Sock* sock) { return sock->port != 0 || sock->closed; });
    }));
    for (int i = 0; i < 10; ++i) peers.push_back(Peer::Connect(listener->address));
    REQUIRE(client.WaitUntil([&] { return listener->accepted.size() == kPeers + 10; }));
    for (std::size_t i = kPeers; i < kPeers + 10; ++i) CHECK_EQ(listener->accepted[i]->port, 0);
  }
}

PORT_TEST(AcceptedCreditIsHonoured) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  REQUIRE_EQ(pair.peer.SendAll("early"), PeerStatus::kOk);
  pair.client.Pass(kQuietMs);
  CHECK_EQ(pair.sock->receives, 0);
  pair.client.Grant(pair.sock, 1);
  REQUIRE(pair.WaitReceived(5));
  CHECK_EQ(pair.sock->Text(), std::string("early"));
}

PORT_TEST(PeerThatResetsBeforeAcceptDoesNoHarm) {
  Client client(setup);
  Accepting* listener = client.ListenOnLoopback();
  REQUIRE(listener != nullptr);
  for (int i = 0; i < 20; ++i) Peer::Connect(listener->address).Reset();
  client.Accept(listener, 1);
  Peer peer = Peer::Connect(listener->address);
  REQUIRE(peer.IsOpen());
  REQUIRE_EQ(peer.SendAll("alive"), PeerStatus::kOk);
  // The dead ones may or may not be reported; the living one is.
  REQUIRE(client.WaitUntil([&] {
    return std::any_of(listener->accepted.begin(), listener->accepted.end(),
                       [](const Sock* sock) { return sock->Text() == "alive"; });
  }));
  for (const Sock* sock : listener->accepted) {
    if (sock->Text() == "alive") continue;
    CHECK(client.WaitUntil([&] { return sock->ended.has_value(); }));
    CHECK_EQ(sock->ended.value_or(kNone), Error::kConnectionReset);
  }
}

PORT_TEST(TooManySocketsAreRefusedOneByOne) {
  PairOptions options;
  options.client.socket_capacity = 4;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  std::vector<Peer> peers;
  for (int i = 0; i < 6; ++i) peers.push_back(Peer::Connect(pair.listener->address));
  REQUIRE(client.WaitUntil(
      [&] { return pair.listener->accepted.size() + pair.listener->errors.size() == 7; }));
  CHECK_EQ(pair.listener->accepted.size(), 4);
  for (const Error error : pair.listener->errors) CHECK_EQ(error, Error::kTooManyFiles);
  int refused = 0;
  for (Peer& peer : peers) {
    std::vector<std::uint8_t> data;
    if (peer.ReceiveSome(&data, 1, kQuietMs) != PeerStatus::kTimedOut) ++refused;
  }
  CHECK_EQ(refused, 3);  // and knows it
  // Still armed: once there is room, the next is taken.
  client.Close(pair.sock);
  REQUIRE(pair.WaitClosed());
  peers.push_back(Peer::Connect(pair.listener->address));
  CHECK(client.WaitUntil([&] { return pair.listener->accepted.size() == 5; }));
}

PORT_TEST(ListenerClosesWithPendingAccepts) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  client.Pass(kQuietMs);  // the accepts are with the OS
  client.CloseListener(listener);
  REQUIRE(client.WaitUntil([&] { return listener->closed; }));
  CHECK_EQ(listener->errors.size(), 0);
  CHECK(!Peer::Connect(listener->address).IsOpen());
  Address address;
  CHECK_EQ(client.port()->ListenerAddress(listener->id, &address), Error::kBadDescriptor);
  CHECK_EQ(client.port()->NativeListenerHandle(listener->id), -1);
  // The address is free again.
  ListenOptions options;
  options.address = listener->address;
  Error error = Error::kOk;
  CHECK(client.Listen(options, 0, &error) != nullptr);
  CHECK_EQ(error, Error::kOk);
}

PORT_TEST(ListenerClosesBeforeItAccepted) {
  Client client(setup);
  Accepting* listener = client.ListenOnLoopback();
  REQUIRE(listener != nullptr);
  client.CloseListener(listener);
  CHECK(client.WaitUntil([&] { return listener->closed; }));
}

PORT_TEST(ListenerClosesWhileConnectionsArrive) {
  for (int round = 0; round < 10; ++round) {
    ClientOptions options;
    options.ports = 1 + static_cast<std::uint32_t>(round % 2);
    Client client(setup, options);
    Accepting* listener = client.ListenAndAccept(1);
    REQUIRE(listener != nullptr);
    std::vector<Peer> peers;
    for (int i = 0; i < 8; ++i) peers.push_back(Peer::Connect(listener->address));
    client.CloseListener(listener);
    for (int i = 0; i < 4; ++i) peers.push_back(Peer::Connect(listener->address));
    REQUIRE(client.WaitUntil([&] { return listener->closed; }));
    // What was accepted lives on; whoever was not has been told so. A sibling port may report an
    // accept after this port has reported the end of the listener.
    for (int i = 0; i < 20; ++i) {
      for (Sock* sock : listener->accepted) {
        if (!sock->close_submitted) client.Close(sock);
      }
      client.Pass(5);
    }
    std::size_t served = 0;
    for (Peer& peer : peers) {
      if (!peer.IsOpen()) continue;
      std::vector<std::uint8_t> data;
      const PeerStatus status = peer.ReceiveToEnd(&data, 3000);
      CHECK(status == PeerStatus::kEnd || status == PeerStatus::kReset);
      if (status == PeerStatus::kEnd) ++served;
    }
    client.Pass(10);
    CHECK_AT_MOST(served, listener->accepted.size());
  }
}

PORT_TEST(AddressInUse) {
  Client client(setup);
  ListenOptions options;
  options.address = Loopback(0);
  Accepting* first = client.Listen(options);
  REQUIRE(first != nullptr);
  options.address = first->address;
  Error error = Error::kOk;
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAddressInUse);
  // The refusal harms nobody.
  client.Accept(first, 1);
  client.Flush();
  CHECK(Peer::Connect(first->address).IsOpen());
  CHECK(client.WaitAccepted(first) != nullptr);
}

PORT_TEST(ListenErrors) {
  Client client(setup);
  ListenOptions options;
  Error error = Error::kOk;
  // 192.0.2.1 is documentation's: no machine has it.
  REQUIRE_EQ(ParseAddress("192.0.2.1", 0, &options.address), Error::kOk);
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAddressNotAvailable);
}

}  // namespace completion_port::test
