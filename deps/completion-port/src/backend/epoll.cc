// The epoll backend: the turn. How everything works is said in epoll_backend.h.
#include "backend/epoll.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "backend/epoll_backend.h"

namespace completion_port {

namespace {

constexpr std::uint32_t kReads = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET;
constexpr std::uint32_t kEnds = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

}  // namespace

std::unique_ptr<Backend> CreateEpollBackend() { return TryMake<EpollBackend>(); }

Error ProbeEpoll() {
  const int fd = epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) return FromOsError(errno, Operating::kControl);
  close(fd);
  return Error::kOk;
}

EpollBackend::~EpollBackend() {
  if (wake_fd_ >= 0) close(wake_fd_);
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

Error EpollBackend::Open(const BackendContext& context) {
  events_ = context.events;
  chunks_ = context.chunks;
  counters_ = context.counters;
  if (!ready_.Reserve(context.queue_entries)) return Error::kNoMemory;
  if (!context.batch_sends) batch_sends_.Forbid();
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_fd_ < 0) return FromOsError(errno, Operating::kControl);
  wake_fd_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return FromOsError(errno, Operating::kControl);
  // Every write of the eventfd is a change. The number in it is never read; it would take centuries
  // to fill.
  int error = Control(EPOLL_CTL_ADD, wake_fd_, EPOLLIN | EPOLLET, nullptr, EpollTag::kWake);
  if (error != 0) return FromOsError(error, Operating::kControl);
  const Error no_timer = timer_.Open();
  if (no_timer != Error::kOk) return no_timer;
  error = Control(EPOLL_CTL_ADD, timer_.fd(), EPOLLIN | EPOLLET, nullptr, EpollTag::kTimer);
  if (error != 0) return FromOsError(error, Operating::kControl);
  datagrams_.Use(epoll_fd_, static_cast<std::uint64_t>(EpollTag::kDatagrams), events_, counters_);
  spare_.TakeBack();
  return Error::kOk;
}

Error EpollBackend::WatchDescriptor(std::intptr_t descriptor) {
  watched_fd_ = static_cast<int>(descriptor);
  const int error =
      Control(EPOLL_CTL_ADD, watched_fd_, EPOLLIN | EPOLLONESHOT, nullptr, EpollTag::kDescriptor);
  if (error == 0) watch_ = DescriptorWatch::kArmed;
  return FromOsError(error, Operating::kControl);
}

void EpollBackend::WatchAgain() {
  if (watch_ != DescriptorWatch::kFired) return;
  Control(EPOLL_CTL_MOD, watched_fd_, EPOLLIN | EPOLLONESHOT, nullptr, EpollTag::kDescriptor);
  watch_ = DescriptorWatch::kArmed;
}

void EpollBackend::Wake() {
  const std::uint64_t one = 1;
  // Fails only when the number is full, and then the event is on its way.
  if (write(wake_fd_, &one, sizeof one) < 0) return;
}

// --- The set

// 0 or errno.
int EpollBackend::Control(int operation, int fd, std::uint32_t events, const void* about,
                          EpollTag tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = reinterpret_cast<std::uintptr_t>(about) | static_cast<std::uint64_t>(tag);
  CountCall();
  return epoll_ctl(epoll_fd_, operation, fd, &event) == 0 ? 0 : errno;
}

int EpollBackend::WatchReads(Connection& connection) {
  if (connection.epoll.watch != EpollWatch::kNone) return 0;
  const int error =
      Control(EPOLL_CTL_ADD, connection.socket, kReads, &connection, EpollTag::kConnection);
  if (error == 0) connection.epoll.watch = EpollWatch::kReads;
  return error;
}

int EpollBackend::WatchWrites(Connection& connection) {
  EpollNotes& notes = connection.epoll;
  // That there is no room now a file system may say, too, and no event would come of that: asked
  // anew, epoll tells the state of the socket.
  const bool is_file = connection.sends.FileIsFirst();
  if (notes.watch == EpollWatch::kReadsAndWrites && !is_file) return 0;
  const int operation = notes.watch == EpollWatch::kNone ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  const int error =
      Control(operation, connection.socket, kReads | EPOLLOUT, &connection, EpollTag::kConnection);
  if (error == 0) notes.watch = EpollWatch::kReadsAndWrites;
  return error;
}

void EpollBackend::Detach(Connection& connection) {
  if (lone_ == &connection) lone_ = nullptr;
  if (connection.epoll.watch == EpollWatch::kNone) return;
  Control(EPOLL_CTL_DEL, connection.socket, 0, nullptr, EpollTag::kConnection);
  connection.epoll.watch = EpollWatch::kNone;
}

// --- Waiting

void EpollBackend::Wait(int timeout_ms) {
  SendSubmitted();
  // A flood of datagrams has something to report in every turn, and nobody is to wait for that.
  const bool may_be_enough = !datagrams_.HasToReport();
  const bool has_told = ReportReady();
  if (may_be_enough && ready_.IsEnough(has_told)) return;
  Poll(has_told || !ready_.IsEmpty() ? 0 : UntilNextDeadline(timeout_ms));
  TrySendsAgain();
  EndPauses();
  LookAtShared();
  AcceptReady();
  ReportReady();
}

// Receives are for the turn: what they would find has not been asked for yet.
void EpollBackend::Report() {
  SendSubmitted();
  ReportStopped();
  const auto is_due = [](const Operation* operation) {
    if (operation->state == OperationState::kCancelling) return true;
    const Connection& connection = *operation->connection;
    return operation == &connection.send && connection.epoll.send_waits == EpollWait::kNothing;
  };
  ready_.ReportWhere(is_due, [this](Operation* operation) { Report(*operation); });
  SendSubmitted();
}

