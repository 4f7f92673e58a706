// A client with datagram sockets, for tests.
#ifndef COMPLETION_PORT_TEST_DATAGRAMS_H_
#define COMPLETION_PORT_TEST_DATAGRAMS_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "client.h"
#include "testing.h"

namespace completion_port::test {

inline Address Loopback(Family family = Family::kIpv4, std::uint16_t port = 0) {
  Address address;
  CHECK_EQ(ParseAddress(family == Family::kIpv6 ? "::1" : "127.0.0.1", port, &address), Error::kOk);
  return address;
}

// A client with datagram sockets and the memory that they share.
struct Datagrams {
  explicit Datagrams(const Setup& setup)
      : client(setup),
        records(kDatagramBatch),
        payloads(std::size_t{kDatagramBatch} * kDatagramRoom) {}

  DatagramId Open(Family family = Family::kIpv4, Address* address = nullptr) {
    DatagramOptions options;
    options.local = Loopback(family);
    DatagramId id = 0;
    CHECK_EQ(client.port()->PrepareDatagrams(options, &id), Error::kOk);
    if (address != nullptr) CHECK_EQ(client.port()->DatagramAddress(id, address), Error::kOk);
    return id;
  }

  void Await(DatagramId id, std::uint32_t flags = 0, Opcode opcode = Opcode::kAwaitReadable) {
    client.Submit(0, opcode, id, 0, 0, 0, flags);
    client.Flush();
  }

  // How often this was told of the socket.
  std::size_t Told(Opcode opcode, DatagramId id) const {
    std::size_t times = 0;
    for (const Client::Stray& event : client.datagram_events) {
      if (event.opcode == opcode && event.id == id) ++times;
    }
    return times;
  }

  bool WaitTold(Opcode opcode, DatagramId id, std::size_t times = 1) {
    return client.WaitUntil([&] { return Told(opcode, id) >= times; });
  }

  void Close(DatagramId id) {
    const std::size_t before = Told(Opcode::kCloseDatagrams, id);
    client.Submit(0, Opcode::kCloseDatagrams, id);
    client.Flush();
    CHECK(WaitTold(Opcode::kCloseDatagrams, id, before + 1));
  }

  // To `to`, or to the connected peer where that is of no family.
  std::vector<Error> Send(DatagramId id, const Address& to, const std::vector<std::string>& texts) {
    std::vector<DatagramRecord> sending(texts.size());
    std::string bytes;
    for (std::size_t i = 0; i < texts.size(); ++i) {
      DatagramRecord& record = sending[i];
      record = {};
      record.id = id;
      record.offset = static_cast<std::uint32_t>(bytes.size());
      record.length = static_cast<std::uint32_t>(texts[i].size());
      record.family = static_cast<std::uint32_t>(to.family);
      record.port = to.port;
      std::memcpy(record.address, to.bytes, sizeof to.bytes);
      bytes += texts[i];
    }
    client.port()->SendDatagrams(sending.data(), static_cast<std::uint32_t>(sending.size()),
                                 reinterpret_cast<const std::uint8_t*>(bytes.data()));
    std::vector<Error> results;
    for (const DatagramRecord& record : sending) {
      results.push_back(record.result >= 0 ? Error::kOk : static_cast<Error>(-record.result));
    }
    return results;
  }

  std::int32_t Receive(DatagramId id) {
    return client.port()->ReceiveDatagrams(id, records.data(), kDatagramBatch, payloads.data());
  }

  std::string Text(std::size_t index) const {
    const auto* begin = reinterpret_cast<const char*>(payloads.data()) + index * kDatagramRoom;
    return std::string(begin, static_cast<std::size_t>(records[index].result));
  }

  Client client;
  std::vector<DatagramRecord> records;
  std::vector<std::uint8_t> payloads;
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_DATAGRAMS_H_
