// What the system is asked for beneath the backends, at its edges.
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "client.h"
#include "faults_linux.h"
#include "local_pair.h"
#include "os/sockaddr.h"
#include "os/socket.h"
#include "pair.h"

namespace completion_port::test {
namespace {

struct SocketPair {
  SocketPair() { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0); }
  SocketPair(const SocketPair&) = delete;
  SocketPair& operator=(const SocketPair&) = delete;
  ~SocketPair() {
    for (const int end : ends) close(end);
  }
  int ends[2] = {-1, -1};
};

int FirstUsableCore() {
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return -1;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &usable)) return core;
  }
  return -1;
}

// Threads of this process that may run on this core alone.
int ThreadsOnlyOn(int core) {
  int found = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    cpu_set_t allowed;
    const int id = std::stoi(task.path().filename().string());
    if (sched_getaffinity(id, sizeof allowed, &allowed) != 0) continue;
    found += CPU_COUNT(&allowed) == 1 && CPU_ISSET(core, &allowed) ? 1 : 0;
  }
  return found;
}

std::set<std::uint32_t> LinkLocalScopes() {
  std::set<std::uint32_t> scopes = {0};
  ifaddrs* all = nullptr;
  if (getifaddrs(&all) != 0) return scopes;
  for (const ifaddrs* at = all; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr || at->ifa_addr->sa_family != AF_INET6) continue;
    scopes.insert(if_nametoindex(at->ifa_name));
  }
  freeifaddrs(all);
  return scopes;
}

}  // namespace

TEST(InterruptedCallsAreMadeAgain) {
  const SocketPair pair;
  std::uint8_t byte = 7;
  {
    const Fault fault(Call::send, 1, EINTR, 2);
    CHECK_EQ(os::SendNow(pair.ends[0], &byte, 1), 1);
    CHECK(fault.Struck());
  }
  {
    const Fault fault(Call::recv, 1, EINTR, 2);
    CHECK_EQ(os::ReceiveNow(pair.ends[1], &byte, 1), 1);
  }
  CHECK_EQ(os::ReceiveNow(pair.ends[1], &byte, 1), ToResult(Error::kTryAgain));
  const Fault fault(Call::send, 1, ECONNRESET);
  CHECK_EQ(os::SendNow(pair.ends[0], &byte, 1), ToResult(Error::kConnectionReset));
}

TEST(DiscardsNoMoreThanItMay) {
  const SocketPair pair;
  const std::vector<std::uint8_t> bytes(40'000, 1);
  CHECK_EQ(os::SendNow(pair.ends[0], bytes.data(), bytes.size()), bytes.size());
  {
    const Fault fault(Call::recv, 1, EINTR);
    CHECK_EQ(os::DiscardReceived(pair.ends[1], 1000), Error::kMessageTooLong);
  }
  CHECK_EQ(os::DiscardReceived(pair.ends[1], 1'000'000), Error::kTryAgain);
  CHECK_EQ(os::ShutdownSend(pair.ends[0]), Error::kOk);
  CHECK_EQ(os::DiscardReceived(pair.ends[1], 1000), Error::kOk);
}

TEST(AddressesTheSystemDoesNotHave) {
  sockaddr_storage storage{};
  CHECK_EQ(os::ToSockaddr(Address(), &storage), 0);
  Address address;
  CHECK_EQ(os::FromSockaddr(storage, &address), Error::kFamilyNotSupported);
  CHECK_EQ(os::LocalAddress(-1, &address), Error::kBadDescriptor);
  CHECK_EQ(os::PeerAddress(-1, &address), Error::kBadDescriptor);
  NativeSocket socket = kInvalidSocket;
  CHECK_EQ(os::OpenStreamSocket(Family::kNone, &socket), Error::kInvalidArgument);
  CHECK_EQ(os::Duplicate(-1, &socket), Error::kBadDescriptor);
  os::CloseSocket(kInvalidSocket);
}

TEST(LinkLocalAddressGetsTheZoneOfAnInterface) {
  Address address;
  REQUIRE_EQ(ParseAddress("fe80::1", 80, &address), Error::kOk);
  CHECK(os::LacksScope(address));
  sockaddr_storage storage{};
  CHECK_EQ(os::ToRemoteSockaddr(address, &storage), sizeof(sockaddr_in6));
  Address named;
  CHECK_EQ(os::FromSockaddr(storage, &named), Error::kOk);
  CHECK(LinkLocalScopes().count(named.scope_id) == 1);
  address.scope_id = 12345;  // no interface: its number stands for it
  CHECK(!os::LacksScope(address));
  CHECK_EQ(FormatAddress(address), "fe80::1%12345");
  for (const char* const other : {"fec0::1", "::1", "2001:db8::1"}) {
    REQUIRE_EQ(ParseAddress(other, 80, &address), Error::kOk);
    CHECK(!os::LacksScope(address));
  }
}

TEST(SocketsAreNotSharedByWords) {
  std::vector<std::uint8_t> token;
  CHECK_EQ(ShareNative(0, 1, &token), Error::kNotSupported);
  std::intptr_t native = -1;
  CHECK_EQ(TakeShared({1, 2, 3}, &native), Error::kNotSupported);
  CHECK_EQ(native, -1);
}

TEST(ThreadsArePinnedToCoresThatExist) {
  CHECK_EQ(os::PinThisThread(-1), Error::kInvalidArgument);
  CHECK_EQ(os::PinThisThread(CPU_SETSIZE), Error::kInvalidArgument);
  CHECK_EQ(os::PinThisThread(CPU_SETSIZE - 1), Error::kInvalidArgument);
  CHECK_AT_MOST(1, os::UsableCores());
}

THREAD_TEST(ThreadOfAPortIsPinnedWhereAsked) {
  const int core = FirstUsableCore();
  if (os::UsableCores() == 1) return Skip("there is one core");
  const int before = ThreadsOnlyOn(core);
  PairOptions options;
  options.client.core = core;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, "hello");
  CHECK(pair.WaitSends(1));
  CHECK_EQ(ThreadsOnlyOn(core), before + 1);
}

