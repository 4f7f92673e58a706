#include "echo.h"

#include "meter.h"

Echo::Echo(Client* client, int size, int depth)
    : client_(client),
      size_(static_cast<std::uint64_t>(size)),
      depth_(static_cast<std::uint64_t>(depth)),
      flows_(client->Connections().size()) {}

Echo::Flow& Echo::FlowOf(const Connection* connection) {
  return flows_[static_cast<std::size_t>(connection - client_->Connections().data())];
}

void Echo::Start(Connection* connection) {
  client_->Watch(connection, EPOLLIN);
  Ask(connection, NowNs(), depth_);
}

void Echo::Schedule(Connection* connection, std::uint64_t due) {
  closed_loop_ = false;
  client_->Watch(connection, connection->interest | EPOLLIN);
  Ask(connection, due, 1);
}

void Echo::StartCounting() {
  latencies_ = Histogram();
  messages_ = 0;
  count_from_ = NowNs();
}

void Echo::Ask(Connection* connection, std::uint64_t due, std::uint64_t count) {
  Flow& flow = FlowOf(connection);
  flow.due.insert(flow.due.end(), count, due);
  flow.asked += count;
  under_way_ += count;
  Continue(connection);
}

void Echo::Continue(Connection* connection) {
  // Messages start where the one echoed byte of the first contact ends.
  const bool all = client_->SendUpTo(connection, 1 + FlowOf(connection).asked * size_);
  client_->Watch(connection, all ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void Echo::Handle(Connection* connection, std::uint32_t events) {
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0 && client_->Receive(connection) > 0) {
    Flow& flow = FlowOf(connection);
    const std::uint64_t back = (connection->received - 1) / size_ - flow.done;
    if (back > 0) {
      const std::uint64_t now = NowNs();
      for (std::uint64_t i = 0; i < back; ++i) {
        if (flow.due.front() >= count_from_ || closed_loop_) {
          ++messages_;
          latencies_.Add(now - flow.due.front());
        }
        flow.due.pop_front();
      }
      flow.done += back;
      under_way_ -= back;
      if (closed_loop_) Ask(connection, NowNs(), back);
    }
  }
  if ((events & EPOLLOUT) != 0) Continue(connection);
}
