// The completion port itself: open, attach, wait, wake, cancel. iocp_backend.h tells the whole.
#include "backend/iocp.h"

#include "backend/iocp_backend.h"
#include "backend/iocp_pipe.h"

namespace completion_port {

namespace {

// How many threads that were served by the port may run before the system keeps its packets from
// others. One drives at a time; but while it computes, another one takes the drive over.
constexpr DWORD kConcurrency = 2;

Operation& OperationOf(OVERLAPPED* overlapped) {
  return *reinterpret_cast<Operation*>(overlapped);  // the first member: see the static_assert
}

// The address of an extension function, which depends on the provider of the socket.
template <typename Function>
bool LoadExtension(SOCKET socket, GUID id, Function* out) {
  DWORD bytes = 0;
  return WSAIoctl(socket, SIO_GET_EXTENSION_FUNCTION_POINTER, &id, sizeof(id), out, sizeof(*out),
                  &bytes, nullptr, nullptr) == 0;
}

// Whether the provider's sockets are plain file handles of the kernel. A layered provider that
// wraps them would miss completions that leave no packet (Microsoft KB 2568167).
bool IsKernelHandle(SOCKET socket) {
  WSAPROTOCOL_INFOW info{};
  int length = sizeof(info);
  return getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, reinterpret_cast<char*>(&info),
                    &length) == 0 &&
         (info.dwServiceFlags1 & XP1_IFS_HANDLES) != 0;
}

// Windows 10 version 1709. GetVersionEx tells programs without a manifest an older version.
bool IsWindows10Build16299() {
  using GetVersion = LONG(WINAPI*)(OSVERSIONINFOW*);
  const HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
  if (ntdll == nullptr) return false;
  const auto get_version =
      reinterpret_cast<GetVersion>(reinterpret_cast<void*>(GetProcAddress(ntdll, "RtlGetVersion")));
  OSVERSIONINFOW version{};
  version.dwOSVersionInfoSize = sizeof(version);
  if (get_version == nullptr || get_version(&version) != 0) return false;
  return version.dwMajorVersion > 10 ||
         (version.dwMajorVersion == 10 && version.dwBuildNumber >= 16299);
}

using os::AsHandle;

}  // namespace

std::unique_ptr<Backend> CreateIocpBackend() { return TryMake<IocpBackend>(); }

Error ProbeIocp() {
  const Error error = os::StartSockets();
  if (error != Error::kOk) return error;
  const HANDLE port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, 1);
  if (port == nullptr) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  CloseHandle(port);
  return Error::kOk;
}

IocpBackend::~IocpBackend() {
  // Closing a port ends no operation. The core has reaped them all; where it had to give up, the
  // kernel still writes into its slots, and the slots, not the port, must be kept.
  if (port_ != nullptr) CloseHandle(port_);
}

Error IocpBackend::Open(const BackendContext& context) {
  events_ = context.events;
  chunks_ = context.chunks;
  counters_ = context.counters;
  if (!ready_.Reserve(context.queue_entries)) return Error::kNoMemory;
  Error error = os::StartSockets();
  if (error != Error::kOk) return error;
  error = LoadExtensions();
  if (error != Error::kOk) return error;
  can_fail_loopback_fast_ = IsWindows10Build16299();
  port_ = CreateIoCompletionPort(INVALID_HANDLE_VALUE, nullptr, 0, kConcurrency);
  if (port_ == nullptr) return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  now_ms_ = os::NowMs();
  return Error::kOk;
}

Error IocpBackend::LoadExtensions() {
  NativeSocket socket = kInvalidSocket;
  Error error = os::OpenStreamSocket(Family::kIpv4, &socket);
  if (error != Error::kOk) error = os::OpenStreamSocket(Family::kIpv6, &socket);
  if (error != Error::kOk) return error;
  if (!LoadExtension(socket, WSAID_ACCEPTEX, &accept_ex_) ||
      !LoadExtension(socket, WSAID_CONNECTEX, &connect_ex_) ||
      !LoadExtension(socket, WSAID_TRANSMITFILE, &transmit_file_)) {
    error = FromOsError(WSAGetLastError(), Operating::kControl);
  }
  os::CloseSocket(socket);
  return error;
}

Error IocpBackend::Associate(SOCKET socket, Notification* notification) {
  // The key is unused: the OVERLAPPED already names the operation and, through it, the connection.
  if (CreateIoCompletionPort(AsHandle(socket), port_, 0, 0) == nullptr) {
    return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  }
  CountCall();
  *notification = Notification::kQueued;
  if (!IsKernelHandle(socket)) return Error::kOk;
  CountCall();
  // Nobody waits on the handle itself, hence no need to set its event either. The mode belongs to
  // the handle for life and cannot be taken back; a refusal costs speed only.
  const UCHAR modes = FILE_SKIP_COMPLETION_PORT_ON_SUCCESS | FILE_SKIP_SET_EVENT_ON_HANDLE;
  if (SetFileCompletionNotificationModes(AsHandle(socket), modes)) {
    *notification = Notification::kSkippedOnSuccess;
  }
  return Error::kOk;
}

Error IocpBackend::Attach(Connection& connection) {
  connection.iocp = IocpNotes{};
  connection.posted_chunk = kNoChunk;
  connection.receive.connection = &connection;
  connection.receive.kind = OperationKind::kReceive;
  connection.send.connection = &connection;
  if (IsPipe(connection)) return AttachPipe(connection);
  return Associate(connection.socket, &connection.iocp.notification);
}