PORT_TEST(SeveralListenOnOnePortWhereAsked) {
  Client client(setup);
  REQUIRE(client.started());
  ListenOptions options;
  options.address = Loopback(Family::kIpv4, 0);
  options.reuse_port = true;
  Accepting* first = client.Listen(options);
  REQUIRE(first != nullptr);
  options.address = first->address;
  CHECK(client.Listen(options) != nullptr);
  options.reuse_port = false;
  Error error = Error::kOk;
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kAddressInUse);
  options.ipv6_only = true;
  CHECK(client.Listen(options, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kInvalidArgument);
}

// Ids of nothing, in each call of the control plane.
PORT_TEST(ControlCallsOnNothing) {
  Client client(setup);
  REQUIRE(client.started());
  Port* port = client.port();
  Address address;
  std::intptr_t native = -1;
  int value = 0;
  CHECK_EQ(port->ListenerAddress(1, &address), Error::kBadDescriptor);
  CHECK_EQ(port->LocalAddress(1, &address), Error::kBadDescriptor);
  CHECK_EQ(port->PeerAddress(1, &address), Error::kBadDescriptor);
  CHECK_EQ(port->SetListenerAccess(1, true, true), Error::kBadDescriptor);
  CHECK_EQ(port->UnlinkListener(1), Error::kBadDescriptor);
  CHECK_EQ(port->SetNoDelay(1, true), Error::kBadDescriptor);
  CHECK_EQ(port->SetKeepAlive(1, {}), Error::kBadDescriptor);
  CHECK_EQ(port->SetTypeOfService(1, 8), Error::kBadDescriptor);
  CHECK_EQ(port->TypeOfService(1, &value), Error::kBadDescriptor);
  CHECK_EQ(port->Duplicate(1, &native), Error::kBadDescriptor);
  CHECK_EQ(port->DuplicateListener(1, &native), Error::kBadDescriptor);
  CHECK_EQ(port->NativeHandle(1), -1);
  CHECK_EQ(port->NativeListenerHandle(1), -1);
  CHECK(!port->HasUnread(1));
  for (const std::uint32_t flags : {0u, std::uint32_t{kAcceptShared}}) {
    client.Submit(0, Opcode::kAccept, 1, 4, 0, 0, flags);
  }
  client.Submit(0, Opcode::kCloseListener, 1);
  client.Pass(kQuietMs);
  CHECK_EQ(client.strays.size(), 0);
}

PORT_TEST(AdoptsNoDatagramSocketAndNoMoreThanItHolds) {
  ClientOptions options;
  options.socket_capacity = 1;
  Client client(setup, options);
  REQUIRE(client.started());
  const int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
  Error error = Error::kOk;
  CHECK(client.AdoptNative(datagrams, 0, &error) == nullptr);
  CHECK_EQ(error, Error::kInvalidArgument);
  close(datagrams);
  const SocketPair pair;
  const SocketPair another;
  const int first = dup(pair.ends[0]);
  REQUIRE(client.AdoptNative(first, 0, &error) != nullptr);
  CHECK(client.AdoptNative(another.ends[0], 0, &error) == nullptr);
  CHECK_EQ(error, Error::kTooManyFiles);
}

