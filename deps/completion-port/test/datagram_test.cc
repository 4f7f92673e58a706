// Datagram sockets: what is awaited, received and sent, and what closing leaves.
#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "datagrams.h"
#include "pair.h"
#include "testing.h"

namespace completion_port::test {
namespace {

const std::int32_t kNothing = ToResult(Error::kTryAgain);
// Until the system has what a peer has sent. No port takes a turn meanwhile.
constexpr std::chrono::milliseconds kArrival{20};

}  // namespace

PORT_TEST(DatagramsArriveWithTheirSender) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    Datagrams datagrams(setup);
    REQUIRE(datagrams.client.started());
    Address to, from;
    const DatagramId receiver = datagrams.Open(family, &to);
    const DatagramId sender = datagrams.Open(family, &from);
    datagrams.Await(receiver);
    CHECK_EQ(datagrams.Receive(receiver), kNothing);
    CHECK_EQ(At(datagrams.Send(sender, to, {"hello"}), 0), Error::kOk);
    REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, receiver));
    REQUIRE(datagrams.Receive(receiver) == 1);
    CHECK_EQ(datagrams.Text(0), std::string("hello"));
    CHECK_EQ(datagrams.records[0].port, std::uint32_t{from.port});
    CHECK_EQ(std::memcmp(datagrams.records[0].address, from.bytes, sizeof from.bytes), 0);
    CHECK_EQ(datagrams.Receive(receiver), kNothing);
    datagrams.Close(receiver);
    datagrams.Close(sender);
  }
}

PORT_TEST(DatagramsThatCameBeforeTheyWereAwaitedAreTold) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address to;
  const DatagramId socket = datagrams.Open(Family::kIpv4, &to);
  datagrams.Send(socket, to, {"before the socket has joined the port"});
  datagrams.Await(socket);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket));
  CHECK_EQ(datagrams.Receive(socket), 1);
  datagrams.Send(socket, to, {"while nobody waits"});
  datagrams.client.Pass(kQuietMs);
  CHECK_EQ(datagrams.Told(Opcode::kAwaitReadable, socket), std::size_t{1});
  datagrams.Await(socket);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket, 2));
  CHECK_EQ(datagrams.Receive(socket), 1);
  datagrams.Close(socket);
}

PORT_TEST(DatagramsBeyondABatchAreTold) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address to;
  const DatagramId socket = datagrams.Open(Family::kIpv4, &to);
  datagrams.Await(socket);
  const std::vector<std::string> many(kDatagramBatch + 3, "x");
  for (const Error error : datagrams.Send(socket, to, many)) CHECK_EQ(error, Error::kOk);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket));
  CHECK_EQ(datagrams.Receive(socket), static_cast<std::int32_t>(kDatagramBatch));
  datagrams.Await(socket, kMayBeReadable);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket, 2));
  CHECK_EQ(datagrams.Receive(socket), 3);
  datagrams.Close(socket);
}

// A socket that has something in every turn, and a connection that is told of in the turn behind
// which its bytes have come.
PORT_TEST(AFloodOfDatagramsKeepsNoConnectionFromBeingLookedAt) {
  if (!setup.SubmitterDrives() || setup.helper) return;
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  const DatagramId socket = datagrams.Open();
  Accepting* listener = datagrams.client.ListenAndAccept(4);
  REQUIRE(listener != nullptr);
  Peer peer = Peer::Connect(listener->address);
  Sock* sock = datagrams.client.WaitAccepted(listener);
  REQUIRE(sock != nullptr && peer.IsOpen());
  sock->refill = 1;
  for (std::size_t turn = 1; turn <= 4; ++turn) {
    datagrams.Await(socket, kMayBeReadable);
    REQUIRE_EQ(peer.SendAll("x"), PeerStatus::kOk);
    std::this_thread::sleep_for(kArrival);
    datagrams.client.port()->Drive(0);
    datagrams.client.Drain();
    CHECK_EQ(sock->received, turn);
    CHECK_EQ(datagrams.Told(Opcode::kAwaitReadable, socket), turn);
  }
  datagrams.Close(socket);
}

