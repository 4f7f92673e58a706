#include "peer.h"

#ifdef _WIN32
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <winsock2.h>
// After winsock2.h, never before it:
#include <windows.h>
#include <ws2tcpip.h>
#else
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#endif

#include <algorithm>
#include <cstring>
#include <utility>

#include "testing.h"

namespace completion_port::test {
namespace {

#ifdef _WIN32
using Handle = SOCKET;
constexpr int kSendFlags = 0;
int LastError() { return WSAGetLastError(); }
void CloseHandleOf(Handle handle) { closesocket(handle); }
bool Wait(Handle handle, bool for_reading, int timeout_ms) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(handle, &set);
  timeval time{timeout_ms / 1000, (timeout_ms % 1000) * 1000};
  return select(0, for_reading ? &set : nullptr, for_reading ? nullptr : &set, nullptr, &time) > 0;
}
void SetBlocking(Handle handle, bool blocking) {
  u_long value = blocking ? 0 : 1;
  ioctlsocket(handle, FIONBIO, &value);
}
PeerStatus StatusOf(int error) {
  if (error == WSAECONNRESET || error == WSAECONNABORTED) return PeerStatus::kReset;
  if (error == WSAECONNREFUSED) return PeerStatus::kRefused;
  if (error == WSAEWOULDBLOCK) return PeerStatus::kTimedOut;
  return PeerStatus::kOther;
}
#else
using Handle = int;
constexpr int kSendFlags = MSG_NOSIGNAL;
int LastError() { return errno; }
void CloseHandleOf(Handle handle) { close(handle); }
bool Wait(Handle handle, bool for_reading, int timeout_ms) {
  pollfd one{handle, static_cast<short>(for_reading ? POLLIN : POLLOUT), 0};
  return poll(&one, 1, timeout_ms) > 0;
}
void SetBlocking(Handle handle, bool blocking) {
  const int flags = fcntl(handle, F_GETFL);
  fcntl(handle, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}
PeerStatus StatusOf(int error) {
  if (error == ECONNRESET || error == EPIPE) return PeerStatus::kReset;
  if (error == ECONNREFUSED) return PeerStatus::kRefused;
  if (error == EAGAIN) return PeerStatus::kTimedOut;
  return PeerStatus::kOther;
}
#endif

Handle ToHandle(std::intptr_t socket) { return static_cast<Handle>(socket); }

socklen_t Fill(const Address& address, sockaddr_storage* storage) {
  std::memset(storage, 0, sizeof(*storage));
  if (address.family == Family::kIpv6) {
    auto* six = reinterpret_cast<sockaddr_in6*>(storage);
    six->sin6_family = AF_INET6;
    six->sin6_port = htons(address.port);
    std::memcpy(&six->sin6_addr, address.bytes, 16);
    return sizeof(*six);
  }
  auto* four = reinterpret_cast<sockaddr_in*>(storage);
  four->sin_family = AF_INET;
  four->sin_port = htons(address.port);
  std::memcpy(&four->sin_addr, address.bytes, 4);
  return sizeof(*four);
}

std::uint16_t PortOf(Handle handle) {
  sockaddr_storage storage;
  socklen_t length = sizeof(storage);
  if (getsockname(handle, reinterpret_cast<sockaddr*>(&storage), &length) != 0) return 0;
  return storage.ss_family == AF_INET6 ? ntohs(reinterpret_cast<sockaddr_in6*>(&storage)->sin6_port)
                                       : ntohs(reinterpret_cast<sockaddr_in*>(&storage)->sin_port);
}

void SetInt(Handle handle, int level, int option, int value) {
  setsockopt(handle, level, option, reinterpret_cast<const char*>(&value), sizeof(value));
}

Handle Open(Family family) {
  const Handle handle = socket(family == Family::kIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
  if (family == Family::kIpv6) SetInt(handle, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  return handle;
}

int Left(std::uint64_t deadline_ms) {
  const std::uint64_t now_ms = NowMs();
  return now_ms >= deadline_ms ? 0 : static_cast<int>(deadline_ms - now_ms);
}

// Meanwhile this thread takes its turns, if it owes any.
bool WaitAndTakeTurns(Handle handle, bool for_reading, int timeout_ms) {
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(timeout_ms);
  while (WaitingTurnsCount() != 0 && Left(deadline_ms) != 0) {
    TakeWaitingTurns();
    if (Wait(handle, for_reading, 1)) return true;
  }
  return Wait(handle, for_reading, Left(deadline_ms));
}

}  // namespace

void StartPeers() {
#ifdef _WIN32
  WSADATA data;
  WSAStartup(MAKEWORD(2, 2), &data);
#endif
}

int OpenHandles() {
#ifdef _WIN32
  DWORD count = 0;
  return GetProcessHandleCount(GetCurrentProcess(), &count) ? static_cast<int>(count) : -1;
#else
  // Descriptors are given out from the lowest: the first few thousand are all there are.
  int count = 0;
  for (int fd = 0; fd < 4096; ++fd) {
    if (fcntl(fd, F_GETFD) != -1) ++count;
  }
  return count;
#endif
}

bool HasIpv6() { return PeerListener(Family::kIpv6).IsOpen(); }

Address Loopback(Family family, std::uint16_t port) {
  Address address;
  address.family = family;
  address.port = port;
  if (family == Family::kIpv6) {
    address.bytes[15] = 1;
  } else {
    address.bytes[0] = 127;
    address.bytes[3] = 1;
  }
  return address;
}

std::string Show(PeerStatus status) {
  static const char* const kNames[] = {"kOk", "kEnd", "kReset", "kTimedOut", "kRefused", "kOther"};
  return kNames[static_cast<int>(status)];
}

// --- Peer

Peer& Peer::operator=(Peer&& other) noexcept {
  if (this != &other) {
    Close();
    socket_ = other.Detach();
  }
  return *this;
}

std::intptr_t Peer::Detach() {
  const std::intptr_t socket = socket_;
  socket_ = -1;
  return socket;
}

Peer Peer::Connect(const Address& remote, int receive_buffer) {
  const Handle handle = Open(remote.family);
  if (receive_buffer > 0) SetInt(handle, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  sockaddr_storage storage;
  const socklen_t length = Fill(remote, &storage);
  if (connect(handle, reinterpret_cast<sockaddr*>(&storage), length) != 0) {
    CloseHandleOf(handle);
    return Peer();
  }
  SetInt(handle, IPPROTO_TCP, TCP_NODELAY, 1);
  return Peer(static_cast<std::intptr_t>(handle));
}

std::uint16_t Peer::LocalPort() const { return PortOf(ToHandle(socket_)); }
bool Peer::WaitReadable(int timeout_ms) const {
  return WaitAndTakeTurns(ToHandle(socket_), true, timeout_ms);
}
bool Peer::WaitWritable(int timeout_ms) const {
  return WaitAndTakeTurns(ToHandle(socket_), false, timeout_ms);
}

std::size_t Peer::SendSome(const void* data, std::size_t length) {
  const Handle handle = ToHandle(socket_);
  SetBlocking(handle, false);
  const auto sent = send(handle, static_cast<const char*>(data),
                         static_cast<int>(std::min<std::size_t>(length, 1 << 20)), kSendFlags);
  const int error = LastError();
  SetBlocking(handle, true);
  if (sent < 0 && StatusOf(error) != PeerStatus::kTimedOut) return 0;
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

PeerStatus Peer::SendAll(const void* data, std::size_t length, int timeout_ms) {
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(timeout_ms));
  const Handle handle = ToHandle(socket_);
  const char* next = static_cast<const char*>(data);
  PeerStatus status = PeerStatus::kOk;
  SetBlocking(handle, false);
  while (length > 0 && status == PeerStatus::kOk) {
    const auto sent =
        send(handle, next, static_cast<int>(std::min<std::size_t>(length, 1 << 20)), kSendFlags);
    if (sent > 0) {
      next += sent;
      length -= static_cast<std::size_t>(sent);
      continue;
    }
    status = StatusOf(LastError());
    if (status != PeerStatus::kTimedOut) break;
    if (WaitWritable(Left(deadline_ms))) status = PeerStatus::kOk;
  }
  SetBlocking(handle, true);
  return status;
}

PeerStatus Peer::ReceiveSome(std::vector<std::uint8_t>* data, std::size_t limit, int timeout_ms) {
  if (!WaitReadable(timeout_ms)) return PeerStatus::kTimedOut;
  const std::size_t before = data->size();
  data->resize(before + limit);
  const auto got = recv(ToHandle(socket_), reinterpret_cast<char*>(data->data() + before),
                        static_cast<int>(limit), 0);
  const int error = LastError();
  data->resize(before + (got > 0 ? static_cast<std::size_t>(got) : 0));
  if (got > 0) return PeerStatus::kOk;
  return got == 0 ? PeerStatus::kEnd : StatusOf(error);
}

PeerStatus Peer::ReceiveExactly(std::vector<std::uint8_t>* data, std::size_t length,
                                int timeout_ms) {
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(timeout_ms));
  const std::size_t wanted = data->size() + length;
  data->reserve(wanted);
  PeerStatus status = PeerStatus::kOk;
  while (status == PeerStatus::kOk && data->size() < wanted) {
    const std::size_t limit = std::min<std::size_t>(wanted - data->size(), 256 * 1024);
    status = ReceiveSome(data, limit, Left(deadline_ms));
  }
  return status;
}

PeerStatus Peer::ReceiveToEnd(std::vector<std::uint8_t>* data, int timeout_ms) {
  const std::uint64_t deadline_ms = NowMs() + static_cast<std::uint64_t>(Patience(timeout_ms));
  PeerStatus status = PeerStatus::kOk;
  while (status == PeerStatus::kOk) status = ReceiveSome(data, 256 * 1024, Left(deadline_ms));
  return status;
}

std::string Peer::ReceiveText(std::size_t length, int timeout_ms) {
  std::vector<std::uint8_t> data;
  ReceiveExactly(&data, length, timeout_ms);
  return std::string(data.begin(), data.end());
}

void Peer::ShutdownSend() {
  shutdown(ToHandle(socket_), 1);  // SHUT_WR and SD_SEND
}

void Peer::Reset() {
  linger now{};
  now.l_onoff = 1;
  setsockopt(ToHandle(socket_), SOL_SOCKET, SO_LINGER, reinterpret_cast<const char*>(&now),
             sizeof(now));
  Close();
}

void Peer::Close() {
  if (socket_ != -1) CloseHandleOf(ToHandle(Detach()));
}

// --- PeerListener

PeerListener::PeerListener(Family family, int backlog, int receive_buffer) {
  const Handle handle = Open(family);
  socket_ = static_cast<std::intptr_t>(handle);
  if (receive_buffer > 0) SetInt(handle, SOL_SOCKET, SO_RCVBUF, receive_buffer);
  sockaddr_storage storage;
  const socklen_t length = Fill(Loopback(family, 0), &storage);
  if (bind(handle, reinterpret_cast<sockaddr*>(&storage), length) != 0 ||
      listen(handle, backlog) != 0) {
    CloseHandleOf(handle);
    socket_ = -1;
    return;
  }
  address_ = Loopback(family, PortOf(handle));
}

std::intptr_t PeerListener::Detach() { return std::exchange(socket_, -1); }

PeerListener::~PeerListener() {
  if (socket_ != -1) CloseHandleOf(ToHandle(socket_));
}

Peer PeerListener::Accept(int timeout_ms) {
  if (!WaitAndTakeTurns(ToHandle(socket_), true, Patience(timeout_ms))) return Peer();
  const Handle handle = accept(ToHandle(socket_), nullptr, nullptr);
  SetInt(handle, IPPROTO_TCP, TCP_NODELAY, 1);
  return Peer(static_cast<std::intptr_t>(handle));
}

std::uint16_t UnusedPort(Family family) {
  const PeerListener listener(family);
  return listener.address().port;
}

}  // namespace completion_port::test
