// A piece of a file into a socket, by one call.
#ifndef COMPLETION_PORT_BACKEND_SEND_FILE_LINUX_H_
#define COMPLETION_PORT_BACKEND_SEND_FILE_LINUX_H_

#include <sys/types.h>

#include "connection.h"
#include "counters.h"

namespace completion_port {

// Sends from the file that is first in the connection's queue, kFileBytes at most, without waiting
// for the peer; it waits for a disk. Bytes, 0 where the file has ended there, or -errno.
ssize_t SendFileOnce(const Connection& connection, Counters* counters);

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_SEND_FILE_LINUX_H_
