// Sockets that were made elsewhere come to live on a port, and connections leave one.
#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#endif

#include "pair.h"

namespace completion_port::test {

namespace {

// Two plain ends of one connection; `inner` is the one to adopt.
struct Ends {
  PeerListener listener{Family::kIpv4};
  Peer outer = Peer::Connect(listener.address());
  Peer inner = listener.Accept();
  bool ready() const { return outer.IsOpen() && inner.IsOpen(); }
};

Sock* Join(Client& client, Sock* sock, std::uint32_t credit) {
  CHECK(sock != nullptr);
  if (sock == nullptr) return nullptr;
  client.Connect(sock);
  client.Grant(sock, credit);
  sock->refill = 1;
  CHECK(client.WaitUntil([&] { return !sock->connect_pending; }));
  CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
  return sock;
}

}  // namespace

PORT_TEST(AdoptedConnectionEchoesAndEnds) {
  Client client(setup);
  Ends ends;
  REQUIRE(ends.ready());
  const std::uint16_t port = ends.outer.LocalPort();
  REQUIRE_EQ(ends.outer.SendAll("early"), PeerStatus::kOk);  // before there is anybody to receive
  Sock* sock = Join(client, client.AdoptNative(ends.inner.Detach()), 4);
  REQUIRE(sock != nullptr);
  Address address;
  CHECK_EQ(client.port()->PeerAddress(sock->id, &address), Error::kOk);
  CHECK_EQ(address.port, port);
  REQUIRE_EQ(ends.outer.SendAll(" and late"), PeerStatus::kOk);
  REQUIRE(client.WaitUntil([&] { return sock->received >= 14; }));
  CHECK_EQ(sock->Text(), std::string("early and late"));
  client.Send(sock, "answer");
  client.Flush();
  CHECK_EQ(ends.outer.ReceiveText(6), std::string("answer"));
  client.Close(sock);
  std::vector<std::uint8_t> rest;
  client.Flush();
  CHECK_EQ(ends.outer.ReceiveToEnd(&rest), PeerStatus::kEnd);  // FIN, as from any other
  REQUIRE(client.WaitUntil([&] { return sock->closed; }));
}

PORT_TEST(AdoptedConnectionSendsMoreThanFits) {
  Client client(setup);
  Ends ends;
  REQUIRE(ends.ready());
  Sock* sock = Join(client, client.AdoptNative(ends.inner.Detach()), 1);
  REQUIRE(sock != nullptr);
  // More than the socket buffer takes: whatever its blocking mode is, the rest has to wait.
  client.Send(sock, {std::vector<std::uint8_t>(kMoreThanFits, 7)});
  client.Flush();
  std::vector<std::uint8_t> received;
  CHECK_EQ(ends.outer.ReceiveExactly(&received, kMoreThanFits), PeerStatus::kOk);
  REQUIRE(client.WaitUntil([&] { return sock->send_results.size() == 1; }));
  CHECK_EQ(At(sock->send_results, 0), Error::kOk);
}

PORT_TEST(RefusesToAdoptWhatIsNoConnection) {
  Client client(setup);
  PeerListener listener(Family::kIpv4);
  REQUIRE(listener.IsOpen());
  const std::intptr_t native = listener.Detach();
  Error error = Error::kOk;
  CHECK(client.AdoptNative(native, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kInvalidArgument);
  CloseNative(native);  // still ours
  CHECK(client.AdoptNative(native, 0, &error) == nullptr);
  CHECK(error == Error::kBadDescriptor || error == Error::kNotSocket);
  CHECK(client.AdoptNativeListener(native, 0, &error) == nullptr);
  CHECK(error == Error::kBadDescriptor || error == Error::kNotSocket);
}

// Both ports wait at the same time, as two processes would.
THREAD_TEST(AdoptedListenerIsSharedInTurn) {
  constexpr std::size_t kConnections = 40;
  Client first(setup);
  Client second(setup);
  PeerListener plain(Family::kIpv4);
  REQUIRE(plain.IsOpen());
  const Address address = plain.address();
  std::intptr_t duplicate = -1;
  const std::intptr_t native = plain.Detach();
  REQUIRE_EQ(DuplicateNative(native, &duplicate), Error::kOk);
  Accepting* one = first.AdoptNativeListener(native);
  Accepting* other = second.AdoptNativeListener(duplicate);
  REQUIRE(one != nullptr && other != nullptr);
  CHECK_EQ(one->address.port, address.port);
  first.Accept(one, 1);
  second.Accept(other, 1);
  first.Flush();
  second.Flush();
  first.Pass(kQuietMs);  // both wait for clients now
  std::vector<Peer> peers;
  const auto accepted = [&] { return one->accepted.size() + other->accepted.size(); };
  const auto wait = [&](std::size_t count) {
    for (int ms = 0; ms < 5000 && accepted() < count; ++ms) {
      first.Pass(1);
      second.Drain();
    }
    return accepted() >= count;
  };
  for (std::size_t i = 1; i <= kConnections; ++i) {
    peers.push_back(Peer::Connect(address));
    REQUIRE(peers.back().IsOpen());
    REQUIRE(wait(i));
  }
  CHECK_EQ(accepted(), kConnections);
  CHECK(one->accepted.size() >= kConnections / 4);
  CHECK(other->accepted.size() >= kConnections / 4);
  // One goes; the other serves everybody.
  first.CloseListener(one);
  first.Flush();
  REQUIRE(first.WaitUntil([&] { return one->closed; }));
  const std::size_t before = other->accepted.size();
  peers.push_back(Peer::Connect(address));
  REQUIRE(peers.back().IsOpen());
  CHECK(second.WaitUntil([&] { return other->accepted.size() == before + 1; }));
}

// A client that is accepted as one of those who share a listener closes it is somebody's.
PORT_TEST(ClosedSharedListenerLosesNoConnection) {
  Client client(setup);
  PeerListener plain(Family::kIpv4);
  REQUIRE(plain.IsOpen());
  const Address address = plain.address();
  const std::intptr_t native = plain.Detach();
  std::intptr_t duplicate = -1;
  REQUIRE_EQ(DuplicateNative(native, &duplicate), Error::kOk);
  Accepting* first = client.AdoptNativeListener(native);
  REQUIRE(first != nullptr);
  Peer peer = Peer::Connect(address);
  REQUIRE(peer.IsOpen());
  client.Accept(first, 1);
  client.CloseListener(first);
  client.Flush();
  REQUIRE(client.WaitUntil([&] { return first->closed; }));
  Accepting* second = client.AdoptNativeListener(duplicate);
  REQUIRE(second != nullptr);
  client.Accept(second, 1);
  client.Flush();
  CHECK(client.WaitUntil([&] { return first->accepted.size() + second->accepted.size() == 1; }));
}

PORT_TEST(SharesAListenerThatIsInNoPort) {
  ListenOptions options;
  options.address = Loopback(0);
  std::intptr_t native = -1;
  REQUIRE_EQ(OpenNativeListener(options, &native), Error::kOk);
  std::intptr_t ours = -1;
#ifdef _WIN32
  std::vector<std::uint8_t> token;
  REQUIRE_EQ(ShareNative(native, GetCurrentProcessId(), &token), Error::kOk);
  REQUIRE_EQ(TakeShared(token, &ours), Error::kOk);
  token.pop_back();
  std::intptr_t none = -1;
  CHECK_EQ(TakeShared(token, &none), Error::kInvalidArgument);
#else
  std::vector<std::uint8_t> token;
  CHECK_EQ(ShareNative(native, 1, &token), Error::kNotSupported);
  REQUIRE_EQ(DuplicateNative(native, &ours), Error::kOk);
#endif
  Client client(setup);
  Accepting* listener = client.AdoptNativeListener(ours);
  REQUIRE(listener != nullptr);
  // It waited in the backlog before anybody accepted.
  Peer peer = Peer::Connect(listener->address);
  REQUIRE(peer.IsOpen());
  client.Accept(listener, 1);
  REQUIRE(client.WaitAccepted(listener) != nullptr);
  CloseNative(native);
  Peer next = Peer::Connect(listener->address);  // what was shared stays open
  REQUIRE(next.IsOpen());
  REQUIRE(client.WaitAccepted(listener, 1) != nullptr);
}

THREAD_TEST(ListenerSharesWithItsDuplicate) {
  constexpr std::size_t kConnections = 40;
  Client first(setup);
  Client second(setup);
  Accepting* one = first.ListenAndAccept(1);
  REQUIRE(one != nullptr);
  first.Pass(kQuietMs);  // it waits for clients by itself
  std::intptr_t duplicate = -1;
  REQUIRE_EQ(first.port()->DuplicateListener(one->id, &duplicate), Error::kOk);
  first.Submit(0, Opcode::kAccept, one->id, 0, 0, 0, kAcceptShared);
  first.Flush();
  Accepting* other = second.AdoptNativeListener(duplicate);
  REQUIRE(other != nullptr);
  second.Accept(other, 1);
  second.Flush();
  first.Pass(kQuietMs);
  std::vector<Peer> peers;
  const auto accepted = [&] { return one->accepted.size() + other->accepted.size(); };
  for (std::size_t i = 1; i <= kConnections; ++i) {
    peers.push_back(Peer::Connect(one->address));
    REQUIRE(peers.back().IsOpen());
    for (int ms = 0; ms < 5000 && accepted() < i; ++ms) {
      first.Pass(1);
      second.Drain();
    }
  }
  CHECK_EQ(accepted(), kConnections);
  CHECK(one->accepted.size() >= kConnections / 8);
  CHECK(other->accepted.size() >= kConnections / 8);
}

PORT_TEST(ReleasedConnectionGoesOnInItsDuplicate) {
  PairOptions options;
  options.credit = 0;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  std::intptr_t duplicate = -1;
  REQUIRE_EQ(pair.client.port()->Duplicate(pair.sock->id, &duplicate), Error::kOk);
  Peer inner(duplicate);
  REQUIRE_EQ(pair.peer.SendAll("not read here"), PeerStatus::kOk);
  pair.client.Send(pair.sock, "last words");
  pair.client.Release(pair.sock);
  REQUIRE(pair.WaitClosed());
  CHECK_EQ(pair.peer.ReceiveText(10), std::string("last words"));
  CHECK_EQ(inner.ReceiveText(13), std::string("not read here"));
  REQUIRE_EQ(inner.SendAll("still here"), PeerStatus::kOk);
  CHECK_EQ(pair.peer.ReceiveText(10), std::string("still here"));
  inner.Close();
  std::vector<std::uint8_t> rest;
  CHECK_EQ(pair.peer.ReceiveToEnd(&rest), PeerStatus::kEnd);
}

}  // namespace completion_port::test
