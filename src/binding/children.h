#ifndef IOCP_NET_BINDING_CHILDREN_H_
#define IOCP_NET_BINDING_CHILDREN_H_

#include <napi.h>

namespace iocp_net {

// hasChildren(): whether libuv has a child process in this environment, referenced or not; true
// where it cannot be asked.
Napi::Value HasChildren(const Napi::CallbackInfo& info);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_CHILDREN_H_
