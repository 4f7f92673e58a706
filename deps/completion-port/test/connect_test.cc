// Connecting: to peers that are there, that are not, and that never answer.
#ifdef __linux__
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#endif

#include <algorithm>

#include "pair.h"

namespace completion_port::test {
namespace {

void ConnectsAndTalks(const Setup& setup, Family family) {
  PeerListener listener(family);
  REQUIRE(listener.IsOpen());
  Client client(setup);
  Sock* sock = client.ConnectTo(listener.address());
  REQUIRE(sock != nullptr);
  Peer peer = listener.Accept();
  REQUIRE(peer.IsOpen());
  client.Grant(sock, 2);
  client.Send(sock, "from here");
  client.Flush();
  CHECK_EQ(peer.ReceiveText(9), std::string("from here"));
  REQUIRE_EQ(peer.SendAll("from there"), PeerStatus::kOk);
  REQUIRE(client.WaitUntil([&] { return sock->received == 10; }));
  CHECK_EQ(sock->Text(), std::string("from there"));
  Address address;
  CHECK_EQ(client.port()->PeerAddress(sock->id, &address), Error::kOk);
  CHECK_EQ(address.port, listener.address().port);
  CHECK(address.family == family);
  CHECK_EQ(client.port()->LocalAddress(sock->id, &address), Error::kOk);
  CHECK(address.port != 0);
  CHECK_EQ(client.port()->SetNoDelay(sock->id, true), Error::kOk);
  CHECK_EQ(client.port()->SetKeepAlive(sock->id, KeepAlive{true, 60, 0, 0}), Error::kOk);
#ifndef _WIN32  // a Windows may refuse it, and Wine does for IPv6
  int service = -1;
  CHECK_EQ(client.port()->TypeOfService(sock->id, &service), Error::kOk);
  CHECK_EQ(service, 0);
  CHECK_EQ(client.port()->SetTypeOfService(sock->id, 0x10), Error::kOk);
  CHECK_EQ(client.port()->TypeOfService(sock->id, &service), Error::kOk);
  CHECK_EQ(service, 0x10);
#endif
  CHECK(client.port()->NativeHandle(sock->id) != -1);
}

// A listener whose backlog is full: a system that drops the SYN then (Linux does) leaves a connect
// waiting as long as one likes.
class DeafListener {
 public:
  DeafListener() : listener_(Family::kIpv4, 0) {
    for (int i = 0; i < 2 && listener_.IsOpen(); ++i) {
      if (i == 0) peers_.push_back(Peer::Connect(listener_.address()));
    }
    SleepMs(20);
  }
  const Address& address() const { return listener_.address(); }

