#ifndef IOCP_NET_BINDING_NATIVE_HANDLES_H_
#define IOCP_NET_BINDING_NATIVE_HANDLES_H_

#include <napi.h>

namespace iocp_net {

// Adds to the exports what is done with sockets that are in no port, and with the caller's memory.
void ExportNativeHandles(Napi::Env env, Napi::Object exports);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_NATIVE_HANDLES_H_
