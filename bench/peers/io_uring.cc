// An echo server of one thread on io_uring: one standing receive for each connection, into buffers
// that the kernel picks, and one send for each; one system call for a whole batch of both.
// Clients that do not read take all its buffers: it serves only those that do.
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <vector>

#include "peer.h"

namespace {

constexpr std::uint32_t kEntries = 4096;
constexpr std::uint32_t kBuffers = 8192;  // a power of two
constexpr std::uint32_t kBufferBytes = 4096;

int Enter(int ring, std::uint32_t submit, std::uint32_t wait) {
  return static_cast<int>(
      syscall(__NR_io_uring_enter, ring, submit, wait, IORING_ENTER_GETEVENTS, nullptr, 0));
}

std::uint32_t Load(const std::uint32_t* index) {
  return std::atomic_ref(*const_cast<std::uint32_t*>(index)).load(std::memory_order_acquire);
}
template <typename T>
void Store(T* index, T value) {
  std::atomic_ref(*index).store(value, std::memory_order_release);
}

// The two rings that are shared with the kernel.
class Ring {
 public:
  Ring() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE;
    params.cq_entries = 4 * kEntries;
    fd_ = static_cast<int>(syscall(__NR_io_uring_setup, kEntries, &params));
    if (fd_ < 0) Fail("io_uring_setup", errno);
    const std::size_t bytes =
        std::max(params.sq_off.array + params.sq_entries * sizeof(std::uint32_t),
                 params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe));
    auto* rings = static_cast<char*>(Map(bytes, IORING_OFF_SQ_RING));
    sqes_ =
        static_cast<io_uring_sqe*>(Map(params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES));
    const auto at = [&](std::uint32_t offset) {
      return reinterpret_cast<std::uint32_t*>(rings + offset);
    };
    sq_head_ = at(params.sq_off.head);
    sq_tail_ = at(params.sq_off.tail);
    cq_head_ = at(params.cq_off.head);
    cq_tail_ = at(params.cq_off.tail);
    cq_mask_ = *at(params.cq_off.ring_mask);
    sq_mask_ = *at(params.sq_off.ring_mask);
    cqes_ = reinterpret_cast<io_uring_cqe*>(rings + params.cq_off.cqes);
    std::uint32_t* array = at(params.sq_off.array);
    for (std::uint32_t i = 0; i < params.sq_entries; ++i) array[i] = i;
  }

  int fd() const { return fd_; }

  io_uring_sqe* Next() {
    while (tail_ - Load(sq_head_) > sq_mask_) Submit(0);
    io_uring_sqe* sqe = &sqes_[tail_++ & sq_mask_];
    *sqe = {};
    return sqe;
  }

  void Submit(std::uint32_t wait) {
    Store(sq_tail_, tail_);
    if (Enter(fd_, tail_ - submitted_, wait) < 0 && errno != EINTR && errno != EBUSY) {
      Fail("io_uring_enter", errno);
    }
    submitted_ = Load(sq_head_);
  }

  template <typename Handler>
  void Reap(Handler handle) {
    std::uint32_t head = *cq_head_;
    const std::uint32_t tail = Load(cq_tail_);
    for (; head != tail; ++head) handle(cqes_[head & cq_mask_]);
    Store(cq_head_, head);
  }

 private:
  void* Map(std::size_t bytes, std::uint64_t offset) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_,
                        static_cast<off_t>(offset));
    if (memory == MAP_FAILED) Fail("mmap", errno);
    return memory;
  }

  int fd_;
  io_uring_sqe* sqes_;
  std::uint32_t* sq_head_;
  std::uint32_t* sq_tail_;
  std::uint32_t* cq_head_;
  std::uint32_t* cq_tail_;
  std::uint32_t sq_mask_;
  std::uint32_t cq_mask_;
  io_uring_cqe* cqes_;
  std::uint32_t tail_ = 0;
  std::uint32_t submitted_ = 0;
};

// Buffers that lie ready for whatever arrives.
class Buffers {
 public:
  explicit Buffers(int ring) : memory_(std::size_t{kBuffers} * kBufferBytes) {
    void* entries = mmap(nullptr, kBuffers * sizeof(io_uring_buf), PROT_READ | PROT_WRITE,
                         MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    if (entries == MAP_FAILED) Fail("mmap", errno);
    entries_ = static_cast<io_uring_buf*>(entries);
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uint64_t>(entries);
    registration.ring_entries = kBuffers;
    if (syscall(__NR_io_uring_register, ring, IORING_REGISTER_PBUF_RING, &registration, 1) != 0) {
      Fail("registering buffers", errno);
    }
    for (std::uint32_t i = 0; i < kBuffers; ++i) Return(static_cast<std::uint16_t>(i));
  }

  char* At(std::uint16_t id) { return memory_.data() + std::size_t{id} * kBufferBytes; }

  void Return(std::uint16_t id) {
    io_uring_buf& entry = entries_[tail_ & (kBuffers - 1)];
    entry.addr = reinterpret_cast<std::uint64_t>(At(id));
    entry.len = kBufferBytes;
    entry.bid = id;
    ++tail_;
    // The ring's tail lies in the unused end of its first entry.
    Store(&entries_[0].resv, tail_);
  }

 private:
  std::vector<char> memory_;
  io_uring_buf* entries_;
  std::uint16_t tail_ = 0;
};

struct Piece {
  std::uint16_t buffer;
  std::uint32_t bytes;
};

struct Connection {
  int fd;
  bool receiving = true;
  bool ended = false;
  std::vector<Piece> unsent = {};  // the first is being sent
};

enum class Operation : std::uint64_t { kAccept, kReceive, kSend };

class Server {
 public:
  Server() : listener_(Listen()), buffers_(ring_.fd()) { Accept(); }

