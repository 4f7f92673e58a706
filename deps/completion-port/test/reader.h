// A peer that reads while the test does something else.
#ifndef COMPLETION_PORT_TEST_READER_H_
#define COMPLETION_PORT_TEST_READER_H_

#include <cstdint>
#include <thread>
#include <vector>

#include "client.h"
#include "peer.h"

namespace completion_port::test {

// Reads on a thread of its own; what came is there after Join().
class Reader {
 public:
  explicit Reader(Peer* peer, std::size_t limit = 1 << 20, int pause_ms = 0)
      : thread_([this, peer, limit, pause_ms] {
          std::vector<std::uint8_t> data;
          for (int i = 0; end_ == PeerStatus::kOk; ++i) {
            data.clear();
            end_ = peer->ReceiveSome(&data, limit, Patience(5000));
            bytes_.insert(bytes_.end(), data.begin(), data.end());
            if (i < 5 && pause_ms != 0) SleepMs(pause_ms);
          }
        }) {}
  ~Reader() { Join(); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  PeerStatus Join() {
    if (thread_.joinable()) thread_.join();
    return end_;
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  PeerStatus end_ = PeerStatus::kOk;
  std::vector<std::uint8_t> bytes_;
  std::thread thread_;
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_READER_H_
