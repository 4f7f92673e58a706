// How connections begin: connects, listeners, and the port an accepted socket is to live on.
#include "os/local_socket.h"
#include "port_core.h"

namespace completion_port {

namespace {
// Accepted sockets that the consumer has not read of: at most so many, or nearly (see
// BackendEvents::AcceptsWanted). Where others accept from the listener too, it takes the next one
// when it has time for it.
constexpr std::uint32_t kUnreadAccepts = 32;
constexpr std::uint32_t kUnreadSharedAccepts = 1;
}  // namespace

// --- Connect

void PortCore::Connect(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kConnect);
  Connection* connection = connections_.Find(submission.id);
  if (connection == nullptr || connection->state != ConnectionState::kPrepared) {
    return Complete(Opcode::kConnect, submission.id, ToResult(Error::kBadDescriptor));
  }
  counters_.Set(Counter::kSocketsOpen, connections_.Live());
  connection->receive.connection = connection;
  connection->send.connection = connection;
  connection->state = ConnectionState::kConnecting;
  const Error error = backend_->Attach(*connection);
  // Nothing to connect: it was adopted.
  const bool adopted = connection->remote == nullptr;
  if (adopted || error != Error::kOk) return OnConnect(*connection, error);
  backend_->SubmitConnect(*connection);
}

void PortCore::OnConnect(Connection& connection, Error error) {
  const bool adopted = connection.remote == nullptr;
  connection.remote.reset();
  if (connection.state != ConnectionState::kConnecting) {  // closed meanwhile
    Complete(Opcode::kConnect, connection.id.load(std::memory_order_relaxed),
             ToResult(Error::kCanceled));
    return ContinueClose(connection);
  }
  connection.state = ConnectionState::kOpen;
  Complete(Opcode::kConnect, connection.id.load(std::memory_order_relaxed), ToResult(error));
  if (error != Error::kOk) {
    connection.receive_side = ReceiveSide::kFailed;
    return FailSends(connection, error);
  }
  if (!adopted) connects_made_.fetch_add(1, std::memory_order_relaxed);
  ListPinned(connection);
  IssueReceive(connection);
  IssueSend(connection);
}

// --- Accept

void PortCore::Accept(const Submission& submission) {
  Listener* listener = listeners_.Find(submission.id);
  if ((submission.flags & kAcceptShared) != 0) {
    if (listener == nullptr || listener->shared) return;
    listener->shared = true;
    if (listener->state == ListenerState::kAccepting) backend_->Share(*listener);
    return;
  }
  counters_.AddSubmitted(Opcode::kAccept);
  if (listener == nullptr || listener->state != ListenerState::kPrepared) return;
  counters_.Set(Counter::kListenersOpen, listeners_.Live());
  listener->accepted_credit = submission.arg0;
  const Error error = backend_->Attach(*listener);
  if (error != Error::kOk) {
    return Complete(Opcode::kAccept, submission.id, ToResult(error), 0, ordinal_);
  }
  listener->state = ListenerState::kAccepting;
  backend_->SubmitAccept(*listener);
}

// Had a shared listener not accepted it here, another of those who have the socket would have it.
bool PortCore::TakesAccepted(const Listener& listener) const {
  if (listener.state == ListenerState::kAccepting) return true;
  return listener.shared && !stopping_.load();
}

void PortCore::OnAccept(Listener& listener, NativeSocket socket, Error error) {
  const ListenerId id = listener.id.load(std::memory_order_relaxed);
  if (error != Error::kOk) {
    if (listener.state == ListenerState::kAccepting) {
      Complete(Opcode::kAccept, id, ToResult(error), 0, ordinal_);
    }
    return;
  }
  if (!TakesAccepted(listener)) {
    // Accepted while the listener was being closed. Nobody waits for it any more, as nobody waits
    // for what a closing listener still has in its backlog: that gets RST, so does this.
    os::ResetOnClose(socket);
    return os::CloseSocket(socket, listener.Kind());
  }
  PortCore* least = this;
  for (PortCore* port : group_->accepting_) {
    // A pipe belongs to the queue that its instance was made for.
    if (os::IsPipe(listener.Kind())) break;
    if (port->Load() < least->Load()) least = port;
  }
  const AcceptedSocket accepted{socket, listener.Kind(), id, ordinal_, listener.accepted_credit};
  if (least != this && least->HandOver(accepted)) return;
  load_.fetch_add(1, std::memory_order_relaxed);
  Adopt(accepted);
}