 private:
  PeerListener listener_;
  std::vector<Peer> peers_;
};

}  // namespace

PORT_TEST(ConnectsOverIpv4) { ConnectsAndTalks(setup, Family::kIpv4); }

PORT_TEST(ConnectsOverIpv6) {
  if (!HasIpv6()) return Skip("no IPv6 on this machine");
  ConnectsAndTalks(setup, Family::kIpv6);
}

PORT_TEST(ConnectsFromALocalAddress) {
  PeerListener listener(Family::kIpv4);
  Client client(setup);
  ConnectOptions options;
  options.remote = listener.address();
  options.local = Loopback(UnusedPort(Family::kIpv4));
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  Address address;
  CHECK_EQ(client.port()->LocalAddress(sock->id, &address), Error::kOk);  // bound at once
  CHECK_EQ(address.port, options.local.port);
  client.Connect(sock);
  REQUIRE(client.WaitUntil([&] { return !sock->connect_pending; }));
  CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
}

PORT_TEST(ConnectsToTheUnspecifiedAddress) {
  PeerListener listener(Family::kIpv4);
  Client client(setup);
  Address anywhere;
  anywhere.family = Family::kIpv4;
  anywhere.port = listener.address().port;
  CHECK(client.ConnectTo(anywhere) != nullptr);
}

PORT_TEST(ConnectRefused) {
  Client client(setup);
  for (int i = 0; i < 3; ++i) {
    ConnectOptions options;
    options.remote = Loopback(UnusedPort(Family::kIpv4));
    Sock* sock = client.Prepare(options);
    REQUIRE(sock != nullptr);
    client.Connect(sock);
    client.Grant(sock, 1);       // stays without an answer but kClose
    client.Send(sock, "never");  // fails as the connect does
    client.Shutdown(sock);
    REQUIRE(client.WaitUntil([&] { return sock->Idle(); }));
    CHECK_EQ(sock->connected.value_or(kNone), Error::kConnectionRefused);
    CHECK_EQ(At(sock->send_results, 0), Error::kConnectionRefused);
    CHECK_EQ(At(sock->shutdown_results, 0), Error::kConnectionRefused);
    client.Send(sock, "too late");
    REQUIRE(client.WaitUntil([&] { return sock->Idle(); }));
    CHECK_EQ(At(sock->send_results, 1), Error::kBrokenPipe);
    client.Close(sock);
    CHECK(client.WaitUntil([&] { return sock->closed; }));
    CHECK(!sock->ended.has_value());
  }
}

PORT_TEST(ConnectUnreachable) {
  Client client(setup);
  ConnectOptions options;
  // A multicast group: every system knows at once that no stream leads there.
  REQUIRE_EQ(ParseAddress("224.0.0.1", 9, &options.remote), Error::kOk);
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  client.Connect(sock);
  REQUIRE(client.WaitUntil([&] { return !sock->connect_pending; }));
  const Error error = sock->connected.value_or(kNone);
  CHECK(error == Error::kNetworkUnreachable || error == Error::kHostUnreachable ||
        error == Error::kAddressNotAvailable);
}

PORT_TEST(ConnectTimedOut) {
#ifdef __linux__
  const DeafListener deaf;
  Client client(setup);
  ConnectOptions options;
  options.remote = deaf.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  const int soon_ms = 300;
  REQUIRE_EQ(setsockopt(static_cast<int>(client.port()->NativeHandle(sock->id)), IPPROTO_TCP,
                        TCP_USER_TIMEOUT, &soon_ms, sizeof(soon_ms)),
             0);
  client.Connect(sock);
  REQUIRE(client.WaitUntil([&] { return !sock->connect_pending; }, 8000));
  CHECK_EQ(sock->connected.value_or(kNone), Error::kTimedOut);
#else
  static_cast<void>(setup);
  Skip("no address here is sure to keep silent, nor can a connect's time be shortened");
#endif
}

PORT_TEST(ConnectCancelledByClose) {
  const DeafListener deaf;
  for (const bool reset : {false, true}) {
    Client client(setup);
    ConnectOptions options;
    options.remote = deaf.address();
    Sock* sock = client.Prepare(options);
    REQUIRE(sock != nullptr);
    client.Connect(sock);
    client.Grant(sock, 3);
    client.Send(sock, "never");
    client.Pass(kQuietMs);
    if (!sock->connect_pending) return Skip("a full backlog does not keep a connect waiting here");
    client.Close(sock, reset);
    REQUIRE(client.WaitUntil([&] { return sock->closed; }, 2000));
    CHECK_EQ(sock->connected.value_or(kNone), Error::kCanceled);
    CHECK_EQ(At(sock->send_results, 0), Error::kCanceled);
    CHECK(!sock->lingers);
  }
}

PORT_TEST(ConnectAndCloseInOneBatch) {
  PeerListener listener(Family::kIpv4, 512);
  Client client(setup);
  ConnectOptions options;
  options.remote = listener.address();
  for (int i = 0; i < 50; ++i) {
    Sock* sock = client.Prepare(options);
    REQUIRE(sock != nullptr);
    client.Connect(sock);
    if (i % 2 == 0) client.Send(sock, "x");
    client.Close(sock, i % 3 == 0);
  }
  CHECK(client.WaitUntil([&] {
    return std::all_of(client.socks().begin(), client.socks().end(),
                       [](const Sock& sock) { return sock.closed; });
  }));
  for (const Sock& sock : client.socks()) {
    // Cancelled, unless the connect was quicker.
    CHECK(sock.connected == Error::kCanceled || sock.connected == Error::kOk);
  }
}

PORT_TEST(SendsBeforeTheConnectGoOutAfterIt) {
  PeerListener listener(Family::kIpv4);
  Client client(setup);
  ConnectOptions options;
  options.remote = listener.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  client.Send(sock, "one ");
  client.Connect(sock);
  client.Send(sock, "two ");
  client.Flush();
  client.Send(sock, "three");
  client.Shutdown(sock);
  client.Flush();
  Peer peer = listener.Accept();
  REQUIRE(peer.IsOpen());
  std::vector<std::uint8_t> data;
  CHECK_EQ(peer.ReceiveToEnd(&data), PeerStatus::kEnd);
  CHECK_EQ(std::string(data.begin(), data.end()), std::string("one two three"));
  CHECK(client.WaitUntil([&] { return sock->Idle(); }));
  for (const Error error : sock->send_results) CHECK_EQ(error, Error::kOk);
  CHECK_EQ(At(sock->shutdown_results, 0), Error::kOk);
}

PORT_TEST(ShutdownBeforeTheConnectIsDone) {
  PeerListener listener(Family::kIpv4);
  Client client(setup);
  ConnectOptions options;
  options.remote = listener.address();
  Sock* sock = client.Prepare(options);
  REQUIRE(sock != nullptr);
  client.Connect(sock);
  client.Shutdown(sock);
  client.Flush();
  Peer peer = listener.Accept();
  REQUIRE(peer.IsOpen());
  std::vector<std::uint8_t> data;
  CHECK_EQ(peer.ReceiveToEnd(&data, 3000), PeerStatus::kEnd);
  REQUIRE(client.WaitUntil([&] { return sock->Idle(); }));
  CHECK_EQ(At(sock->shutdown_results, 0), Error::kOk);
}

PORT_TEST(ManyConnectsAtOnce) {
  Client client(setup);
  Accepting* listener = client.ListenAndAccept(1);
  REQUIRE(listener != nullptr);
  ConnectOptions options;
  options.remote = listener->address;
  std::vector<Sock*> socks;
  for (int i = 0; i < 200; ++i) {
    socks.push_back(client.Prepare(options));
    REQUIRE(socks.back() != nullptr);
    client.Connect(socks.back());
  }
  REQUIRE(client.WaitUntil([&] {
    return std::all_of(socks.begin(), socks.end(),
                       [](const Sock* sock) { return !sock->connect_pending; });
  }));
  for (const Sock* sock : socks) CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
  CHECK(client.WaitUntil([&] { return listener->accepted.size() == socks.size(); }));
}

PORT_TEST(PrepareErrors) {
  Client client(setup);
  ConnectOptions options;
  Error error = Error::kOk;
  options.remote = Loopback(9);
  REQUIRE_EQ(ParseAddress("192.0.2.1", 0, &options.local), Error::kOk);
  CHECK(client.Prepare(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAddressNotAvailable);
}

PORT_TEST(MoreConnectsThanCapacity) {
  ClientOptions client_options;
  client_options.socket_capacity = 3;
  Client client(setup, client_options);
  ConnectOptions options;
  options.remote = Loopback(9);
  for (int i = 0; i < 3; ++i) REQUIRE(client.Prepare(options) != nullptr);
  Error error = Error::kOk;
  CHECK(client.Prepare(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kTooManyFiles);
}

}  // namespace completion_port::test
