// What the tests of local sockets begin with: a path, and a client connected to itself by it.
#ifndef COMPLETION_PORT_TEST_LOCAL_PAIR_H_
#define COMPLETION_PORT_TEST_LOCAL_PAIR_H_

#ifdef _WIN32
#include <process.h>
#else
#include <unistd.h>
#endif

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "client.h"
#include "pair.h"

namespace completion_port::test {

inline unsigned ProcessId() {
#ifdef _WIN32
  return static_cast<unsigned>(_getpid());
#else
  return static_cast<unsigned>(getpid());
#endif
}

// A name that no other test uses.
inline Address UniquePath() {
  static int made = 0;
  const std::string name =
      "completion-port-" + std::to_string(ProcessId()) + "-" + std::to_string(++made);
#ifdef _WIN32
  const std::string path = "\\\\.\\pipe\\" + name;
#else
  const std::string path = (std::filesystem::temp_directory_path() / name).string();
#endif
  Address address;
  CHECK_EQ(ParsePath(path, &address), Error::kOk);
  return address;
}

inline Accepting* ListenAt(Client& client, const Address& address, std::uint32_t credit,
                           std::uint32_t port = 0) {
  ListenOptions options;
  options.address = address;
  Error error = Error::kOk;
  Accepting* listener = client.Listen(options, port, &error);
  CHECK_EQ(error, Error::kOk);
  if (listener == nullptr) return nullptr;
  CHECK_EQ(listener->address.path, address.path);
  client.Accept(listener, credit);
  client.Flush();
  return listener;
}

// Both ends of one connection, on the ports of one client.
struct LocalPair {
  explicit LocalPair(const Setup& setup, std::uint32_t ports = 1, std::uint32_t credit = 4)
      : client(setup, Options(ports)) {
    if (!client.started()) return;
    listener = ListenAt(client, UniquePath(), credit);
    if (listener == nullptr) return;
    here = client.ConnectTo(listener->address, ports - 1);
    there = client.WaitAccepted(listener);
    if (here == nullptr || there == nullptr) return;
    here->refill = there->refill = 1;
    client.Grant(here, credit);
  }
  static ClientOptions Options(std::uint32_t ports) {
    ClientOptions options;
    options.ports = ports;
    return options;
  }
  bool ready() const { return here != nullptr && there != nullptr; }
  bool Wait(const std::function<bool()>& done, int ms = 5000) { return client.WaitUntil(done, ms); }

  Client client;
  Accepting* listener = nullptr;
  Sock* here = nullptr;  // the end that connected
  Sock* there = nullptr;
};

inline std::vector<std::vector<std::uint8_t>> Filled(std::size_t length, std::uint8_t byte) {
  return {std::vector<std::uint8_t>(length, byte)};
}

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_LOCAL_PAIR_H_
