// Datagram sockets: the overlapped look whether there is something to receive.
//
// A receive would take a datagram away, which has to go into memory of the submitter's. One that
// only peeks takes nothing: it ends when a datagram has arrived, and the submitter's receive then
// finds that. libuv waits for datagrams in the same way, but without room to peek into. With less
// room than the datagram needs the look ends with STATUS_BUFFER_OVERFLOW, which WSARecv returns as
// an error although a packet follows, as behind every status that is no more than a warning.
//
// No notification is skipped here: a receive of datagrams that succeeds at once may leave a packet
// in spite of FILE_SKIP_COMPLETION_PORT_ON_SUCCESS.
#include <algorithm>

#include "backend/iocp_backend.h"
#include "windows/pipe.h"

namespace completion_port {

namespace {

// What looks have seen. Nobody reads it, and it is there for as long as the system may write to it.
std::uint8_t unread[kDatagramRoom];

}  // namespace

Error IocpBackend::Attach(DatagramSocket& datagrams) {
  datagrams.look.kind = OperationKind::kLook;
  datagrams.look.socket = &datagrams;
  CountCall();
  if (CreateIoCompletionPort(os::AsHandle(datagrams.socket), port_, 0, 0) == nullptr) {
    return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  }
  return Error::kOk;
}

void IocpBackend::AwaitReadable(DatagramSocket& datagrams, bool may_be_now) {
  DatagramLook& look = datagrams.look;
  if (look.state != OperationState::kIdle) return;
  look.state = OperationState::kSubmitted;
  if (may_be_now) return readable_.push_back(&datagrams);
  look.overlapped = {};
  WSABUF into{sizeof unread, reinterpret_cast<CHAR*>(unread)};
  DWORD bytes = 0;
  DWORD flags = MSG_PEEK;
  const bool done =
      WSARecv(datagrams.socket, &into, 1, &bytes, &flags, &look.overlapped, nullptr) == 0;
  const int os_error = done ? 0 : WSAGetLastError();
  Issued(look, Notification::kQueued, done, os_error, bytes);
}

// Whatever it says, an error too: the submitter's receive meets it, or nothing.
void IocpBackend::FinishLook(DatagramLook& look) {
  DatagramSocket& datagrams = *look.socket;
  const bool cancelled = look.state == OperationState::kCancelling;
  look.state = OperationState::kIdle;
  if (cancelled) return events_->OnDetached(datagrams);
  events_->OnReadable(datagrams);
}

// The system tells nobody when it has room again for datagrams to send.
void IocpBackend::AwaitWritable(DatagramSocket& datagrams) { unwritable_.push_back(&datagrams); }

// What no packet tells. False if there was nothing to report.
bool IocpBackend::ReportDatagrams() {
  if (readable_.empty() && unwritable_.empty()) return false;
  std::vector<DatagramSocket*> readable;
  readable.swap(readable_);
  for (DatagramSocket* datagrams : readable) {
    datagrams->look.state = OperationState::kIdle;
    events_->OnReadable(*datagrams);
  }
  std::vector<DatagramSocket*> unwritable;
  unwritable.swap(unwritable_);
  for (DatagramSocket* datagrams : unwritable) {
    events_->OnWritable(*datagrams, Error::kOperationNotSupported);
  }
  return true;
}

bool IocpBackend::Detach(DatagramSocket& datagrams) {
  std::erase(unwritable_, &datagrams);
  DatagramLook& look = datagrams.look;
  if (std::erase(readable_, &datagrams) != 0) look.state = OperationState::kIdle;
  if (look.state == OperationState::kIdle) return true;
  look.state = OperationState::kCancelling;
  // To be answered by a packet, or it waits in the queue or in ready_ already.
  CancelIoEx(os::AsHandle(datagrams.socket), nullptr);
  cancelled_ = true;
  CountCall();
  return false;
}

}  // namespace completion_port
