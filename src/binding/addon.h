#ifndef IOCP_NET_BINDING_ADDON_H_
#define IOCP_NET_BINDING_ADDON_H_

#include <napi.h>

namespace iocp_net {

// What JavaScript calls (Binding in src/port/binding.ts).
Napi::Object Init(Napi::Env env, Napi::Object exports);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_ADDON_H_
