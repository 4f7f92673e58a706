// See io_uring_ring.h.
#include "backend/io_uring_ring.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace completion_port {

namespace {

// SUBMIT_ALL: a request that is refused does not hold back those after it. TASKRUN_FLAG: the kernel
// says in the ring when it has work for us, so that a turn with nothing to do needs no call.
// All of these are there from Linux 6.1 on; before, the kernel answers EINVAL.
constexpr unsigned kForAll = IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
constexpr unsigned kForOneThread =
    kForAll | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
constexpr unsigned kNeededFeatures =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_SUBMIT_STABLE | IORING_FEAT_EXT_ARG;

int Register(int fd, unsigned opcode, void* argument, unsigned count) {
  const long result = syscall(__NR_io_uring_register, fd, opcode, argument, count);
  return result < 0 ? -errno : static_cast<int>(result);
}

void* MapShared(int fd, std::size_t bytes, off_t offset) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offset);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

// Closing the ring makes the kernel cancel what is still in it, in its own time.
UringRing::~UringRing() {
  UnregisterOwnFd();
  if (sqes_ != nullptr) munmap(sqes_, sqes_bytes_);
  if (rings_ != nullptr) munmap(rings_, rings_bytes_);
  if (fd_ >= 0) close(fd_);
}

int UringRing::Open(std::uint32_t submission_entries, std::uint32_t completion_entries) {
  const int error = Open(kForOneThread, submission_entries, completion_entries);
  if (error == 0) RegisterOwnFd();
  return error;
}

int UringRing::OpenForAll(std::uint32_t submission_entries, std::uint32_t completion_entries) {
  return Open(kForAll, submission_entries, completion_entries);
}

int UringRing::Open(unsigned flags, std::uint32_t submission_entries,
                    std::uint32_t completion_entries) {
  io_uring_params params{};
  params.flags = flags;
  params.cq_entries = completion_entries;
  // The kernel makes the descriptor close-on-exec.
  const long fd = syscall(__NR_io_uring_setup, submission_entries, &params);
  if (fd < 0) return errno == EINVAL ? -ENOSYS : -errno;
  fd_ = enter_fd_ = static_cast<int>(fd);
  owner_ = gettid();
  if ((params.features & kNeededFeatures) != kNeededFeatures) return -ENOSYS;
  return Map(params);
}

int UringRing::Map(const io_uring_params& params) {
  const std::size_t sq_end = params.sq_off.array + params.sq_entries * sizeof(std::uint32_t);
  const std::size_t cq_end = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  rings_bytes_ = sq_end > cq_end ? sq_end : cq_end;
  rings_ = static_cast<std::uint8_t*>(MapShared(fd_, rings_bytes_, IORING_OFF_SQ_RING));
  if (rings_ == nullptr) return -errno;
  sqes_bytes_ = params.sq_entries * sizeof(io_uring_sqe);
  sqes_ = static_cast<io_uring_sqe*>(MapShared(fd_, sqes_bytes_, IORING_OFF_SQES));
  if (sqes_ == nullptr) return -errno;

  const auto word = [this](std::uint32_t at) {
    return reinterpret_cast<std::uint32_t*>(rings_ + at);
  };
  sq_head_ = word(params.sq_off.head);
  sq_tail_ = word(params.sq_off.tail);
  sq_flags_ = word(params.sq_off.flags);
  sq_entries_ = params.sq_entries;
  cq_head_ = word(params.cq_off.head);
  cq_tail_ = word(params.cq_off.tail);
  cq_mask_ = params.cq_entries - 1;
  cqes_ = reinterpret_cast<io_uring_cqe*>(rings_ + params.cq_off.cqes);
  // The indirection between ring and requests is of no use to us: entry i is request i, for ever.
  for (std::uint32_t i = 0; i < sq_entries_; ++i) word(params.sq_off.array)[i] = i;
  return 0;
}

// The kernel then finds the ring in a table of this thread, without counting references to a file
// that several threads could close. Not vital: it may be refused.
void UringRing::RegisterOwnFd() {
  io_uring_rsrc_update update{};
  update.offset = ~0u;  // any index
  update.data = static_cast<std::uint64_t>(fd_);
  if (Register(fd_, IORING_REGISTER_RING_FDS, &update, 1) != 1) return;
  enter_fd_ = static_cast<int>(update.offset);
  enter_flags_ = IORING_ENTER_REGISTERED_RING;
}

