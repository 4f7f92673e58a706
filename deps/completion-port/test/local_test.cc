// Local sockets: the same promises as for TCP, on Unix domain sockets and on named pipes.
#ifndef _WIN32
#include <sys/stat.h>
#include <unistd.h>
#endif

#include <algorithm>
#include <string>
#include <vector>

#include "local_pair.h"

namespace completion_port::test {
namespace {

// The error that connecting to `address` ends with.
Error ConnectError(Client& client, const Address& address) {
  ConnectOptions options;
  options.remote = address;
  Error error = Error::kOk;
  Sock* sock = client.Prepare(options, 0, &error);
  if (sock == nullptr) return error;
  client.Connect(sock);
  if (!client.WaitUntil([&] { return !sock->connect_pending; })) return kNone;
  return sock->connected.value_or(kNone);
}

Accepting* ListenWithBacklogOfOne(Client* client) {
  ListenOptions options;
  options.address = UniquePath();
  options.backlog = 1;
  return client->Listen(options);
}

// Eight connects, which is more than such a backlog has room for. Fewer if one cannot be prepared.
std::vector<Sock*> ConnectMany(Client* client, const Address& remote) {
  ConnectOptions options;
  options.remote = remote;
  std::vector<Sock*> socks;
  for (int i = 0; i < 8; ++i) {
    Sock* sock = client->Prepare(options);
    if (sock == nullptr) break;
    socks.push_back(sock);
    client->Connect(sock);
  }
  return socks;
}

}  // namespace

TEST(ParsesPaths) {
  Address address;
  CHECK_EQ(ParsePath("", &address), Error::kInvalidArgument);
  CHECK_EQ(ParsePath(std::string_view("a\0b", 3), &address), Error::kInvalidArgument);
  CHECK(address.family == Family::kNone);
  REQUIRE_EQ(ParsePath("some/path", &address), Error::kOk);
  CHECK(address.family == Family::kLocal);
  CHECK_EQ(FormatAddress(address), std::string("some/path"));
#ifndef _WIN32
  CHECK_EQ(ParsePath(std::string(108, 'x'), &address), Error::kOk);
  CHECK_EQ(ParsePath(std::string(109, 'x'), &address), Error::kInvalidArgument);
#endif
#ifdef __linux__
  CHECK_EQ(ParsePath(std::string_view("\0a\0b", 4), &address), Error::kOk);
  CHECK_EQ(address.path.size(), 4);
#endif
}

PORT_TEST(LocalConnectsAndTalks) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, "question");
  REQUIRE(pair.Wait([&] { return pair.there->received == 8; }));
  pair.client.Send(pair.there, "answer");
  REQUIRE(pair.Wait([&] { return pair.here->received == 6; }));
  CHECK_EQ(pair.there->Text(), std::string("question"));
  CHECK_EQ(pair.here->Text(), std::string("answer"));
}

PORT_TEST(LocalHasNoEndpoints) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  Port* port = pair.client.port();
  Address address;
  for (const Sock* sock : {pair.here, pair.there}) {
    CHECK_EQ(port->LocalAddress(sock->id, &address), Error::kOperationNotSupported);
    CHECK_EQ(port->PeerAddress(sock->id, &address), Error::kOperationNotSupported);
    CHECK_EQ(port->SetNoDelay(sock->id, true), Error::kOperationNotSupported);
    CHECK_EQ(port->SetKeepAlive(sock->id, KeepAlive{}), Error::kOperationNotSupported);
  }
}

PORT_TEST(LocalOverSeveralPorts) {
  LocalPair pair(setup, 2);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, "across");
  CHECK(pair.Wait([&] { return pair.there->Text() == "across"; }));
}

PORT_TEST(LocalBytesInOrder) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  constexpr std::size_t kBytes = 3 * 1024 * 1024 + 17;
  std::uint64_t at = 0;
  bool right = true;
  pair.there->sink = [&](const std::uint8_t* data, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i, ++at) {
      right = right && data[i] == static_cast<std::uint8_t>(at * 31 + (at >> 8));
    }
  };
  Random random(Seed());
  for (std::size_t sent = 0; sent < kBytes;) {
    // Small ones, which are gathered, and large ones, which are not.
    const std::size_t length = std::min<std::size_t>(
        kBytes - sent, random.OneIn(3) ? random.Below(200000) : random.Below(3000));
    std::vector<std::uint8_t> bytes(length);
    for (std::size_t i = 0; i < length; ++i) {
      const std::uint64_t n = sent + i;
      bytes[i] = static_cast<std::uint8_t>(n * 31 + (n >> 8));
    }
    sent += length;
    pair.client.Send(pair.here, std::vector<std::vector<std::uint8_t>>{std::move(bytes)});
  }
  CHECK(
      pair.Wait([&] { return pair.there->received == kBytes && pair.here->sends.empty(); }, 20000));
  CHECK(right);
}

