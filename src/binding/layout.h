#ifndef IOCP_NET_BINDING_LAYOUT_H_
#define IOCP_NET_BINDING_LAYOUT_H_

#include <napi.h>

namespace iocp_net {

// Where a result has two numbers of bytes, the first stands this many bits higher.
inline constexpr int kTextBytesShift = 15;

// The constants of completion_port/layout.h and error.h as one frozen object (type `Layout` in
// src/port/binding.ts).
Napi::Object ExportLayout(Napi::Env env);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_LAYOUT_H_