  [[noreturn]] void Run() {
    for (;;) {
      ring_.Submit(1);
      ring_.Reap([&](const io_uring_cqe& cqe) { Handle(cqe); });
    }
  }

 private:
  io_uring_sqe* Prepare(Operation operation, std::uint8_t opcode, int fd, Connection* connection) {
    io_uring_sqe* sqe = ring_.Next();
    sqe->opcode = opcode;
    sqe->fd = fd;
    // A pointer's lowest bits are free to say which operation it is.
    sqe->user_data =
        reinterpret_cast<std::uint64_t>(connection) | static_cast<std::uint64_t>(operation);
    return sqe;
  }

  void Accept() {
    io_uring_sqe* sqe = Prepare(Operation::kAccept, IORING_OP_ACCEPT, listener_, nullptr);
    sqe->ioprio = IORING_ACCEPT_MULTISHOT;
  }

  void Receive(Connection* connection) {
    io_uring_sqe* sqe = Prepare(Operation::kReceive, IORING_OP_RECV, connection->fd, connection);
    sqe->ioprio = IORING_RECV_MULTISHOT;
    sqe->flags = IOSQE_BUFFER_SELECT;
    connection->receiving = true;
  }

  void Send(Connection* connection) {
    const Piece& piece = connection->unsent.front();
    io_uring_sqe* sqe = Prepare(Operation::kSend, IORING_OP_SEND, connection->fd, connection);
    sqe->addr = reinterpret_cast<std::uint64_t>(buffers_.At(piece.buffer));
    sqe->len = piece.bytes;
    sqe->msg_flags = MSG_NOSIGNAL | MSG_WAITALL;  // the kernel goes on until all is taken
  }

  void Handle(const io_uring_cqe& cqe) {
    auto* connection = reinterpret_cast<Connection*>(cqe.user_data & ~std::uint64_t{3});
    switch (static_cast<Operation>(cqe.user_data & 3)) {
      case Operation::kAccept:
        OnAccept(cqe);
        break;
      case Operation::kReceive:
        OnReceive(connection, cqe);
        break;
      case Operation::kSend:
        OnSend(connection, cqe);
        break;
    }
  }

  void OnAccept(const io_uring_cqe& cqe) {
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) Accept();
    if (cqe.res < 0) return;
    SetNoDelay(cqe.res);
    Receive(new Connection{cqe.res});
  }

  void OnReceive(Connection* connection, const io_uring_cqe& cqe) {
    if ((cqe.flags & IORING_CQE_F_MORE) == 0) connection->receiving = false;
    if (cqe.res > 0) {
      const auto buffer = static_cast<std::uint16_t>(cqe.flags >> IORING_CQE_BUFFER_SHIFT);
      connection->unsent.push_back({buffer, static_cast<std::uint32_t>(cqe.res)});
      if (connection->unsent.size() == 1) Send(connection);
    } else if (cqe.res != -ENOBUFS) {
      connection->ended = true;
    }
    Settle(connection);
  }

  void OnSend(Connection* connection, const io_uring_cqe& cqe) {
    auto& unsent = connection->unsent;
    buffers_.Return(unsent.front().buffer);
    unsent.erase(unsent.begin());
    if (cqe.res < 0) {
      for (const Piece& piece : unsent) buffers_.Return(piece.buffer);
      unsent.clear();
      // Ends the receive, too; what it brings until then is dropped in the same way.
      shutdown(connection->fd, SHUT_RDWR);
    } else if (!unsent.empty()) {
      Send(connection);
    }
    Settle(connection);
  }

  // Nothing is under way: it is closed, or receives again after there was no buffer.
  void Settle(Connection* connection) {
    if (connection->receiving || !connection->unsent.empty()) return;
    if (!connection->ended) return Receive(connection);
    close(connection->fd);
    delete connection;
  }

  int listener_;
  Ring ring_;
  Buffers buffers_;
};

}  // namespace

int main() { std::make_unique<Server>()->Run(); }
