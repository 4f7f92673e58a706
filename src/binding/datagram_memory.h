// How the memory is laid out that the datagrams of a port come in and leave by. JavaScript learns
// of it from layout.cc.
//
//   records of what was received, kDatagramBatch
//   records of what is to be sent, kDatagramSendRecords
//   payloads of what was received, kDatagramRoom bytes each
//   payloads of what is to be sent, one behind the other
//
// It is touched as it is used: small datagrams need a page each.
#ifndef IOCP_NET_BINDING_DATAGRAM_MEMORY_H_
#define IOCP_NET_BINDING_DATAGRAM_MEMORY_H_

#include <cstddef>

#include "completion_port/datagram.h"

namespace iocp_net {

inline constexpr std::size_t kDatagramSendRecords = completion_port::kDatagramSendBatch;
// Several of the longest.
inline constexpr std::size_t kDatagramSendBytes = std::size_t{256} * 1024;

inline constexpr std::size_t kDatagramsReceivedAt = 0;
inline constexpr std::size_t kDatagramsSendAt =
    kDatagramsReceivedAt + completion_port::kDatagramBatch * completion_port::kDatagramRecordBytes;
inline constexpr std::size_t kDatagramPayloadsAt =
    kDatagramsSendAt + kDatagramSendRecords * completion_port::kDatagramRecordBytes;
inline constexpr std::size_t kDatagramSendPayloadsAt =
    kDatagramPayloadsAt +
    std::size_t{completion_port::kDatagramBatch} * completion_port::kDatagramRoom;
inline constexpr std::size_t kDatagramMemoryBytes = kDatagramSendPayloadsAt + kDatagramSendBytes;

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_DATAGRAM_MEMORY_H_
