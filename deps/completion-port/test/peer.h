// The other end of a connection, as plain as can be: blocking sockets with time limits, straight
// calls to the system, its own reading of the system's errors. Shares no code with the library.
#ifndef COMPLETION_PORT_TEST_PEER_H_
#define COMPLETION_PORT_TEST_PEER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "completion_port/address.h"

namespace completion_port::test {

void StartPeers();  // once per process
int OpenHandles();  // of this process: descriptors, or what Windows counts; -1: not known
bool HasIpv6();

Address Loopback(Family family, std::uint16_t port);
inline Address Loopback(std::uint16_t port) { return Loopback(Family::kIpv4, port); }

enum class PeerStatus { kOk, kEnd, kReset, kTimedOut, kRefused, kOther };
std::string Show(PeerStatus status);

class Peer {
 public:
  Peer() = default;
  explicit Peer(std::intptr_t socket) : socket_(socket) {}
  Peer(Peer&& other) noexcept : socket_(other.Detach()) {}
  Peer& operator=(Peer&& other) noexcept;
  ~Peer() { Close(); }

  // receive_buffer > 0 makes the window small, so that a sender soon has to wait.
  static Peer Connect(const Address& remote, int receive_buffer = 0);

  bool IsOpen() const { return socket_ != -1; }
  std::uint16_t LocalPort() const;

  PeerStatus SendAll(const void* data, std::size_t length, int timeout_ms = 10000);
  PeerStatus SendAll(const std::string& data) { return SendAll(data.data(), data.size()); }
  // Sends what goes without waiting; returns how much.
  std::size_t SendSome(const void* data, std::size_t length);

  // One read of at most `limit` bytes, appended to *data.
  PeerStatus ReceiveSome(std::vector<std::uint8_t>* data, std::size_t limit, int timeout_ms);
  // Reads exactly `length` bytes more.
  PeerStatus ReceiveExactly(std::vector<std::uint8_t>* data, std::size_t length,
                            int timeout_ms = 10000);
  // Reads to the end (kEnd) or the first error.
  PeerStatus ReceiveToEnd(std::vector<std::uint8_t>* data, int timeout_ms = 10000);
  std::string ReceiveText(std::size_t length, int timeout_ms = 5000);

  void ShutdownSend();
  void Reset();  // closes with RST
  void Close();
  std::intptr_t Detach();  // the native handle, the caller's to close

 private:
  bool WaitReadable(int timeout_ms) const;
  bool WaitWritable(int timeout_ms) const;
  std::intptr_t socket_ = -1;
};

class PeerListener {
 public:
  explicit PeerListener(Family family, int backlog = 128, int receive_buffer = 0);
  PeerListener(const PeerListener&) = delete;
  PeerListener& operator=(const PeerListener&) = delete;
  ~PeerListener();

  bool IsOpen() const { return socket_ != -1; }
  const Address& address() const { return address_; }
  Peer Accept(int timeout_ms = 5000);
  std::intptr_t Detach();  // the native handle, the caller's to close

 private:
  std::intptr_t socket_ = -1;
  Address address_;
};

// A port on which nobody listens: bound once, then given back.
std::uint16_t UnusedPort(Family family);

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_PEER_H_
