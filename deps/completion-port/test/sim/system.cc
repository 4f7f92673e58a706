// os/ for the simulated system: what posix/ and linux/ are elsewhere. Each call goes to the kernel
// that is in use.
#include <algorithm>
#include <cstring>

#include "kernel.h"
#include "os/alarm.h"
#include "os/local_socket.h"
#include "os/socket.h"
#include "os/thread.h"
#include "sim_backend.h"

namespace completion_port {

namespace sim {
namespace {

Kernel& System() { return Kernel::Current(); }

// A call of a thread's, at which the others may go on first.
Kernel& SystemAfterAStop() {
  System().fibers().MayStop();
  return System();
}

Socket* At(NativeSocket handle) {
  Socket* socket = System().At(handle);
  if (socket == nullptr) System().Violate("a call on a descriptor that is not open");
  return socket;
}

Address LoopbackAddress(std::uint16_t port) {
  Address address;
  address.family = Family::kIpv4;
  address.bytes[0] = 127;
  address.bytes[3] = 1;
  address.port = port;
  return address;
}

}  // namespace
}  // namespace sim

namespace os {

Error StartSockets() { return Error::kOk; }
Error OpenStreamSocket(Family, NativeSocket* out) { return sim::System().Open(out); }
Error BindSocket(NativeSocket, const Address&) { return Error::kOk; }

Error BindListener(NativeSocket socket, const ListenOptions& options) {
  const std::uint16_t port = options.address.port;
  sim::At(socket)->port = port != 0 ? port : sim::System().FreePort();
  return Error::kOk;
}

Error Listen(NativeSocket handle, int backlog) {
  sim::Socket* socket = sim::At(handle);
  return sim::System().Listen(socket, socket->port, static_cast<std::size_t>(backlog));
}

Error PrepareAdoptedConnection(NativeSocket handle, Family* family) {
  *family = Family::kIpv4;
  return sim::At(handle)->peer == nullptr ? Error::kNotConnected : Error::kOk;
}

Error PrepareAdoptedListener(NativeSocket, Family* family) {
  *family = Family::kIpv4;
  return Error::kOk;
}

Error Duplicate(NativeSocket socket, NativeSocket* out) {
  return sim::System().NewHandle(sim::At(socket), out);
}

Error Share(NativeSocket, std::uint32_t, std::vector<std::uint8_t>*) {
  return Error::kNotSupported;
}
Error TakeShared(const std::vector<std::uint8_t>&, NativeSocket*) { return Error::kNotSupported; }

Error SetNoDelay(NativeSocket, bool) { return Error::kOk; }
Error SetKeepAlive(NativeSocket, const KeepAlive&) { return Error::kOk; }
Error SetTypeOfService(NativeSocket, Family, int) { return Error::kOk; }
Error TypeOfService(NativeSocket, Family, int* out) {
  *out = 0;
  return Error::kOk;
}

Error LocalAddress(NativeSocket socket, Address* out) {
  *out = sim::LoopbackAddress(sim::At(socket)->port);
  return Error::kOk;
}

Error PeerAddress(NativeSocket socket, Address* out) {
  const sim::Socket* peer = sim::At(socket)->peer;
  if (peer == nullptr) return Error::kNotConnected;
  *out = sim::LoopbackAddress(peer->port);
  return Error::kOk;
}

std::int32_t SendNow(NativeSocket socket, const std::uint8_t* data, std::size_t length) {
  return sim::System().Send(sim::At(socket), data, length);
}

std::int32_t ReceiveNow(NativeSocket socket, std::uint8_t* data, std::size_t length) {
  return sim::SystemAfterAStop().Receive(sim::At(socket), data, length);
}

bool HasUnread(NativeSocket socket, SocketKind) {
  return sim::Kernel::IsReadable(*sim::At(socket));
}

Error DiscardReceived(NativeSocket handle, std::size_t limit) {
  sim::Socket* socket = sim::At(handle);
  if (socket->peer == nullptr) return Error::kNotConnected;
  sim::Stream& in = socket->peer->out;
  if (in.Unread() > limit) return Error::kMessageTooLong;
  in.read = in.arrived;
  return in.end_arrived ? Error::kOk : Error::kTryAgain;
}

Error ShutdownSend(NativeSocket handle) {
  sim::Socket* socket = sim::At(handle);
  sim::System().JudgeEnd(*socket);
  return sim::System().Shutdown(socket);
}
void CloseSocket(NativeSocket socket, SocketKind) {
  if (socket != kInvalidSocket) sim::System().Close(socket);
}
void ResetOnClose(NativeSocket socket) { sim::At(socket)->resets_on_close = true; }

// --- Local sockets: there are none

Error OpenLocalListener(const std::string&, int, NativeSocket*) { return Error::kNotSupported; }
Error SetLocalAccess(NativeSocket, const std::string&, bool, bool) { return Error::kNotSupported; }
void RemoveLocalPath(const std::string&) {}

// --- Threads, time, memory

Error PinThisThread(int) { return Error::kOk; }
void NameThisThread(const char*) {}
std::uint64_t NowMs() { return NowNs() / 1'000'000; }
std::uint64_t NowNs() { return sim::SystemAfterAStop().NowNs(); }
int UsableCores() { return 2; }
// What was in there is lost, and that shows.
void DiscardPages(void* data, std::size_t bytes) { std::memset(data, 0, bytes); }

Error Thread::Start(void (*body)(void*), void* context) {
  sim::Kernel& system = sim::System();
  if (system.Fault()) return Error::kTryAgain;
  started_ = true;
  native_ = system.fibers().Start(body, context);
  return Error::kOk;
}

void Thread::Join() {
  if (!started_) return;
  started_ = false;
  sim::Kernel& system = sim::System();
  while (!system.fibers().IsDone(native_)) {
    const std::uint64_t next_ns = system.fibers().AllWait() ? system.NextEvent() : system.NowNs();
    if (next_ns == sim::kNever || !system.IsRight()) {
      return system.Violate("a thread does not end");
    }
    system.AdvanceTo(next_ns, sim::Fibers::Stops::kNever);
  }
}

Alarm::~Alarm() = default;
Error Alarm::Open() {
  if (sim::System().Fault()) return Error::kTooManyFiles;
  native_ = sim::System().NewAlarm();
  return Error::kOk;
}
bool Alarm::Set(std::uint32_t microseconds) {
  if (sim::System().Fault()) return false;
  sim::System().SetAlarm(native_, microseconds);
  return true;
}
void Alarm::Wait() { sim::System().WaitForAlarm(native_); }

}  // namespace os

// --- Files: of them only numbers are known

Error DuplicateFile(std::intptr_t, std::intptr_t*) { return Error::kNotSupported; }
void CloseFile(std::intptr_t) {}

// --- The one backend of this system

const char* BackendName(BackendKind kind) {
  if (kind == BackendKind::kIocp) return "iocp";
  return kind == BackendKind::kEpoll ? "epoll" : "io_uring";
}
std::vector<BackendKind> BackendCandidates() {
  return {BackendKind::kEpoll, BackendKind::kIocp, BackendKind::kIoUring};
}
Error ProbeBackend(BackendKind) { return Error::kOk; }
// The kinds stand for the ways in which systems work (sim_backend.h).
std::unique_ptr<Backend> CreateBackend(BackendKind kind) {
  return std::make_unique<sim::SimBackend>(kind);
}

}  // namespace completion_port
