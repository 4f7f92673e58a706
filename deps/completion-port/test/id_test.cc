// Ids: used again late, and worthless once their socket is gone.
#include <set>

#include "pair.h"

namespace completion_port::test {

PORT_TEST(AStaleIdFindsNothing) {
  PairOptions options;
  options.client.socket_capacity = 1;  // so that the next one is in the same slot
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  Client& client = pair.client;
  const SocketId old = pair.sock->id;
  client.Close(pair.sock);
  REQUIRE(pair.WaitClosed());
  Peer peer = Peer::Connect(pair.listener->address);
  Sock* sock = client.WaitAccepted(pair.listener, 1);
  REQUIRE(sock != nullptr);
  CHECK(sock->id != old);
  sock->refill = 1;

  const std::uint8_t untouched[4] = {};
  const auto address_of =
      static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(&untouched[0]));
  for (const SocketId id : {old, SocketId{0}, SocketId{0xffffffff}, SocketId{0x00100000 | 9999}}) {
    Port* port = client.port();
    Address address;
    CHECK_EQ(port->NativeHandle(id), -1);
    CHECK_EQ(port->SetNoDelay(id, true), Error::kBadDescriptor);
    CHECK_EQ(port->SetKeepAlive(id, {}), Error::kBadDescriptor);
    CHECK_EQ(port->LocalAddress(id, &address), Error::kBadDescriptor);
    CHECK_EQ(port->PeerAddress(id, &address), Error::kBadDescriptor);
    CHECK_EQ(port->SendNow(id, nullptr, 0), ToResult(Error::kBadDescriptor));
    // What has a completion gets one; the rest is without effect.
    client.strays.clear();
    client.strays_expected = 3;
    client.Submit(0, Opcode::kConnect, id);
    client.Submit(0, Opcode::kReceive, id, 10);
    client.Submit(0, Opcode::kRelease, id, 12345, 10);
    client.Submit(0, Opcode::kReceive, id, 0, 0, 0, kReceiveWithdraw);
    for (const std::uint32_t flags : {0u, std::uint32_t{kReceiveAtOnce}}) {
      client.Submit(0, Opcode::kReceive, id, static_cast<std::uint32_t>(address_of), 4,
                    static_cast<std::uint32_t>(address_of >> 32), kReceivePinned | flags);
    }
    client.Submit(0, Opcode::kSend, id, 0, 5);
    client.Submit(0, Opcode::kShutdown, id);
    client.Submit(0, Opcode::kClose, id);
    REQUIRE(client.WaitUntil([&] { return client.strays.size() == 3; }));
    CHECK(client.strays[0].opcode == Opcode::kConnect);
    CHECK_EQ(client.strays[0].result, Error::kBadDescriptor);
    CHECK(client.strays[1].opcode == Opcode::kSend);
    CHECK_EQ(client.strays[1].result, Error::kBrokenPipe);
    CHECK(client.strays[2].opcode == Opcode::kShutdown);
    CHECK_EQ(client.strays[2].result, Error::kCanceled);
    for (const Client::Stray& stray : client.strays) CHECK_EQ(stray.id, id);
  }
  client.Pass(kQuietMs);
  // The new owner of the slot has noticed nothing.
  REQUIRE_EQ(peer.SendAll("hello"), PeerStatus::kOk);
  CHECK(client.WaitUntil([&] { return sock->received == 5; }));
  client.Send(sock, "hi");
  client.Flush();
  CHECK_EQ(peer.ReceiveText(2), std::string("hi"));
}

PORT_TEST(AnIdIsNotSoonUsedAgain) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  std::set<SocketId> ids;
  const std::size_t kRounds = UnderWine() ? 60 : 300;
  for (std::size_t i = 0; i < kRounds; ++i) {
    Peer peer = Peer::Connect(listener->address);
    Sock* sock = client.WaitAccepted(listener, i);
    REQUIRE(sock != nullptr);
    CHECK(ids.insert(sock->id).second);
    client.Close(sock, true);
    REQUIRE(client.WaitUntil([&] { return sock->closed; }));
  }
}

PORT_TEST(TheSamePreparedIdAfterItsGenerationsWrap) {
  // One slot, closed 4,095 times: the id comes round, and every one in between was different.
  ClientOptions options;
  options.socket_capacity = 1;
  Client client(setup, options);
  REQUIRE(client.started());
  ConnectOptions connect;
  connect.remote = Loopback(9);
  const int kRounds = UnderWine() ? 300 : 4200;
  SocketId first = 0;
  SocketId previous = 0;
  for (int i = 0; i < kRounds; ++i) {
    Sock* sock = client.Prepare(connect);
    REQUIRE(sock != nullptr);
    CHECK(sock->id != 0 && sock->id != previous);
    if (i == 0) first = sock->id;
    if (i != 0) CHECK_EQ(sock->id == first, i == 4095);
    previous = sock->id;
    client.Close(sock);
    REQUIRE(client.WaitUntil([&] { return sock->closed; }));
  }
}

PORT_TEST(ControlCallsWhileTheSocketWorks) {
  // Plain calls from this thread, while the driver moves bytes of the same sockets.
  PairOptions options;
  options.credit = 1000;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  const int kRounds = UnderWine() ? 100 : 500;
  std::uint64_t sent = 0;
  for (int i = 0; i < kRounds; ++i) {
    sent += pair.peer.SendSome("0123456789", 10);
    pair.client.Send(pair.sock, "0123456789");
    pair.client.Flush();
    Address address;
    CHECK_EQ(pair.client.port()->SetNoDelay(pair.sock->id, i % 2 == 0), Error::kOk);
    CHECK_EQ(pair.client.port()->PeerAddress(pair.sock->id, &address), Error::kOk);
    CHECK_EQ(pair.client.port()->SetKeepAlive(pair.sock->id, {i % 2 == 0, 10, 1, 5}), Error::kOk);
    if (i % 10 == 0) pair.client.Drain();
  }
  CHECK(pair.WaitReceived(sent));
  CHECK(pair.WaitSends(static_cast<std::size_t>(kRounds)));
}

}  // namespace completion_port::test