PORT_TEST(DatagramsOfSeveralSocketsLeaveTogether) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address to, first_address;
  const DatagramId receiver = datagrams.Open(Family::kIpv4, &to);
  const DatagramId first = datagrams.Open(Family::kIpv4, &first_address);
  const DatagramId second = datagrams.Open();
  datagrams.Close(second);
  const DatagramId ids[] = {first, second, first};
  DatagramRecord sending[3] = {};
  for (std::size_t i = 0; i < 3; ++i) {
    sending[i].id = ids[i];
    sending[i].length = 1;
    sending[i].offset = static_cast<std::uint32_t>(i);
    sending[i].family = static_cast<std::uint32_t>(to.family);
    sending[i].port = to.port;
    std::memcpy(sending[i].address, to.bytes, sizeof to.bytes);
  }
  datagrams.client.port()->SendDatagrams(sending, 3, reinterpret_cast<const std::uint8_t*>("abc"));
  CHECK_EQ(sending[0].result, 1);
  CHECK_EQ(sending[1].result, ToResult(Error::kBadDescriptor));
  CHECK_EQ(sending[2].result, 1);
  datagrams.Await(receiver);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, receiver));
  CHECK_EQ(datagrams.Receive(receiver), 2);
  CHECK_EQ(datagrams.Text(1), std::string("c"));
  datagrams.Close(receiver);
  datagrams.Close(first);
}

PORT_TEST(DatagramsThatAreRefusedKeepNobodyElse) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address to;
  const DatagramId socket = datagrams.Open(Family::kIpv4, &to);
  const std::vector<Error> results =
      datagrams.Send(socket, to, {"a", std::string(65508, 'x'), "", std::string(65507, 'y')});
  CHECK_EQ(At(results, 0), Error::kOk);
  CHECK_EQ(At(results, 1), Error::kMessageTooLong);
  CHECK_EQ(At(results, 2), Error::kOk);
  CHECK_EQ(At(results, 3), Error::kOk);
  CHECK_EQ(datagrams.client.Count(Counter::kDatagramsSent), std::uint64_t{3});
  datagrams.Await(socket);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket));
  REQUIRE(datagrams.Receive(socket) == 3);
  CHECK_EQ(datagrams.Text(1).size(), std::size_t{0});
  CHECK_EQ(datagrams.Text(2), std::string(65507, 'y'));
  datagrams.Close(socket);
}

PORT_TEST(DatagramsOfAClosedSocketAreToldNoMore) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address address;
  const DatagramId socket = datagrams.Open(Family::kIpv4, &address);
  datagrams.Await(socket);
  datagrams.Close(socket);
  CHECK_EQ(datagrams.Told(Opcode::kAwaitReadable, socket), std::size_t{0});
  CHECK_EQ(datagrams.Receive(socket), ToResult(Error::kBadDescriptor));
  CHECK_EQ(datagrams.client.port()->NativeDatagramHandle(socket), std::intptr_t{-1});
  datagrams.Await(socket);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket));
  CHECK_EQ(datagrams.client.datagram_events.back().result, Error::kBadDescriptor);
  // Its address is free.
  DatagramOptions options;
  options.local = address;
  DatagramId again = 0;
  CHECK_EQ(datagrams.client.port()->PrepareDatagrams(options, &again), Error::kOk);
  datagrams.Close(again);
}

PORT_TEST(DatagramSocketsThatAreConnected) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address first, second, peer;
  Port* const port = datagrams.client.port();
  const DatagramId one = datagrams.Open(Family::kIpv4, &first);
  const DatagramId other = datagrams.Open(Family::kIpv4, &second);
  CHECK_EQ(port->DatagramPeer(one, &peer), Error::kNotConnected);
  CHECK_EQ(port->ConnectDatagrams(one, second), Error::kOk);
  CHECK_EQ(port->DatagramPeer(one, &peer), Error::kOk);
  CHECK_EQ(peer.port, second.port);
  CHECK_EQ(At(datagrams.Send(one, Address(), {"to the peer"}), 0), Error::kOk);
  datagrams.Await(other);
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, other));
  CHECK_EQ(datagrams.Receive(other), 1);
  CHECK_EQ(port->ConnectDatagrams(one, Address()), Error::kOk);
  CHECK_EQ(port->DatagramPeer(one, &peer), Error::kNotConnected);
  datagrams.Close(one);
  datagrams.Close(other);
}

