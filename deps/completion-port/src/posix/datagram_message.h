// What receiving and sending fill in for each message.
#ifndef COMPLETION_PORT_POSIX_DATAGRAM_MESSAGE_H_
#define COMPLETION_PORT_POSIX_DATAGRAM_MESSAGE_H_

#include <sys/socket.h>

namespace completion_port::os {

#ifdef __linux__
using MessageHeader = mmsghdr;
#else
struct MessageHeader {
  msghdr msg_hdr;
  unsigned msg_len;
};
#endif

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_POSIX_DATAGRAM_MESSAGE_H_
