// The Linux backend: io_uring. Read io_uring_backend.h for how it works.
#ifndef COMPLETION_PORT_BACKEND_IO_URING_H_
#define COMPLETION_PORT_BACKEND_IO_URING_H_

#include <memory>

#include "backend/backend.h"

namespace completion_port {

std::unique_ptr<Backend> CreateIoUringBackend();
// Whether this kernel (6.1 or newer) has what we need and lets us use it.
Error ProbeIoUring();

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IO_URING_H_