PORT_TEST(LocalGatherKeepsRequestsApart) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  for (int i = 0; i < 200; ++i) pair.client.Send(pair.here, std::string(1 + i % 7, 'x'));
  pair.client.Send(pair.here, std::string());
  pair.client.SendPart(pair.here, {1, 2, 3});
  pair.client.Send(pair.here, std::vector<std::vector<std::uint8_t>>{{4, 5}, {}, {6}});
  CHECK(pair.Wait([&] { return pair.here->sends.empty(); }));
  CHECK_EQ(pair.here->send_results.size(), 202);
  for (const Error error : pair.here->send_results) CHECK_EQ(error, Error::kOk);
}

PORT_TEST(LocalShutdownAfterSends) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, Filled(300000, 'a'));
  pair.client.Shutdown(pair.here);
  REQUIRE(pair.Wait([&] { return pair.there->ended.has_value(); }));
  CHECK_EQ(*pair.there->ended, Error::kOk);
  CHECK_EQ(pair.there->received, 300000);
  CHECK(pair.Wait([&] { return pair.here->shutdown_results.size() == 1; }));
  CHECK_EQ(At(pair.here->shutdown_results, 0), Error::kOk);
}

// On a pipe the answer has to begin soon; a socket would wait for ever.
PORT_TEST(LocalAnswerAfterShutdown) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, "question");
  pair.client.Shutdown(pair.here);
  REQUIRE(pair.Wait([&] { return pair.there->received == 8; }));
  pair.client.Send(pair.there, "answer");
  CHECK(pair.Wait([&] { return pair.here->Text() == "answer"; }));
  REQUIRE(pair.Wait([&] { return pair.there->ended.has_value(); }));
  pair.client.Close(pair.there);
  CHECK(pair.Wait([&] { return pair.here->ended.has_value(); }));
  CHECK_EQ(pair.here->ended.value_or(kNone), Error::kOk);
}

PORT_TEST(LocalShutdownWithoutReader) {
  LocalPair pair(setup, 1, 0);  // no credit on either end
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, "unread");
  pair.client.Shutdown(pair.here);
  pair.client.Pass(kQuietMs);
  pair.client.Close(pair.here);
  CHECK(pair.Wait([&] { return pair.here->closed; }));
  pair.client.Grant(pair.there, 2);
  CHECK(pair.Wait([&] { return pair.there->ended.has_value(); }));
  CHECK_EQ(pair.there->Text(), std::string("unread"));
  CHECK_EQ(*pair.there->ended, Error::kOk);
}

PORT_TEST(LocalCloseSendsWhatWasSubmitted) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, Filled(1000000, 'b'));
  pair.client.Close(pair.here);
  REQUIRE(pair.Wait([&] { return pair.there->ended.has_value(); }));
  CHECK_EQ(*pair.there->ended, Error::kOk);
  CHECK_EQ(pair.there->received, 1000000);
  CHECK_EQ(At(pair.here->send_results, 0), Error::kOk);
}

PORT_TEST(LocalCloseGivesUpOnAPeerThatDoesNotRead) {
  ClientOptions options;
  options.linger_ms = 100;
  Client client(setup, options);
  Accepting* listener = ListenAt(client, UniquePath(), 0);
  REQUIRE(listener != nullptr);
  Sock* here = client.ConnectTo(listener->address);
  Sock* there = client.WaitAccepted(listener);
  REQUIRE(here != nullptr && there != nullptr);
  client.Send(here, Filled(kMoreThanFits, 'c'));
  client.Close(here);
  REQUIRE(client.WaitUntil([&] { return here->closed; }));
  CHECK(here->lingers);
  CHECK_EQ(At(here->send_results, 0), Error::kCanceled);
}

PORT_TEST(LocalSendToAPeerThatIsGone) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.client.Close(pair.there);
  REQUIRE(pair.Wait([&] { return pair.here->ended.has_value(); }));
  CHECK_EQ(*pair.here->ended, Error::kOk);
  pair.client.Send(pair.here, "too late");
  REQUIRE(pair.Wait([&] { return pair.here->send_results.size() == 1; }));
  CHECK_EQ(At(pair.here->send_results, 0), Error::kBrokenPipe);
}

