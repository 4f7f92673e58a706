#include "echo.h"

#include "meter.h"

void Echo::Start(Connection* connection) {
  client_->Watch(connection, EPOLLIN);
  SendNext(connection);
}

// A connection is between messages whenever it has received as much as it has sent.
void Echo::SendNext(Connection* connection) {
  connection->started = NowNs();
  Continue(connection);
}

void Echo::Continue(Connection* connection) {
  // Messages start where the one echoed byte of the first contact ends.
  const std::uint64_t position = 1 + ((connection->received - 1) / size_ + 1) * size_;
  const bool all = client_->SendUpTo(connection, position);
  client_->Watch(connection, all ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Echo::Handle(Connection* connection, std::uint32_t events) {
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0 && client_->Receive(connection) > 0 &&
      (connection->received - 1) % size_ == 0) {
    ++messages_;
    latencies_.Add(NowNs() - connection->started);
    SendNext(connection);
  } else if ((events & EPOLLOUT) != 0) {
    Continue(connection);
  }
}

void Echo::RunUntil(std::uint64_t time, std::uint64_t messages) {
  while (NowNs() < time && messages_ < messages) {
    client_->Turn(
        50, [&](Connection* connection, std::uint32_t events) { Handle(connection, events); });
  }
}