#ifndef _WIN32
PORT_TEST(DatagramsThatNobodyTakesAreAnErrorOfTheConnectedSocket) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Address gone;
  const DatagramId peer = datagrams.Open(Family::kIpv4, &gone);
  datagrams.Close(peer);
  const DatagramId socket = datagrams.Open();
  CHECK_EQ(datagrams.client.port()->ConnectDatagrams(socket, gone), Error::kOk);
  datagrams.Await(socket);
  datagrams.Send(socket, Address(), {"is anybody there?"});
  REQUIRE(datagrams.WaitTold(Opcode::kAwaitReadable, socket));
  CHECK_EQ(datagrams.Receive(socket), ToResult(Error::kConnectionRefused));
  CHECK_EQ(datagrams.Receive(socket), kNothing);
  datagrams.Close(socket);
}
#endif

PORT_TEST(DatagramsThatMayBeSentAreTold) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  const DatagramId socket = datagrams.Open();
  for (std::size_t times = 1; times <= 2; ++times) {
    datagrams.Await(socket, 0, Opcode::kAwaitWritable);
    REQUIRE(datagrams.WaitTold(Opcode::kAwaitWritable, socket, times));
  }
  const Error result = datagrams.client.datagram_events.back().result;
  CHECK(result == Error::kOk || result == Error::kOperationNotSupported);
  // Nobody who only waits to receive is woken by what can be sent.
  datagrams.Await(socket);
  datagrams.client.Pass(kQuietMs);
  CHECK_EQ(datagrams.Told(Opcode::kAwaitReadable, socket), std::size_t{0});
  datagrams.Close(socket);
}

PORT_TEST(DatagramOptions) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  Port* const port = datagrams.client.port();
  const DatagramId socket = datagrams.Open();
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kTtl, 0), Error::kInvalidArgument);
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kTtl, 255), Error::kOk);
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kMulticastTtl, 256),
           Error::kInvalidArgument);
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kMulticastTtl, 0), Error::kOk);
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kMulticastLoopback, 1), Error::kOk);
  CHECK_EQ(port->SetDatagramOption(socket, DatagramOption::kBroadcast, 1), Error::kOk);
  int bytes = 20000;
  CHECK_EQ(port->DatagramBufferSize(socket, DatagramBuffer::kReceive, &bytes), Error::kOk);
  bytes = 0;
  CHECK_EQ(port->DatagramBufferSize(socket, DatagramBuffer::kReceive, &bytes), Error::kOk);
  CHECK(bytes >= 20000);
  Membership membership;
  CHECK_EQ(port->JoinGroup(socket, membership, true), Error::kInvalidArgument);
  ParseAddress("239.1.2.3", 0, &membership.group);
  membership.through = Loopback(Family::kIpv6);
  CHECK_EQ(port->JoinGroup(socket, membership, true), Error::kInvalidArgument);
  membership.through = Loopback();
  CHECK_EQ(port->JoinGroup(socket, membership, true), Error::kOk);
  CHECK_EQ(port->JoinGroup(socket, membership, true), Error::kAddressInUse);
  CHECK_EQ(port->JoinGroup(socket, membership, false), Error::kOk);
  CHECK_EQ(port->SetMulticastInterface(socket, Loopback()), Error::kOk);
  datagrams.Close(socket);
}

PORT_TEST(DatagramSocketsAreGoneAfterStopping) {
  Datagrams datagrams(setup);
  REQUIRE(datagrams.client.started());
  const DatagramId awaited = datagrams.Open();
  datagrams.Open();
  datagrams.Await(awaited);
  datagrams.client.Pass(kQuietMs);
  datagrams.client.Stop();
  CHECK(!datagrams.client.port()->HoldsMemory());
}

}  // namespace completion_port::test