PORT_TEST(LocalClosedInEveryState) {
  const Address nowhere = UniquePath();
  Client client(setup);
  Accepting* listener = ListenAt(client, UniquePath(), 4);
  REQUIRE(listener != nullptr);
  for (int i = 0; i < 60; ++i) {
    ConnectOptions options;
    options.remote = i % 5 == 4 ? nowhere : listener->address;
    Sock* sock = client.Prepare(options);
    REQUIRE(sock != nullptr);
    if (i % 6 != 0) client.Connect(sock);
    if (i % 2 == 0) client.Grant(sock, 2);
    if (i % 3 == 0) client.Send(sock, "x");
    if (i % 4 == 0) client.Shutdown(sock);
    if (i % 3 == 1) client.Pass(1);
    client.Close(sock, i % 7 == 0);
  }
  CHECK(client.WaitUntil([&] {
    return std::all_of(client.socks().begin(), client.socks().end(),
                       [](const Sock& sock) { return sock.closed || !sock.close_submitted; });
  }));
}

PORT_TEST(LocalManyConnects) {
  Client client(setup);
  Accepting* listener = ListenAt(client, UniquePath(), 1);
  REQUIRE(listener != nullptr);
  std::vector<Sock*> socks;
  for (int i = 0; i < 100; ++i) {
    ConnectOptions options;
    options.remote = listener->address;
    socks.push_back(client.Prepare(options));
    REQUIRE(socks.back() != nullptr);
    client.Connect(socks.back());
  }
  REQUIRE(client.WaitUntil(
      [&] {
        return std::all_of(socks.begin(), socks.end(),
                           [](const Sock* sock) { return !sock->connect_pending; });
      },
      20000));
  for (const Sock* sock : socks) CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
  CHECK(client.WaitUntil([&] { return listener->accepted.size() == socks.size(); }));
}

PORT_TEST(LocalErrors) {
  Client client(setup);
  CHECK_EQ(ConnectError(client, UniquePath()), Error::kNoEntry);
  ListenOptions options;
  Error error = Error::kOk;
  REQUIRE_EQ(ParsePath("no-such-folder/at/all", &options.address), Error::kOk);
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAccessDenied);
  options.address = UniquePath();
  REQUIRE(client.Listen(options) != nullptr);
  if (UnderWine()) return;  // there, a second server of one pipe is not refused
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAddressInUse);
}

PORT_TEST(LocalPathIsFreeAgain) {
  Client client(setup);
  const Address address = UniquePath();
  for (int i = 0; i < 5; ++i) {
    Accepting* listener = ListenAt(client, address, 1);
    REQUIRE(listener != nullptr);
    Sock* sock = client.ConnectTo(address);
    REQUIRE(sock != nullptr);
    client.WaitAccepted(listener);
    client.CloseListener(listener);
    REQUIRE(client.WaitUntil([&] { return listener->closed; }));
    for (Sock& each : client.socks()) {
      if (!each.close_submitted) client.Close(&each);
    }
    CHECK(client.WaitUntil([&] {
      return std::all_of(client.socks().begin(), client.socks().end(),
                         [](const Sock& each) { return each.closed; });
    }));
    CHECK_EQ(ConnectError(client, address), Error::kNoEntry);
  }
}

PORT_TEST(LocalStopsWithEverythingUnderWay) {
  LocalPair pair(setup);
  REQUIRE(pair.ready());
  pair.there->refill = 0;
  pair.client.Send(pair.here, Filled(kMoreThanFits, 'd'));
  pair.client.Shutdown(pair.here);
  pair.client.Shutdown(pair.there);
  ListenOptions options;
  options.address = UniquePath();
  REQUIRE(pair.client.Listen(options) != nullptr);  // never accepts
  pair.client.Pass(10);
  CHECK_AT_MOST(pair.client.Stop(), Patience(2000));
}

// Nobody accepts, and the queue of those who wait for it is full.
// With epoll no connect waits for room in a backlog: see LocalConnectToAFullBacklog.
PORT_TEST(LocalStopsWhileConnectsWait) {
  if (setup.backend == BackendKind::kEpoll) return Skip("connects do not wait");
  Client client(setup);
  Accepting* listener = ListenWithBacklogOfOne(&client);
  REQUIRE(listener != nullptr);
  const std::vector<Sock*> socks = ConnectMany(&client, listener->address);
  REQUIRE_EQ(socks.size(), 8);
  client.Pass(kQuietMs);
  const auto waits = [](const Sock* sock) { return sock->connect_pending; };
  REQUIRE(std::any_of(socks.begin(), socks.end(), waits));
  Sock* waiting = *std::find_if(socks.begin(), socks.end(), waits);
  client.Close(waiting);
  CHECK(client.WaitUntil([&] { return waiting->closed; }, 2000));
  CHECK_EQ(waiting->connected.value_or(kNone), Error::kCanceled);
  CHECK_AT_MOST(client.Stop(), Patience(2000));
}

