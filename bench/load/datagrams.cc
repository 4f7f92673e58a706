// Datagrams that are answered: each peer is a socket of its own, with so many under way. What is
// lost is sent anew after a while.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include "client.h"
#include "modes.h"
#include "print.h"

namespace {

constexpr int kBatch = 64;
constexpr std::size_t kRoom = 65536;
// Without an answer for so long, all that a peer had under way is taken for lost.
constexpr double kLostAfterSeconds = 0.2;

struct Peer {
  int fd = -1;
  std::uint64_t answers = 0;
  std::uint64_t answers_before = 0;  // when it was looked at last
};

class Datagrams {
 public:
  explicit Datagrams(const Options& options)
      : depth_(options.depth),
        payload_(static_cast<std::size_t>(options.size)),
        received_(kBatch * kRoom),
        peers_(static_cast<std::size_t>(options.connections)),
        epoll_(epoll_create1(0)) {
    std::memcpy(payload_.data(), Pattern::At(0), payload_.size());
    for (Peer& peer : peers_) Open(&peer, options.port);
  }

  std::uint64_t Answers() const { return answers_; }
  std::uint64_t Lost() const { return lost_; }

  void SendAll() {
    for (Peer& peer : peers_) Send(peer, depth_);
  }

  void RunUntil(std::uint64_t time) {
    std::uint64_t next_look = In(kLostAfterSeconds);
    epoll_event events[kBatch];
    while (NowNs() < time) {
      const int count = epoll_wait(epoll_, events, kBatch, 50);
      if (count < 0 && errno != EINTR) Fail("epoll_wait", errno);
      for (int i = 0; i < count; ++i) Answer(static_cast<Peer*>(events[i].data.ptr));
      if (NowNs() < next_look) continue;
      next_look = In(kLostAfterSeconds);
      for (Peer& peer : peers_) SendWhatIsLost(&peer);
    }
  }

 private:
  void Open(Peer* peer, int port) {
    peer->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(static_cast<std::uint16_t>(port));
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(peer->fd, reinterpret_cast<const sockaddr*>(&server), sizeof(server)) != 0) {
      Fail("connect", errno);
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = peer;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, peer->fd, &event) != 0) Fail("epoll_ctl", errno);
  }

  void Fill(mmsghdr* headers, iovec* pieces, int count, std::uint8_t* at, std::size_t stride,
            std::size_t bytes) {
    for (int i = 0; i < count; ++i) {
      pieces[i] = {at + static_cast<std::size_t>(i) * stride, bytes};
      headers[i] = {};
      headers[i].msg_hdr.msg_iov = &pieces[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }

  void Send(const Peer& peer, int count) {
    mmsghdr headers[kBatch];
    iovec pieces[kBatch];
    for (int left = count; left > 0;) {
      const int batch = std::min(left, kBatch);
      Fill(headers, pieces, batch, payload_.data(), 0, payload_.size());
      const int sent = sendmmsg(peer.fd, headers, static_cast<unsigned>(batch), 0);
      if (sent < 0 && errno == EAGAIN) return;  // it counts as lost
      if (sent < 0) Fail("sendmmsg", errno);
      left -= sent;
    }
  }

  void Answer(Peer* peer) {
    mmsghdr headers[kBatch];
    iovec pieces[kBatch];
    const int most = std::min(depth_ + 1, kBatch);
    Fill(headers, pieces, most, received_.data(), kRoom, kRoom);
    const int count = recvmmsg(peer->fd, headers, static_cast<unsigned>(most), 0, nullptr);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0) Fail("recvmmsg", errno);
    for (int i = 0; i < count; ++i) Check(headers[i].msg_len, pieces[i].iov_base);
    peer->answers += static_cast<std::uint64_t>(count);
    answers_ += static_cast<std::uint64_t>(count);
    Send(*peer, count);
  }

  void Check(std::size_t bytes, const void* data) const {
    if (bytes != payload_.size()) Fail("an answer of another length");
    Pattern::Check(static_cast<const std::uint8_t*>(data), bytes, 0);
  }

  void SendWhatIsLost(Peer* peer) {
    if (peer->answers == peer->answers_before) {
      lost_ += static_cast<std::uint64_t>(depth_);
      Send(*peer, depth_);
    }
    peer->answers_before = peer->answers;
  }

  int depth_;
  std::vector<std::uint8_t> payload_;
  std::vector<std::uint8_t> received_;
  std::vector<Peer> peers_;
  int epoll_;
  std::uint64_t answers_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace

void RunDatagrams(const Options& options) {
  if (static_cast<std::size_t>(options.size) >= kRoom) Fail("a datagram is shorter");
  Datagrams datagrams(options);
  datagrams.SendAll();
  datagrams.RunUntil(In(options.warm));
  const std::uint64_t before = datagrams.Answers();
  const Meter meter(options.pid);
  const Reading begin = meter.Read();
  datagrams.RunUntil(In(options.seconds));
  const Reading end = meter.Read();
  Print(begin, end, datagrams.Answers() - before, datagrams.Answers(),
        "\"lost\":" + std::to_string(datagrams.Lost()));
}