void PortCore::Adopt(const AcceptedSocket& accepted) {
  Error error = Error::kOk;
  Connection* connection = connections_.Allocate(&error);
  if (connection == nullptr) {
    load_.fetch_sub(1, std::memory_order_relaxed);
    os::CloseSocket(accepted.socket, accepted.kind);
    return Complete(Opcode::kAccept, accepted.listener, ToResult(error), 0, accepted.listener_port);
  }
  connection->socket = accepted.socket;
  connection->kind = accepted.kind;
  connection->receive.connection = connection;
  connection->send.connection = connection;
  if (backend_->Attach(*connection) != Error::kOk) return TurnAway(*connection);
  counters_.Set(Counter::kSocketsOpen, connections_.Live());
  connection->state = ConnectionState::kOpen;
  connection->credit = accepted.credit;
  counters_.AddSubmitted(Opcode::kReceive, accepted.credit);
  const SocketId id = connection->id.load(std::memory_order_relaxed);
  Complete(Opcode::kAccept, accepted.listener, 0, id, accepted.listener_port);
  IssueReceive(*connection);
}

// It cannot join the queue, so nothing can be said of it: a socket of which a receive failed would
// need credit to say so, which nobody has granted yet. Its trouble, not the listener's: node:net
// drops what uv_accept refuses, too.
void PortCore::TurnAway(Connection& connection) {
  os::ResetOnClose(connection.socket);
  os::CloseSocket(connection.socket, connection.kind);
  connection.Recycle();
  connections_.Free(&connection);
  load_.fetch_sub(1, std::memory_order_relaxed);
  std::lock_guard<std::mutex> lock(inbox_mutex_);
  if (adopting_ != 0) --adopting_;
}

// --- Accepting no faster than the consumer reads

std::uint32_t PortCore::AcceptsWanted(Listener& listener) {
  const std::uint32_t most = listener.shared ? kUnreadSharedAccepts : kUnreadAccepts;
  const std::uint32_t unread = UnreadAcceptsOfGroup();
  if (unread < most) return most - unread;
  accepts_held_ = true;
  return 0;
}

std::uint32_t PortCore::UnreadAcceptsOfGroup() {
  std::uint32_t unread = options_.takes_accepted ? 0 : UnreadAccepts();
  for (PortCore* port : group_->accepting_) unread += port->UnreadAccepts();
  return unread;
}

std::uint32_t PortCore::UnreadAccepts() {
  const std::uint32_t read = header_.At(kCompletionHead).load();
  std::lock_guard<std::mutex> lock(inbox_mutex_);
  while (!unread_accepts_.empty() &&
         static_cast<std::int32_t>(read - unread_accepts_.Front()) > 0) {
    unread_accepts_.PopFront();
  }
  return static_cast<std::uint32_t>(unread_accepts_.size() + inbox_.size()) + adopting_;
}

void PortCore::NoteAcceptCompletion() {
  const auto held_back = static_cast<std::uint32_t>(overflow_.size());
  std::lock_guard<std::mutex> lock(inbox_mutex_);
  // Where there is no memory to note it, it is not counted: more may be accepted than are read.
  static_cast<void>(unread_accepts_.TryPush(completions_.Written() + held_back));
  if (adopting_ != 0) --adopting_;
}

// Not before every accept was read: so a backend that goes on has room for a whole batch.
void PortCore::ResumeHeldAccepts() {
  if (!accepts_held_) return;
  // Announce, then look: the consumer reads the flag after it has read on.
  header_.At(kCompletionOverflow).store(1);
  if (UnreadAcceptsOfGroup() != 0) return;
  accepts_held_ = false;
  if (overflow_.empty()) header_.At(kCompletionOverflow).store(0);
  backend_->ResumeAccepts();
}

void PortCore::CloseListener(const Submission& submission) {
  counters_.AddSubmitted(Opcode::kCloseListener);
  Listener* listener = listeners_.Find(submission.id);
  if (listener == nullptr || listener->state == ListenerState::kCancelling) return;
  if (listener->state == ListenerState::kPrepared) return FreeListener(*listener);
  listener->state = ListenerState::kCancelling;
  backend_->Cancel(*listener);
}

void PortCore::OnAcceptStopped(Listener& listener) { FreeListener(listener); }

void PortCore::FreeListener(Listener& listener) {
  const ListenerId id = listener.id.load(std::memory_order_relaxed);
  // The name before the descriptor: after it, the name might be somebody else's.
  os::RemoveLocalPath(listener.path);
  listener.path.clear();
  os::CloseSocket(listener.socket, listener.Kind());
  listener.socket = kInvalidSocket;
  listener.accepts.reset();
  listener.shared = false;
  listener.state = ListenerState::kFree;
  listeners_.Free(&listener);
  counters_.Set(Counter::kListenersOpen, listeners_.Live());
  Complete(Opcode::kCloseListener, id, 0);
}

}  // namespace completion_port
