// The port's ends of the two rings, and the submitter's ends for C++ programs (JavaScript has its
// own in src/port/ring.ts). The layout and the wake-up protocol are described in layout.h.
#ifndef COMPLETION_PORT_RING_H_
#define COMPLETION_PORT_RING_H_

#include <atomic>
#include <cstdint>
#include <cstring>

#include "completion_port/layout.h"

namespace completion_port {

// Words of the header, as atomics. The memory is shared with a writer that is not C++.
class RingHeader {
 public:
  void Use(void* memory) { words_ = static_cast<std::uint32_t*>(memory); }
  std::atomic_ref<std::uint32_t> At(std::size_t word) const {
    return std::atomic_ref<std::uint32_t>(words_[word]);
  }

  // Consumer side of a wake-up: announces sleep. The caller must look at its ring once more.
  void FallAsleep(std::size_t flag) const { At(flag).store(1); }
  void StayAwake(std::size_t flag) const { At(flag).store(0); }
  // Producer side: true if the other side slept, and is now this caller's to wake.
  bool TakeSleeper(std::size_t flag) const {
    return At(flag).load() == 1 && At(flag).exchange(0) == 1;
  }

 private:
  std::uint32_t* words_ = nullptr;
};

// One direction. Record is Submission or Completion; TailWord and HeadWord are header words.
template <typename Record, std::size_t TailWord, std::size_t HeadWord>
class RingEnd {
 public:
  void Use(void* memory, std::size_t records_offset, std::uint32_t entries) {
    header_.Use(memory);
    records_ = static_cast<std::uint8_t*>(memory) + records_offset;
    mask_ = entries - 1;
  }

 protected:
  std::uint8_t* Slot(std::uint32_t index) const {
    return records_ + std::size_t{index & mask_} * kRecordBytes;
  }
  RingHeader header_;
  std::uint8_t* records_ = nullptr;
  std::uint32_t mask_ = 0;
};

template <typename Record, std::size_t TailWord, std::size_t HeadWord>
class RingConsumer : public RingEnd<Record, TailWord, HeadWord> {
 public:
  // How many records can be read now.
  std::uint32_t Available() const { return this->header_.At(TailWord).load() - head_; }
  Record Read(std::uint32_t ahead) const {
    Record record;
    std::memcpy(&record, this->Slot(head_ + ahead), sizeof(record));
    return record;
  }
  void Advance(std::uint32_t count) {
    head_ += count;
    this->header_.At(HeadWord).store(head_);
  }

 private:
  std::uint32_t head_ = 0;
};

template <typename Record, std::size_t TailWord, std::size_t HeadWord>
class RingProducer : public RingEnd<Record, TailWord, HeadWord> {
 public:
  // False when the ring is full. Written records are seen by the consumer after Publish().
  bool Write(const Record& record) {
    if (!HasRoom()) return false;
    std::memcpy(this->Slot(tail_++), &record, sizeof(record));
    return true;
  }
  bool HasRoom() {
    if (tail_ - known_head_ <= this->mask_) return true;
    known_head_ = this->header_.At(HeadWord).load();
    return tail_ - known_head_ <= this->mask_;
  }
  // Records written since the start: where the next one goes.
  std::uint32_t Written() const { return tail_; }
  // True if there was something to publish.
  bool Publish() {
    if (published_ == tail_) return false;
    published_ = tail_;
    this->header_.At(TailWord).store(tail_);
    return true;
  }

 private:
  std::uint32_t tail_ = 0;
  std::uint32_t published_ = 0;
  std::uint32_t known_head_ = 0;
};

using SubmissionReader = RingConsumer<Submission, kSubmissionTail, kSubmissionHead>;
using SubmissionWriter = RingProducer<Submission, kSubmissionTail, kSubmissionHead>;
using CompletionReader = RingConsumer<Completion, kCompletionTail, kCompletionHead>;
using CompletionWriter = RingProducer<Completion, kCompletionTail, kCompletionHead>;

constexpr std::size_t CompletionsOffset(std::uint32_t submission_entries) {
  return kSubmissionsOffset + std::size_t{submission_entries} * kRecordBytes;
}

}  // namespace completion_port

#endif  // COMPLETION_PORT_RING_H_
