// See send_file_linux.h.
#include "backend/send_file_linux.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "allocation.h"
#include "backend/backend.h"

namespace completion_port {

namespace {

// What is read at once where sendfile does not do it: the half of a socket's buffer would be read
// in vain of more.
constexpr std::size_t kCopiedBytes = std::size_t{64} * 1024;

// sendfile has no flag of its own that says "do not wait": it goes by the mode of the socket, which
// is non-blocking for as long as this lives.
class NonBlocking {
 public:
  NonBlocking(int socket, bool may_be_changed, Counters* counters)
      : socket_(socket), counters_(counters) {
    flags_ = fcntl(socket, F_GETFL);
    was_so_ = flags_ >= 0 && (flags_ & O_NONBLOCK) != 0;
    is_so_ = was_so_ ||
             (may_be_changed && flags_ >= 0 && fcntl(socket, F_SETFL, flags_ | O_NONBLOCK) == 0);
    counters->Add(Counter::kOsCalls, !was_so_ && may_be_changed ? 2 : 1);
  }
  ~NonBlocking() {
    if (was_so_ || !is_so_) return;
    fcntl(socket_, F_SETFL, flags_);
    counters_->Add(Counter::kOsCalls);
  }
  NonBlocking(const NonBlocking&) = delete;
  NonBlocking& operator=(const NonBlocking&) = delete;

  explicit operator bool() const { return is_so_; }

 private:
  const int socket_;
  Counters* const counters_;
  int flags_ = 0;
  bool was_so_ = false;
  bool is_so_ = false;
};

// What this system or this file has no sendfile for: then errors of the file itself are told by
// reading it.
bool MayBeCopied(int error) {
  return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP || error == EOVERFLOW;
}

ssize_t Copy(int socket, const SendBuffer& piece, Counters* counters) {
  thread_local ZeroedArray<std::uint8_t> bytes;
  if (bytes.size() == 0 && !bytes.Allocate(kCopiedBytes)) return -ENOMEM;
  const std::size_t wanted = std::min<std::size_t>(piece.length, kCopiedBytes);
  ssize_t done = 0;
  do {
    counters->Add(Counter::kOsCalls);
    done = pread(static_cast<int>(piece.file), bytes.begin(), wanted,
                 static_cast<off_t>(piece.offset));
  } while (done < 0 && errno == EINTR);
  if (done <= 0) return done < 0 ? -errno : 0;
  const auto read = static_cast<std::size_t>(done);
  do {
    counters->Add(Counter::kOsCalls);
    done = send(socket, bytes.begin(), read, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (done < 0 && errno == EINTR);
  return done < 0 ? -errno : done;
}

}  // namespace

ssize_t SendFileOnce(const Connection& connection, Counters* counters) {
  const SendBuffer& piece = *connection.sends.begin();
  int error = EINVAL;
  {
    const NonBlocking non_blocking(connection.socket, !connection.adopted, counters);
    while (non_blocking) {
      auto offset = static_cast<off_t>(piece.offset);
      counters->Add(Counter::kOsCalls);
      const ssize_t sent = sendfile(connection.socket, static_cast<int>(piece.file), &offset,
                                    std::min(piece.length, kFileBytes));
      if (sent >= 0) return sent;
      error = errno;
      if (error != EINTR) break;
    }
  }
  return MayBeCopied(error) ? Copy(connection.socket, piece, counters) : -error;
}

}  // namespace completion_port
