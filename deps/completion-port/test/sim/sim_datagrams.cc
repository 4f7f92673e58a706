// The simulated system has no datagram sockets: preparing one says so, and nothing else is reached.
#include "os/datagram.h"

namespace completion_port::os {

Error OpenDatagrams(Family, NativeSocket*) { return Error::kNotSupported; }
Error BindDatagrams(NativeSocket, const DatagramOptions&) { return Error::kNotSupported; }
Error ConnectDatagrams(NativeSocket, const Address&) { return Error::kNotSupported; }
Error DisconnectDatagrams(NativeSocket) { return Error::kNotSupported; }
Error SetDatagramOption(NativeSocket, Family, DatagramOption, int) { return Error::kNotSupported; }
Error SetMulticastInterface(NativeSocket, const Address&) { return Error::kNotSupported; }
Error JoinGroup(NativeSocket, const Membership&, bool) { return Error::kNotSupported; }
Error DatagramBufferSize(NativeSocket, DatagramBuffer, int*) { return Error::kNotSupported; }

std::int32_t ReceiveDatagrams(NativeSocket, DatagramRecord*, std::uint32_t, std::uint8_t*) {
  return ToResult(Error::kNotSupported);
}

std::uint32_t SendDatagrams(NativeSocket, SegmentedSends*, DatagramRecord*, std::uint32_t,
                            const std::uint8_t*) {
  return 0;
}

}  // namespace completion_port::os