int EpollBackend::UntilNextDeadline(int timeout_ms) const {
  timeout_ms = shared_.UntilNextLook(timeout_ms);
  if (timeout_ms == 0 || (paused_sends_.empty() && waiting_.empty())) return timeout_ms;
  const std::uint64_t now_ms = os::NowMs();
  if (!paused_sends_.empty()) timeout_ms = ShorterWait(timeout_ms, now_ms, next_sends_ms_);
  for (const EpollAccept* accept : waiting_) {
    if (accept->state != EpollAcceptState::kPaused) continue;
    timeout_ms = ShorterWait(timeout_ms, now_ms, accept->paused_until_ms);
  }
  return timeout_ms;
}

void EpollBackend::Poll(int timeout_ms) {
  const bool timer_ends_wait = timeout_ms > 0 && timer_.FireWithin(timeout_ms);
  const int count = epoll_wait(epoll_fd_, batch_, kBatch, timer_ends_wait ? -1 : timeout_ms);
  CountCall();
  if (count <= 0) return;
  lone_ = nullptr;
  const bool was_set = timer_.IsSet();
  for (int i = 0; i < count; ++i) Note(batch_[i]);
  if (count != 1) lone_ = nullptr;
  const bool has_fired = was_set && !timer_.IsSet();
  const int packets = has_fired ? count - 1 : count;
  if (packets == 0) return;
  counters_->Add(Counter::kBatches);
  counters_->Add(Counter::kPackets, static_cast<std::uint64_t>(packets));
}

// Calls no event of the core: see epoll_backend.h.
void EpollBackend::Note(const epoll_event& event) {
  const std::uint64_t data = event.data.u64;
  void* const about = reinterpret_cast<void*>(static_cast<std::uintptr_t>(data & ~kEpollTagMask));
  switch (static_cast<EpollTag>(data & kEpollTagMask)) {
    case EpollTag::kConnection:
      return Note(*static_cast<Connection*>(about), event.events);
    case EpollTag::kListener:
      ready_accepts_.push_back(
          static_cast<EpollAccept*>(static_cast<Listener*>(about)->accepts.get()));
      return;
    case EpollTag::kWake:
      return counters_->Add(Counter::kPortWakeups);
    case EpollTag::kTimer:
      return timer_.Fired();
    case EpollTag::kDatagrams:
      return datagrams_.Note(*static_cast<DatagramSocket*>(about), event.events);
    case EpollTag::kDescriptor:
      watch_ = DescriptorWatch::kFired;
      return;  // returning is all that was asked for
  }
}

void EpollBackend::Note(Connection& connection, std::uint32_t events) {
  EpollNotes& notes = connection.epoll;
  if ((events & EPOLLIN) != 0) lone_ = &connection;
  if ((events & (kEnds | EPOLLPRI)) != 0) notes.short_receive = ShortReceive::kProvesNothing;
  if ((events & (kEnds | EPOLLPRI | EPOLLIN)) != 0) {
    notes.readable = Readable::kYes;
    if (notes.receive_waits == EpollWait::kEvent) {
      notes.receive_waits = EpollWait::kNothing;
      ready_.Add(&connection.receive);
    }
  }
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) == 0) return;
  if (notes.send_waits == EpollWait::kEvent) {
    // The system tells an error once, and who reads is to learn of it, as with libuv: a send that
    // asked first would leave the receive an end of stream.
    const bool receive_is_first =
        (events & EPOLLERR) != 0 && connection.receive.state == OperationState::kSubmitted;
    if (!receive_is_first) return Continue(connection);
    notes.send_waits = EpollWait::kReceive;
    ready_.Add(&connection.send);
    return;
  }
  // It came for this alone, and nobody waits.
  if (events == EPOLLOUT && notes.watch == EpollWatch::kReadsAndWrites) {
    Control(EPOLL_CTL_MOD, connection.socket, kReads, &connection, EpollTag::kConnection);
    notes.watch = EpollWatch::kReads;
  }
}

// False if there was nothing to report.
bool EpollBackend::ReportReady() {
  const bool any_stopped = ReportStopped();
  const bool any_datagrams = datagrams_.Report();
  const bool any = ready_.ReportAll([this](Operation* operation) { return Report(*operation); });
  SendSubmitted();
  return any || any_stopped || any_datagrams;
}

bool EpollBackend::Report(Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kReceive:
    case OperationKind::kReadable:
      return ReportReceive(*operation.connection);
    case OperationKind::kSend:
    case OperationKind::kConnect:
      ReportSend(*operation.connection);
      return true;
    // LCOV_EXCL_START: has no such operation
    case OperationKind::kShutdown:  // of pipes only
    case OperationKind::kAccept:    // has no Operation here
    case OperationKind::kLook:      // of Windows only
      break;
      // LCOV_EXCL_STOP
  }
  return false;
}

// --- Cancelling

void EpollBackend::Cancel(Connection& connection) {
  EpollNotes& notes = connection.epoll;
  if (connection.receive.state == OperationState::kSubmitted) {
    connection.receive.state = OperationState::kCancelling;
    if (notes.receive_waits == EpollWait::kEvent) ready_.Add(&connection.receive);
    notes.receive_waits = EpollWait::kNothing;
  }
  if (connection.send.state != OperationState::kSubmitted) return;
  connection.send.state = OperationState::kCancelling;
  if (notes.send_waits == EpollWait::kNothing) return;  // it has a result, to be reported
  if (notes.send_waits == EpollWait::kPause) std::erase(paused_sends_, &connection);
  if (notes.send_waits == EpollWait::kOthers) {
    std::erase(submitted_sends_, &connection);
    std::erase(submitted_files_, &connection);
  }
  FinishSend(connection, ToResult(Error::kCanceled));
}

}  // namespace completion_port
