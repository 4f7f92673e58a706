// See accept_linux.h.
#include "backend/accept_linux.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace completion_port {

AcceptTrouble ClassifyAcceptError(int os_error) {
  switch (os_error) {
    // accept reports what happened to the connection in place of the connection (see accept(2)).
    case EINTR:
    case EAGAIN:     // another process was faster
    case ECANCELED:  // by ourselves
    case EPERM:
    case EPROTO:
    case ENONET:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENETUNREACH:
    case ENOPROTOOPT:
    case EHOSTUNREACH:
    case ECONNABORTED:
      return AcceptTrouble::kOneConnection;
    case EMFILE:
    case ENFILE:
      return AcceptTrouble::kNoDescriptor;
    case ENOMEM:
    case ENOBUFS:
      return AcceptTrouble::kShortage;
    default:
      return AcceptTrouble::kOther;
  }
}

bool HasConnectionWaiting(int listener) {
  pollfd look = {listener, POLLIN, 0};
  return poll(&look, 1, 0) == 1;
}

SpareDescriptor::~SpareDescriptor() {
  if (fd_ >= 0) close(fd_);
}

bool SpareDescriptor::TakeBack() {
  if (fd_ < 0) fd_ = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd_ >= 0;
}

bool SpareDescriptor::Lend() {
  if (!TakeBack()) return false;
  close(fd_);
  fd_ = -1;
  return true;
}

bool SpareDescriptor::TurnsAway(int socket) {
  if (TakeBack()) return false;
  close(socket);
  TakeBack();
  return true;
}

}  // namespace completion_port