// With epoll a connect that finds the backlog full fails, as with libuv.
PORT_TEST(LocalConnectToAFullBacklog) {
  if (setup.backend != BackendKind::kEpoll) return Skip("connects wait");
  Client client(setup);
  Accepting* listener = ListenWithBacklogOfOne(&client);
  REQUIRE(listener != nullptr);
  const std::vector<Sock*> socks = ConnectMany(&client, listener->address);
  REQUIRE_EQ(socks.size(), 8);
  const auto connected = [](const Sock* sock) { return sock->connected.has_value(); };
  REQUIRE(client.WaitUntil([&] { return std::all_of(socks.begin(), socks.end(), connected); }));
  std::size_t refused = 0;
  for (const Sock* sock : socks) {
    if (sock->connected == Error::kOk) continue;
    CHECK_EQ(sock->connected.value_or(kNone), Error::kTryAgain);
    ++refused;
  }
  CHECK(refused != 0);
  client.Accept(listener, 1);
  CHECK(client.WaitUntil([&] { return listener->accepted.size() + refused == socks.size(); }));
}

PORT_TEST(LocalWaitsForItsTurn) {
  if (setup.backend == BackendKind::kEpoll) return Skip("connects do not wait");
  Client client(setup);
  Accepting* listener = ListenWithBacklogOfOne(&client);
  REQUIRE(listener != nullptr);
  const std::vector<Sock*> socks = ConnectMany(&client, listener->address);
  REQUIRE_EQ(socks.size(), 8);
  client.Pass(kQuietMs);
  client.Accept(listener, 1);
  CHECK(client.WaitUntil([&] {
    return listener->accepted.size() == socks.size() &&
           std::all_of(socks.begin(), socks.end(),
                       [](const Sock* sock) { return !sock->connect_pending; });
  }));
  for (const Sock* sock : socks) CHECK_EQ(sock->connected.value_or(kNone), Error::kOk);
}

// A flush waits for a reader that never reads.
PORT_TEST(LocalStopsWhileAShutdownWaits) {
  LocalPair pair(setup, 1, 0);
  REQUIRE(pair.ready());
  pair.client.Send(pair.here, "unread");
  pair.client.Shutdown(pair.here);
  pair.client.Pass(kQuietMs);
  CHECK_AT_MOST(pair.client.Stop(), Patience(2000));
}

PORT_TEST(LocalAccessForEverybody) {
  Client client(setup);
  ListenOptions options;
  options.address = UniquePath();
  Accepting* listener = client.Listen(options);
  REQUIRE(listener != nullptr);
  CHECK_EQ(client.port()->SetListenerAccess(listener->id, true, true), Error::kOk);
#ifndef _WIN32
  struct stat status;
  REQUIRE_EQ(stat(options.address.path.c_str(), &status), 0);
  CHECK_EQ(status.st_mode & 0777, 0666);
#endif
  client.Accept(listener, 1);
  CHECK(client.ConnectTo(options.address) != nullptr);
}

PORT_TEST(LocalUnlinkTakesTheNameAtOnce) {
  Client client(setup);
  Accepting* listener = ListenAt(client, UniquePath(), 1);
  REQUIRE(listener != nullptr);
  CHECK_EQ(client.port()->UnlinkListener(listener->id), Error::kOk);
#ifndef _WIN32
  CHECK_EQ(access(listener->address.path.c_str(), F_OK), -1);
  // Closing does not take what another put there meanwhile.
  Client other(setup);
  REQUIRE(ListenAt(other, listener->address, 1) != nullptr);
  client.CloseListener(listener);
  REQUIRE(client.WaitUntil([&] { return listener->closed; }));
  CHECK(client.ConnectTo(listener->address) != nullptr);
#endif
  Accepting* tcp = client.ListenAndAccept(1);
  REQUIRE(tcp != nullptr);
  CHECK_EQ(client.port()->UnlinkListener(tcp->id), Error::kOperationNotSupported);
  CHECK_EQ(client.port()->SetListenerAccess(tcp->id, true, true), Error::kOperationNotSupported);
}

}  // namespace completion_port::test
