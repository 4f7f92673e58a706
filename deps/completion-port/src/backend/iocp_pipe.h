// What the Windows backend remembers of a connection that is a named pipe.
#ifndef COMPLETION_PORT_BACKEND_IOCP_PIPE_H_
#define COMPLETION_PORT_BACKEND_IOCP_PIPE_H_

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "connection.h"
#include "windows/pipe.h"

namespace completion_port {

// What a pipe waits for with the clock in hand.
enum class PipeWatch : std::uint8_t {
  kNothing,
  kSilence,  // our side has ended: does the peer still have something to say?
  kEnding,   // it has not: the receive is being cancelled, then both sides are off
  kFlush,    // a flush is being cancelled, which can miss it
};

struct IocpPipe final : PipeNotes {
  PipeWatch watch = PipeWatch::kNothing;
  bool messages = false;  // the server made it for messages: each request has to be one
  bool shut_down = false;
  std::uint64_t due_ms = 0;            // of the watch
  std::vector<std::uint8_t> gathered;  // of the send under way, where it was several buffers

  // The work of a thread pool's thread: opening, or flushing. Its own from submission until it has
  // posted the packet, but for `cancelled`.
  HANDLE queue = nullptr;
  OVERLAPPED* packet = nullptr;
  std::wstring path;                     // to open
  HANDLE handle = INVALID_HANDLE_VALUE;  // that was opened, or that is to be flushed
  std::atomic<bool> cancelled{false};
};

inline IocpPipe& PipeOf(const Connection& connection) {
  return *static_cast<IocpPipe*>(connection.iocp.pipe.get());
}

inline bool IsPipe(const Connection& connection) { return connection.kind == SocketKind::kLocal; }

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IOCP_PIPE_H_
