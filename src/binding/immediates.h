#ifndef IOCP_NET_BINDING_IMMEDIATES_H_
#define IOCP_NET_BINDING_IMMEDIATES_H_

#include <napi.h>

namespace iocp_net {

// callWithImmediates(callback): calls back in the loop's check phase, in the order of what Node's
// native code defers to there and before JavaScript's setImmediate(). False where there is no way.
Napi::Value CallWithImmediates(const Napi::CallbackInfo& info);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_IMMEDIATES_H_