void IocpBackend::Issued(Operation& operation, Notification notification, bool done, int os_error,
                         DWORD bytes) {
  CountCall();
  const bool packet_will_come =
      done ? notification == Notification::kQueued : os_error == WSA_IO_PENDING;
  if (packet_will_come) return;
  ready_.Add(Ready{&operation, done ? 0 : os_error, done ? bytes : 0});
}

// --- Waiting

void IocpBackend::Wait(int timeout_ms) {
  // A flood of datagrams has something to report in every turn, and nobody is to wait for that.
  const bool may_be_enough = readable_.empty();
  const bool reported = ReportReady();
  if (may_be_enough && ready_.IsEnough(reported)) return;
  const DWORD limit_ms = timeout_ms < 0 ? INFINITE : static_cast<DWORD>(timeout_ms);
  TakePackets(reported ? 0 : UntilNextWatch(UntilNextRepost(limit_ms)),
              [this](const Ready& ready) { Finish(ready); });
  RepostRested();
  ExpireWatches();
  ReportReady();
}

template <typename Take>
void IocpBackend::TakePackets(DWORD timeout_ms, Take take) {
  cancelled_ = false;
  ULONG count = 0;
  const BOOL any = GetQueuedCompletionStatusEx(port_, packets_, kBatch, &count, timeout_ms, FALSE);
  CountCall();
  now_ms_ = os::NowMs();
  if (!any || count == 0) return;
  counters_->Add(Counter::kBatches);
  counters_->Add(Counter::kPackets, count);
  for (ULONG i = 0; i < count; ++i) {
    if (packets_[i].lpOverlapped == nullptr) {  // from Wake(): returning is all it asked for
      counters_->Add(Counter::kPortWakeups);
    } else {
      take(ReadyOf(packets_[i]));
    }
  }
}

IocpBackend::Ready IocpBackend::ReadyOf(const OVERLAPPED_ENTRY& packet) {
  const LONG status = static_cast<LONG>(packet.lpOverlapped->Internal);
  return Ready{&OperationOf(packet.lpOverlapped), status < 0 ? static_cast<int>(status) : 0,
               packet.dwNumberOfBytesTransferred};
}

// What is received, accepted and connected is for the turn. The end of what was cancelled is a
// packet, which is there already where the system has nothing more to do for it.
void IocpBackend::Report() {
  if (cancelled_) TakePackets(0, [this](const Ready& ready) { ready_.Add(ready); });
  const auto is_due = [](const Ready& ready) {
    const Operation& operation = *ready.operation;
    return operation.kind == OperationKind::kSend || operation.kind == OperationKind::kShutdown ||
           operation.state == OperationState::kCancelling;
  };
  ready_.ReportWhere(is_due, [this](const Ready& ready) { Finish(ready); });
  ReportStopped();
}

bool IocpBackend::ReportReady() {
  const bool any = ready_.ReportAll([this](const Ready& ready) {
    Finish(ready);
    return true;
  });
  const bool any_datagrams = ReportDatagrams();
  return ReportStopped() || any || any_datagrams;
}

// False if there was nothing to report.
bool IocpBackend::ReportStopped() {
  const bool any = !stopped_.empty();
  while (!stopped_.empty()) {
    Listener& listener = *stopped_.back();
    stopped_.pop_back();
    ReportStopped(listener);
  }
  return any;
}

void IocpBackend::Finish(const Ready& ready) {
  Operation& operation = *ready.operation;
  const int os_error = ready.os_error;
  switch (operation.kind) {
    case OperationKind::kReceive:
      return FinishReceive(*operation.connection, os_error, ready.bytes);
    case OperationKind::kReadable:
      return FinishReadable(*operation.connection, os_error);
    case OperationKind::kSend:
      return FinishSend(*operation.connection, os_error, ready.bytes);
    case OperationKind::kConnect:
      return FinishConnect(*operation.connection, os_error);
    case OperationKind::kShutdown:
      return FinishShutdown(*operation.connection, os_error);
    case OperationKind::kAccept:
      return FinishAccept(operation, os_error);
    case OperationKind::kLook:
      return FinishLook(static_cast<DatagramLook&>(operation));
  }
}

void IocpBackend::Wake() {
  // The packet needs a little kernel memory. A lost wake-up could be slept over for ever, so this
  // insists.
  while (!PostQueuedCompletionStatus(port_, 0, 0, nullptr)) {
    if (GetLastError() == ERROR_INVALID_HANDLE) return;  // not open: nobody waits
    Sleep(1);
  }
}

// --- Cancelling

void IocpBackend::Cancel(Connection& connection) {
  if (!connection.InFlight()) return;
  for (Operation* operation : {&connection.receive, &connection.send}) {
    if (operation->state == OperationState::kSubmitted) {
      operation->state = OperationState::kCancelling;
    }
  }
  if (IsPipe(connection)) return CancelPipe(connection);
  // A request, to be answered by packets. ERROR_NOT_FOUND says that everything is done already and
  // waits in the queue or in ready_.
  CancelIoEx(AsHandle(connection.socket), nullptr);
  cancelled_ = true;
  CountCall();
}

}  // namespace completion_port
