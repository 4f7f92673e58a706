// Sends on many sockets by one system call.
//
// A turn that has answered eight requests has eight sends to make. Each call into the kernel costs
// some 0.5 µs by itself, of the 6 that a small send and receive take together. An io_uring takes
// all of them in one: every send is tried within the call, without waiting (MSG_DONTWAIT), so that
// nothing stays with the kernel, cancelling needs nothing of it, and any thread may make the call.
// Where the system refuses an io_uring, as container profiles do, each send is a call of its own.
#ifndef COMPLETION_PORT_BACKEND_SEND_BATCH_LINUX_H_
#define COMPLETION_PORT_BACKEND_SEND_BATCH_LINUX_H_

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>

#include "backend/gather_linux.h"
#include "backend/io_uring_ring.h"
#include "connection.h"

namespace completion_port {

// Bytes or -errno.
ssize_t SendOnce(int socket, const iovec* buffers, Gathered gathered);

class SendBatch {
 public:
  // Fewer gain nothing: in C, two sends by an io_uring took as long as by themselves, and four a
  // tenth less.
  static constexpr std::size_t kFewest = 3;
  static constexpr std::size_t kMost = 64;

  void Forbid() { state_ = State::kRefused; }
  // Opens the io_uring at the first call. False where that is forbidden, or the system refuses it.
  bool IsUsable();

  // Sends the front of each connection's queue; results[i] is the bytes or -errno of the i-th.
  // kFewest to kMost connections, none of them twice, and none with a file in front. How many
  // system calls it took.
  std::uint32_t Send(Connection* const* connections, std::size_t count, ssize_t* results);

 private:
  enum class State : std::uint8_t { kUntried, kUsable, kRefused };

  // What the requests point to until the call returns.
  struct Requests {
    UringRing ring;
    iovec buffers[4 * kMost];
    msghdr headers[kMost];
  };

  void Write(NativeSocket socket, std::size_t index, iovec* first, Gathered gathered);
  void Enter(std::size_t count, ssize_t* results);

  State state_ = State::kUntried;
  std::unique_ptr<Requests> requests_;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_SEND_BATCH_LINUX_H_
