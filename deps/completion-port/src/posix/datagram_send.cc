// Sending on POSIX. See os/datagram.h.
//
// On Linux, datagrams to one peer that follow each other and are of one length, the last perhaps
// shorter, leave as one message, which the system cuts apart again below its IP layer
// (UDP_SEGMENT): it looks for the way once, not once for each. What it refuses in this form goes as
// single datagrams, and the socket remembers it.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "os/datagram.h"
#include "os/sockaddr.h"
#include "posix/datagram_message.h"

namespace completion_port::os {

namespace {

// What a message is cut into at most, in the oldest kernels that do it, and how long it is at most:
// with the headers of IPv6 and UDP no more than 65,535 bytes.
constexpr std::uint32_t kMostSegments = 64;
constexpr std::uint32_t kMostSegmentedBytes = 65535 - 40 - 8;

bool IsSamePeer(const DatagramRecord& one, const DatagramRecord& other) {
  if (one.family != other.family) return false;
  // The connected peer: what else stands there is of another time.
  if (one.family == static_cast<std::uint32_t>(Family::kNone)) return true;
  return one.port == other.port && one.scope_id == other.scope_id &&
         std::memcmp(one.address, other.address, sizeof one.address) == 0;
}

// How many from the front may be one message. Their payloads lie behind each other.
std::uint32_t RunOf(const DatagramRecord* records, std::uint32_t count, std::uint32_t most_bytes) {
  const DatagramRecord& first = records[0];
  if (first.length == 0 || first.length > most_bytes) return 1;
  std::uint32_t bytes = first.length;
  std::uint32_t run = 1;
  while (run < std::min(count, kMostSegments)) {
    const DatagramRecord& next = records[run];
    const bool fits = next.length != 0 && next.length <= first.length &&
                      bytes + next.length <= kMostSegmentedBytes;
    if (!fits || next.offset != first.offset + bytes || !IsSamePeer(first, next)) break;
    bytes += next.length;
    ++run;
    if (next.length < first.length) break;
  }
  return run;
}

#ifdef __linux__

// Of linux/udp.h, which the headers of an older C library do not have.
constexpr int kUdpSegment = 103;

bool OffersSegments(NativeSocket socket) {
  int bytes = 0;
  socklen_t length = sizeof bytes;
  return getsockopt(socket, IPPROTO_UDP, kUdpSegment, &bytes, &length) == 0;
}

union SegmentControl {
  cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(std::uint16_t))];
};

void CutInto(std::uint16_t segment_bytes, SegmentControl* control, msghdr* message) {
  control->header.cmsg_level = IPPROTO_UDP;
  control->header.cmsg_type = kUdpSegment;
  control->header.cmsg_len = CMSG_LEN(sizeof segment_bytes);
  std::memcpy(CMSG_DATA(&control->header), &segment_bytes, sizeof segment_bytes);
  message->msg_control = control;
  message->msg_controllen = sizeof *control;
}

#else

bool OffersSegments(NativeSocket) { return false; }
struct SegmentControl {};
void CutInto(std::uint16_t, SegmentControl*, msghdr*) {}

#endif

std::uint32_t MostSegmentBytes(NativeSocket socket, SegmentedSends* segmented) {
  if (segmented->state == SegmentedSends::State::kUnknown) {
    segmented->state =
        OffersSegments(socket) ? SegmentedSends::State::kOffered : SegmentedSends::State::kRefused;
  }
  return segmented->state == SegmentedSends::State::kOffered ? segmented->most_bytes : 0;
}

// A segment that is longer than the way carries, or a way that takes none at all. Whatever else it
// is, is an error of the datagram that stands first.
bool MayBeOfSegmenting(Error error) {
  return error == Error::kInvalidArgument || error == Error::kMessageTooLong || error == Error::kIo;
}

// So many bytes left alone, and not as segments.
void Remember(Error refusal, std::uint32_t length, SegmentedSends* segmented) {
  if (refusal == Error::kIo) segmented->state = SegmentedSends::State::kRefused;
  segmented->most_bytes = std::min(segmented->most_bytes, length - 1);
}