PORT_TEST(AccessToALocalListenerIsWhatWasAsked) {
  Client client(setup);
  REQUIRE(client.started());
  const Address path = UniquePath();
  Accepting* listener = ListenAt(client, path, 4);
  REQUIRE(listener != nullptr);
  using std::filesystem::perms;
  const auto others = [&] {
    return std::filesystem::status(path.path).permissions() & perms::others_all;
  };
  CHECK_EQ(client.port()->SetListenerAccess(listener->id, true, false), Error::kOk);
  CHECK((others() & perms::others_read) != perms::none);
  CHECK_EQ(client.port()->SetListenerAccess(listener->id, false, true), Error::kOk);
  CHECK((others() & perms::others_write) != perms::none);
  std::filesystem::remove(path.path);
  CHECK(client.port()->SetListenerAccess(listener->id, true, true) != Error::kOk);
}

SUBMITTER_TEST(DriveReturnsWhenTheWatchedDescriptorIsReadable) {
  Client client(setup);
  REQUIRE(client.started());
  const SocketPair pair;
  REQUIRE_EQ(client.port()->WatchDescriptor(pair.ends[0]), Error::kOk);
  client.port()->Drive(1);
  client.port()->Drive(1);
  CHECK(client.port()->WatchIsQuiet());
  REQUIRE_EQ(write(pair.ends[1], "x", 1), 1);
  const std::uint64_t start_ms = NowMs();
  client.port()->Drive(3000);
  CHECK_AT_MOST(NowMs() - start_ms, 1500);
  CHECK(!client.port()->WatchIsQuiet());
}

// The other way to ask for a wake-up: by a call, as where JavaScript does not see the flag.
THREAD_TEST(ConsumerSleepsOnlyWhenItHasReadAll) {
  Pair pair(setup);
  REQUIRE(pair.ready());
  CHECK(pair.client.port()->ConsumerSleeps());
  CHECK_EQ(pair.peer.SendAll("hello"), PeerStatus::kOk);
  REQUIRE(pair.client.header().At(kConsumerAsleep).load() <= 1);
  for (int i = 0; i < 2000 && !pair.client.port()->HasCompletions(); ++i) SleepMs(1);
  CHECK(!pair.client.port()->ConsumerSleeps());
  CHECK(pair.WaitReceived(5));
}

// The error is told once by the system. With epoll the receive is the one to hear of it, as with
// libuv; an io_uring gives it to whichever of its requests comes first.
PORT_TEST(ResetWhileASendWaitsIsTold) {
  PairOptions options;
  options.peer_receive_buffer = 4096;
  Pair pair(setup, options);
  REQUIRE(pair.ready());
  pair.client.Send(pair.sock, Filled(kMoreThanFits, 3));
  pair.client.Flush();
  pair.client.Pass(kQuietMs);
  CHECK(pair.sock->send_results.empty());
  pair.peer.Reset();
  CHECK(pair.WaitEnded());
  CHECK(pair.WaitSends(1));
  const bool receive_heard = pair.sock->ended == Error::kConnectionReset;
  if (setup.backend == BackendKind::kEpoll) CHECK(receive_heard);
  CHECK(receive_heard || Last(pair.sock->send_results) == Error::kConnectionReset);
}

TEST(KeepAliveTakesWhatIsAsked) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto option = [&](int name) {
    int value = 0;
    socklen_t length = sizeof value;
    CHECK_EQ(getsockopt(socket, IPPROTO_TCP, name, &value, &length), 0);
    return value;
  };
  CHECK_EQ(os::SetKeepAlive(socket, {true, 60, 7, 5}), Error::kOk);
  CHECK_EQ(option(TCP_KEEPIDLE), 60);
  CHECK_EQ(option(TCP_KEEPINTVL), 7);
  CHECK_EQ(option(TCP_KEEPCNT), 5);
  CHECK_EQ(os::SetKeepAlive(socket, {true, 30, 0, 0}), Error::kOk);
  CHECK_EQ(option(TCP_KEEPIDLE), 30);
  CHECK_EQ(option(TCP_KEEPINTVL), 1);
  CHECK_EQ(option(TCP_KEEPCNT), 10);
  CHECK_EQ(os::SetKeepAlive(-1, {true, 30, 0, 0}), Error::kBadDescriptor);
  close(socket);
}

// Where the watch cannot be had, the call says so, and the port works on.
SUBMITTER_TEST(WatchingWhatCannotBeWatchedIsAnError) {
  if (setup.backend != BackendKind::kEpoll) return Skip("watches by requests, not by calls");
  Pair pair(setup);
  REQUIRE(pair.ready());
  CHECK(pair.client.port()->WatchDescriptor(-1) != Error::kOk);
  pair.client.Send(pair.sock, "still here");
  CHECK(pair.WaitSends(1));
}

TEST(BackendsOfOtherSystemsHaveNames) {
  CHECK_EQ(std::string(BackendName(BackendKind::kIocp)), "iocp");
  CHECK(ProbeBackend(BackendKind::kIocp) != Error::kOk);
}

}  // namespace completion_port::test
