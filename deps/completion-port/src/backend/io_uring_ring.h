// The raw io_uring, without liburing: two rings shared with the kernel, and rings of buffers.
//
// How io_uring works. We write requests (SQEs) into the submission ring and enter the kernel once
// for all of them. The kernel tries each at once; what would wait is parked on the socket's wait
// queue. When something happens there, the rest of the work is queued for this thread and done when
// it enters the kernel next (DEFER_TASKRUN), so nothing interrupts us. Each request ends in one
// entry (CQE) of the completion ring, which we read without a call. `user_data` travels from the
// request to its completion and is all that tells us which one it was.
//
// One thread owns a ring (SINGLE_ISSUER): the one that opened it. But a ring whose requests all end
// within the call may be opened for all threads, one at a time.
#ifndef COMPLETION_PORT_BACKEND_IO_URING_RING_H_
#define COMPLETION_PORT_BACKEND_IO_URING_RING_H_

#include <linux/io_uring.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "allocation.h"

namespace completion_port {

// Functions here return 0 (or a count) or -errno, as the kernel does.
class UringRing {
 public:
  UringRing() = default;
  ~UringRing();
  UringRing(const UringRing&) = delete;
  UringRing& operator=(const UringRing&) = delete;

  int Open(std::uint32_t submission_entries, std::uint32_t completion_entries);
  int OpenForAll(std::uint32_t submission_entries, std::uint32_t completion_entries);
  int fd() const { return fd_; }

  // --- Submissions
  // A zeroed request to fill in, or null when the ring is full: Enter, then ask again.
  io_uring_sqe* Next();
  std::uint32_t Unsubmitted() const { return tail_ - submitted_; }
  // Forgets the requests that the kernel has not taken.
  void TakeBack() { tail_ = submitted_; }

  // --- Completions
  std::uint32_t Ready() const {
    return std::atomic_ref(*cq_tail_).load(std::memory_order_acquire) - head_;
  }
  // The i-th from the front; i < Ready().
  const io_uring_cqe& At(std::uint32_t i) const { return cqes_[(head_ + i) & cq_mask_]; }
  void Pop(std::uint32_t count) {
    head_ += count;
    std::atomic_ref(*cq_head_).store(head_, std::memory_order_release);
  }
  // Whether the kernel has work for us that only Enter(..., kGather) does.
  bool KernelHasWork() const {
    return (std::atomic_ref(*sq_flags_).load(std::memory_order_relaxed) &
            (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0;
  }

  // --- The call
  enum class Mode {
    kSubmit,  // only hands over the requests
    kGather,  // and does the work that is due, without waiting
    kWait,    // and waits for a completion: at most timeout_ms (< 0: without end)
  };
  // How many requests the kernel took, or -errno when none. -ETIME and -EINTR are ordinary.
  int Enter(Mode mode, int timeout_ms);

 private:
  int Open(unsigned flags, std::uint32_t submission_entries, std::uint32_t completion_entries);
  int Map(const io_uring_params& params);
  void RegisterOwnFd();
  void UnregisterOwnFd();

  int fd_ = -1;
  int owner_ = 0;      // the thread that opened it
  int enter_fd_ = -1;  // the same ring, as this thread calls it: an index, cheaper than the fd
  unsigned enter_flags_ = 0;
  std::uint8_t* rings_ = nullptr;
  std::size_t rings_bytes_ = 0;
  io_uring_sqe* sqes_ = nullptr;
  std::size_t sqes_bytes_ = 0;

  std::uint32_t* sq_head_ = nullptr;
  std::uint32_t* sq_tail_ = nullptr;
  std::uint32_t* sq_flags_ = nullptr;
  std::uint32_t sq_entries_ = 0;
  std::uint32_t tail_ = 0;       // requests written
  std::uint32_t submitted_ = 0;  // of them, taken by the kernel

  std::uint32_t* cq_head_ = nullptr;
  std::uint32_t* cq_tail_ = nullptr;
  std::uint32_t cq_mask_ = 0;
  io_uring_cqe* cqes_ = nullptr;
  std::uint32_t head_ = 0;
};

// Makes it a send of these buffers, which stay where they are until the kernel has taken it; as
// does `header`, of more than one.
void FillSend(io_uring_sqe* request, iovec* buffers, std::size_t count, msghdr* header);

// A ring of receive buffers: the kernel takes one when data is there, not before, so a connection
// that waits holds none. The kernel takes them in the order in which they were added.
class UringBufferRing {
 public:
  // `entries` is a power of two; `group` is what a receive names. The buffers get ids from
  // `first_id` on: a completion tells the id alone, not the group.
  int Open(const UringRing& ring, std::uint16_t group, std::uint32_t entries,
           std::uint16_t first_id);
  std::uint32_t Entries() const { return entries_; }
  // Buffers with the kernel, counting those it used but whose completion we have not read.
  std::uint32_t Posted() const { return posted_; }

  // `cookie` comes back from Take. Posted() < Entries(). Seen by the kernel after Publish().
  void Add(std::uint8_t* data, std::uint32_t bytes, std::uint32_t cookie);
  void Publish();
  // The kernel used the buffer that a completion calls `id`.
  std::uint32_t Take(std::uint16_t id);

  // Calls with the cookie of each buffer that is with the kernel.
  template <typename Callback>
  void ForEachPosted(Callback callback) const {
    for (const std::uint32_t cookie : cookies_) {
      if (cookie != kNoCookie) callback(cookie);
    }
  }

 private:
  static constexpr std::uint32_t kNoCookie = ~0u;  // of an id that is not in use

  Pages memory_;                     // shared with the kernel
  io_uring_buf* buffers_ = nullptr;  // in it; the tail lies within the first
  std::uint32_t entries_ = 0;
  std::uint32_t posted_ = 0;
  std::uint16_t tail_ = 0;
  std::uint16_t first_id_ = 0;
  ZeroedArray<std::uint32_t> cookies_;     // by id - first_id_
  ZeroedArray<std::uint16_t> unused_ids_;  // a stack
  std::size_t unused_count_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_IO_URING_RING_H_
