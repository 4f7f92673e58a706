// An echo server of two threads: one receives, the other sends, and a wake-up lies between them for
// each batch, as between our I/O thread and JavaScript's. What it takes more than the servers of
// one thread is what the hop itself costs on the machine, whoever makes it.
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "poller.h"

namespace {

struct Connection {
  int fd;
  std::vector<char> unsent = {};  // the sending thread's
  bool is_over = false;           // the sending thread's: it closes when nothing is unsent
};

// What was received of one connection, in `Batch::bytes`; of length 0 at its end.
struct Message {
  Connection* connection;
  std::size_t length;
};

struct Batch {
  std::vector<Message> messages;
  std::vector<char> bytes;

  void Clear() {
    messages.clear();
    bytes.clear();
  }
};

// From the receiving thread to the sending one. A connection goes along with its last message.
class Handover {
 public:
  int wake() const { return wake_; }

  void Give(const Batch& batch) {
    {
      const std::lock_guard lock(mutex_);
      batch_.messages.insert(batch_.messages.end(), batch.messages.begin(), batch.messages.end());
      batch_.bytes.insert(batch_.bytes.end(), batch.bytes.begin(), batch.bytes.end());
    }
    if (is_asleep_.exchange(false)) eventfd_write(wake_, 1);
  }

  void Take(Batch* batch) {
    batch->Clear();
    const std::lock_guard lock(mutex_);
    std::swap(batch_, *batch);
  }

  // False if something came meanwhile.
  bool FallAsleep() {
    is_asleep_ = true;
    const std::lock_guard lock(mutex_);
    return batch_.messages.empty();
  }

  void Awake() {
    is_asleep_ = false;
    eventfd_t count;
    eventfd_read(wake_, &count);
  }

 private:
  const int wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> is_asleep_{false};
  std::mutex mutex_;
  Batch batch_;
};

class Receiver {
 public:
  explicit Receiver(Handover* handover) : handover_(handover) {}

  [[noreturn]] void Run() {
    for (;;) {
      poller_.Turn([this](Connection* connection) { Receive(connection); });
      if (batch_.messages.empty()) continue;
      handover_->Give(batch_);
      batch_.Clear();
    }
  }

 private:
  void Receive(Connection* connection) {
    const ssize_t got = recv(connection->fd, buffer_, kReceiveBytes, 0);
    if (got < 0 && errno == EAGAIN) return;
    const std::size_t length = got > 0 ? static_cast<std::size_t>(got) : 0;
    if (length == 0) poller_.Remove(connection->fd);
    batch_.messages.push_back({connection, length});
    batch_.bytes.insert(batch_.bytes.end(), buffer_, buffer_ + length);
  }

  Handover* const handover_;
  ConnectionPoller<Connection> poller_{EPOLLIN};
  Batch batch_;
  char buffer_[kReceiveBytes];
};

class Sender {
 public:
  explicit Sender(Handover* handover) : handover_(handover) {
    poller_.Add(handover->wake(), EPOLLIN, nullptr);
  }

  [[noreturn]] void Run() {
    for (;;) {
      const int timeout_ms = handover_->FallAsleep() ? -1 : 0;
      poller_.Wait(timeout_ms, [this](void* data) {
        if (data != nullptr) SendRest(static_cast<Connection*>(data));
      });
      handover_->Awake();
      SendAll();
    }
  }

 private:
  void SendAll() {
    handover_->Take(&batch_);
    const char* bytes = batch_.bytes.data();
    for (const auto& [connection, length] : batch_.messages) {
      if (length == 0) {
        connection->is_over = true;
        if (connection->unsent.empty()) Close(connection);
      } else {
        Send(connection, bytes, length);
        bytes += length;
      }
    }
  }

  void Send(Connection* connection, const char* bytes, std::size_t length) {
    auto& unsent = connection->unsent;
    std::size_t taken = 0;
    if (unsent.empty()) {
      const ssize_t sent = send(connection->fd, bytes, length, 0);
      // After an error the receiving thread meets the end, and the connection comes for the last
      // time.
      if (sent < 0 && errno != EAGAIN) return;
      taken = sent > 0 ? static_cast<std::size_t>(sent) : 0;
      if (taken == length) return;
      poller_.Add(connection->fd, EPOLLOUT, connection);
    }
    unsent.insert(unsent.end(), bytes + taken, bytes + length);
  }

  void SendRest(Connection* connection) {
    auto& unsent = connection->unsent;
    const ssize_t sent = send(connection->fd, unsent.data(), unsent.size(), 0);
    if (sent < 0 && errno == EAGAIN) return;
    unsent.erase(unsent.begin(), sent < 0 ? unsent.end() : unsent.begin() + sent);
    if (!unsent.empty()) return;
    poller_.Remove(connection->fd);
    if (connection->is_over) Close(connection);
  }

  void Close(Connection* connection) {
    close(connection->fd);
    delete connection;
  }

  Handover* const handover_;
  Poller poller_;
  Batch batch_;
};

}  // namespace

int main() {
  Handover handover;
  auto receiver = std::make_unique<Receiver>(&handover);
  std::thread sending([&handover] { Sender(&handover).Run(); });
  receiver->Run();
}