// The table's entry keeps the ring alive. It goes with its thread, or else with us.
void UringRing::UnregisterOwnFd() {
  if (enter_flags_ == 0 || gettid() != owner_) return;
  io_uring_rsrc_update update{};
  update.offset = static_cast<std::uint32_t>(enter_fd_);
  Register(fd_, IORING_UNREGISTER_RING_FDS, &update, 1);
}

io_uring_sqe* UringRing::Next() {
  if (tail_ - submitted_ == sq_entries_) return nullptr;
  io_uring_sqe* sqe = &sqes_[tail_ & (sq_entries_ - 1)];
  std::memset(sqe, 0, sizeof *sqe);
  ++tail_;
  return sqe;
}

int UringRing::Enter(Mode mode, int timeout_ms) {
  std::atomic_ref(*sq_tail_).store(tail_, std::memory_order_release);
  unsigned flags = enter_flags_;
  unsigned wait_for = 0;
  __kernel_timespec timeout{};
  io_uring_getevents_arg argument{};
  void* argument_address = nullptr;
  std::size_t argument_bytes = 0;
  if (mode != Mode::kSubmit) flags |= IORING_ENTER_GETEVENTS;
  if (mode == Mode::kWait) {
    wait_for = 1;
    if (timeout_ms >= 0) {
      timeout.tv_sec = timeout_ms / 1000;
      timeout.tv_nsec = static_cast<long long>(timeout_ms % 1000) * 1000000;
      argument.ts = reinterpret_cast<std::uintptr_t>(&timeout);
      flags |= IORING_ENTER_EXT_ARG;
      argument_address = &argument;
      argument_bytes = sizeof argument;
    }
  }
  const long result = syscall(__NR_io_uring_enter, enter_fd_, Unsubmitted(), wait_for, flags,
                              argument_address, argument_bytes);
  const int error = result < 0 ? -errno : static_cast<int>(result);
  // The head, not the result, says what was taken: it also moves when the call then fails.
  submitted_ = std::atomic_ref(*sq_head_).load(std::memory_order_acquire);
  return error;
}

void FillSend(io_uring_sqe* request, iovec* buffers, std::size_t count, msghdr* header) {
  request->opcode = count > 1 ? IORING_OP_SENDMSG : IORING_OP_SEND;
  if (count <= 1) {
    request->addr = reinterpret_cast<std::uintptr_t>(buffers->iov_base);
    request->len = count == 0 ? 0 : static_cast<std::uint32_t>(buffers->iov_len);
    return;
  }
  *header = {};
  header->msg_iov = buffers;
  header->msg_iovlen = count;
  request->addr = reinterpret_cast<std::uintptr_t>(header);
  request->len = 1;
}

int UringBufferRing::Open(const UringRing& ring, std::uint16_t group, std::uint32_t entries,
                          std::uint16_t first_id) {
  if (!cookies_.Allocate(entries) || !unused_ids_.Allocate(entries) ||
      !memory_.Allocate(entries * sizeof(io_uring_buf))) {
    return -ENOMEM;
  }
  buffers_ = static_cast<io_uring_buf*>(memory_.data());
  entries_ = entries;
  first_id_ = first_id;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
  registration.ring_entries = entries;
  registration.bgid = group;
  const int error = Register(ring.fd(), IORING_REGISTER_PBUF_RING, &registration, 1);
  if (error < 0) return error == -EINVAL ? -ENOSYS : error;
  std::fill(cookies_.begin(), cookies_.end(), kNoCookie);
  unused_count_ = 0;
  for (std::uint32_t i = entries; i-- > 0;) {
    unused_ids_[unused_count_++] = static_cast<std::uint16_t>(first_id + i);
  }
  return 0;
}

void UringBufferRing::Add(std::uint8_t* data, std::uint32_t bytes, std::uint32_t cookie) {
  const std::uint16_t id = unused_ids_[--unused_count_];
  cookies_[id - first_id_] = cookie;
  // Field by field: the last two bytes of the first entry are the ring's tail.
  io_uring_buf& buffer = buffers_[tail_ & (entries_ - 1)];
  buffer.addr = reinterpret_cast<std::uintptr_t>(data);
  buffer.len = bytes;
  buffer.bid = id;
  ++tail_;
  ++posted_;
}

void UringBufferRing::Publish() {
  std::atomic_ref(buffers_[0].resv).store(tail_, std::memory_order_release);
}

std::uint32_t UringBufferRing::Take(std::uint16_t id) {
  --posted_;
  unused_ids_[unused_count_++] = id;
  return std::exchange(cookies_[id - first_id_], kNoCookie);
}

}  // namespace completion_port
