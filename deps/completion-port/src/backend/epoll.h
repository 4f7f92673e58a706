// The Linux backend that every system lets us use: epoll. Read epoll_backend.h for how it works.
#ifndef COMPLETION_PORT_BACKEND_EPOLL_H_
#define COMPLETION_PORT_BACKEND_EPOLL_H_

#include <memory>

#include "backend/backend.h"

namespace completion_port {

std::unique_ptr<Backend> CreateEpollBackend();
Error ProbeEpoll();

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_EPOLL_H_
