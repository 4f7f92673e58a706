// The Windows backend: an I/O completion port. Read iocp_backend.h for how it works.
#ifndef COMPLETION_PORT_BACKEND_IOCP_H_
#define COMPLETION_PORT_BACKEND_IOCP_H_

#include <memory>

#include "backend/backend.h"

namespace completion_port {

std::unique_ptr<Backend> CreateIocpBackend();
Error ProbeIocp();

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IOCP_H_
