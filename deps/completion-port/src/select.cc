// Which backend this operating system offers. The only file that names them all.
#ifdef _WIN32
#include "backend/iocp.h"
#else
#include "backend/epoll.h"
#include "backend/io_uring.h"
#endif
#include "backend/backend.h"

namespace completion_port {

const char* BackendName(BackendKind kind) {
  switch (kind) {
    case BackendKind::kIocp:
      return "iocp";
    case BackendKind::kIoUring:
      return "io_uring";
    case BackendKind::kEpoll:
      return "epoll";
  }
  return "";
}

#ifdef _WIN32

std::vector<BackendKind> BackendCandidates() { return {BackendKind::kIocp}; }

Error ProbeBackend(BackendKind kind) {
  return kind == BackendKind::kIocp ? ProbeIocp() : Error::kNotSupported;
}

std::unique_ptr<Backend> CreateBackend(BackendKind kind) {
  return kind == BackendKind::kIocp ? CreateIocpBackend() : nullptr;
}

#else

std::vector<BackendKind> BackendCandidates() {
  return {BackendKind::kEpoll, BackendKind::kIoUring};
}

Error ProbeBackend(BackendKind kind) {
  if (kind == BackendKind::kEpoll) return ProbeEpoll();
  return kind == BackendKind::kIoUring ? ProbeIoUring() : Error::kNotSupported;
}

std::unique_ptr<Backend> CreateBackend(BackendKind kind) {
  if (kind == BackendKind::kEpoll) return CreateEpollBackend();
  return kind == BackendKind::kIoUring ? CreateIoUringBackend() : nullptr;
}

#endif

}  // namespace completion_port