// The messages of one call.
struct Batch {
  MessageHeader headers[kDatagramSendBatch];
  iovec from[kDatagramSendBatch];
  sockaddr_storage to[kDatagramSendBatch];
  SegmentControl controls[kDatagramSendBatch];
  std::uint32_t runs[kDatagramSendBatch];  // datagrams in each message
  std::uint32_t size = 0;

  // From the front. `single`: so many of them are messages of their own.
  void Fill(const DatagramRecord* records, std::uint32_t count, const std::uint8_t* payloads,
            std::uint32_t single, std::uint32_t most_bytes) {
    size = 0;
    for (std::uint32_t i = 0; i < count && size < kDatagramSendBatch; i += runs[size++]) {
      runs[size] = i < single ? 1 : RunOf(&records[i], count - i, most_bytes);
      Write(&records[i], payloads);
    }
  }

  void Write(const DatagramRecord* first, const std::uint8_t* payloads) {
    const DatagramRecord& last = first[runs[size] - 1];
    const std::size_t length = last.offset + last.length - first->offset;
    from[size] = {const_cast<std::uint8_t*>(payloads) + first->offset, length};
    msghdr& message = headers[size].msg_hdr;
    message = {};
    message.msg_namelen = ToSockaddr(PeerOf(*first), &to[size]);
    if (message.msg_namelen != 0) message.msg_name = &to[size];
    message.msg_iov = &from[size];
    message.msg_iovlen = 1;
    if (runs[size] > 1) {
      CutInto(static_cast<std::uint16_t>(first->length), &controls[size], &message);
    }
  }
};

// How many messages left, or -1 with errno: from the front, by one call where the system has one.
int SendMany(NativeSocket socket, MessageHeader* headers, std::uint32_t count) {
#ifdef __linux__
  if (count == 1) {
    // Cheaper than the call for many.
    return sendmsg(socket, &headers[0].msg_hdr, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -1 : 1;
  }
  return sendmmsg(socket, headers, count, MSG_DONTWAIT | MSG_NOSIGNAL);
#else
  std::uint32_t done = 0;
  for (; done < count; ++done) {
    if (sendmsg(socket, &headers[done].msg_hdr, MSG_DONTWAIT) < 0) {
      return done == 0 ? -1 : static_cast<int>(done);
    }
  }
  return static_cast<int>(done);
#endif
}

}  // namespace

std::uint32_t SendDatagrams(NativeSocket socket, SegmentedSends* segmented, DatagramRecord* records,
                            std::uint32_t count, const std::uint8_t* payloads) {
  Batch batch;
  std::uint32_t done = 0;
  std::uint32_t single_until = 0;  // what was refused as one message ends here
  Error refusal = Error::kOk;      // why, until it is known what that was
  while (done < count) {
    const std::uint32_t most_bytes = count > 1 ? MostSegmentBytes(socket, segmented) : 0;
    const std::uint32_t single = std::max(single_until, done) - done;
    batch.Fill(&records[done], count - done, payloads, single, most_bytes);
    const int sent = SendMany(socket, batch.headers, batch.size);
    if (sent > 0) {
      if (refusal != Error::kOk) Remember(refusal, records[done].length, segmented);
      refusal = Error::kOk;
      for (int i = 0; i < sent; ++i) {
        for (std::uint32_t left = batch.runs[i]; left > 0; --left, ++done) {
          records[done].result = static_cast<std::int32_t>(records[done].length);
        }
      }
      continue;
    }
    const Error error = FromOsError(errno, Operating::kSend);
    if (error == Error::kInterrupted) continue;
    if (batch.runs[0] > 1 && MayBeOfSegmenting(error)) {
      single_until = done + batch.runs[0];
      refusal = error;
      continue;
    }
    // An error is of the first alone: the others are tried after it.
    refusal = Error::kOk;
    records[done].result = ToResult(error);
    if (error == Error::kTryAgain || error == Error::kNoBufferSpace) break;
    ++done;
  }
  return done;
}

}  // namespace completion_port::os
