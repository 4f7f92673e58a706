// See datagrams_linux.h.
#include "backend/datagrams_linux.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

namespace completion_port {

namespace {

constexpr std::uint32_t kReads = EPOLLIN | EPOLLET;
constexpr std::uint32_t kWrites = EPOLLOUT | EPOLLET;
// An error is received, as libuv does: of a connected socket, that nobody is there.
constexpr std::uint32_t kSaysReadable = EPOLLIN | EPOLLERR | EPOLLHUP;
constexpr std::uint32_t kSaysWritable = EPOLLOUT | EPOLLERR | EPOLLHUP;

}  // namespace

void DatagramSet::Use(int epoll_fd, std::uint64_t tag, BackendEvents* events, Counters* counters) {
  epoll_fd_ = epoll_fd;
  tag_ = tag;
  events_ = events;
  counters_ = counters;
}

// 0 or errno.
int DatagramSet::Control(int operation, DatagramSocket& datagrams, std::uint32_t epoll_events) {
  epoll_event event{};
  event.events = epoll_events;
  event.data.u64 = reinterpret_cast<std::uintptr_t>(&datagrams) | tag_;
  counters_->Add(Counter::kOsCalls);
  return epoll_ctl(epoll_fd_, operation, datagrams.socket, &event) == 0 ? 0 : errno;
}

Error DatagramSet::Attach(DatagramSocket& datagrams) {
  datagrams.notes = {};
  return FromOsError(Control(EPOLL_CTL_ADD, datagrams, kReads), Operating::kControl);
}

void DatagramSet::AwaitReadable(DatagramSocket& datagrams, bool may_be_now) {
  DatagramNotes& notes = datagrams.notes;
  notes.awaits_readable = true;
  if (may_be_now) notes.readable = true;
  if (notes.readable) List(datagrams);
}

void DatagramSet::AwaitWritable(DatagramSocket& datagrams) {
  DatagramNotes& notes = datagrams.notes;
  notes.awaits_writable = true;
  notes.writable = false;
  // To ask anew makes epoll look at once.
  if (Control(EPOLL_CTL_MOD, datagrams, kReads | kWrites) != 0) {
    notes.writable = true;  // the send that is tried then says what is wrong
    return List(datagrams);
  }
  notes.watch = DatagramWatch::kReadsAndWrites;
}

void DatagramSet::Detach(DatagramSocket& datagrams) {
  // Somebody may have a duplicate, which would keep it in the set.
  Control(EPOLL_CTL_DEL, datagrams, 0);
  if (!datagrams.notes.listed) return;
  std::erase(to_report_, &datagrams);
  std::replace(reporting_.begin(), reporting_.end(), &datagrams,
               static_cast<DatagramSocket*>(nullptr));
}

void DatagramSet::Note(DatagramSocket& datagrams, std::uint32_t epoll_events) {
  DatagramNotes& notes = datagrams.notes;
  if ((epoll_events & kSaysReadable) != 0) notes.readable = true;
  if ((epoll_events & kSaysWritable) != 0) notes.writable = true;
  const bool tells =
      (notes.readable && notes.awaits_readable) || (notes.writable && notes.awaits_writable);
  if (tells) List(datagrams);
}

void DatagramSet::List(DatagramSocket& datagrams) {
  if (datagrams.notes.listed) return;
  datagrams.notes.listed = true;
  to_report_.push_back(&datagrams);
}

bool DatagramSet::Report() {
  if (to_report_.empty()) return false;
  reporting_.swap(to_report_);
  for (DatagramSocket*& datagrams : reporting_) {
    if (datagrams != nullptr) Report(*datagrams);
  }
  reporting_.clear();
  return true;
}

void DatagramSet::Report(DatagramSocket& datagrams) {
  DatagramNotes& notes = datagrams.notes;
  notes.listed = false;
  if (notes.awaits_writable && notes.writable) {
    notes.awaits_writable = false;
    // Else every datagram that leaves would be an event.
    if (notes.watch == DatagramWatch::kReadsAndWrites) Control(EPOLL_CTL_MOD, datagrams, kReads);
    notes.watch = DatagramWatch::kReads;
    events_->OnWritable(datagrams, Error::kOk);
  }
  if (notes.awaits_readable && notes.readable) {
    notes.awaits_readable = notes.readable = false;
    events_->OnReadable(datagrams);
  }
}

}  // namespace completion_port
