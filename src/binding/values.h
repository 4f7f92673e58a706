#ifndef IOCP_NET_BINDING_VALUES_H_
#define IOCP_NET_BINDING_VALUES_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>

#include "completion_port/completion_port.h"

namespace iocp_net {

// A result for JavaScript: 0, or minus the index of an error in layout.errors.
Napi::Value Result(Napi::Env env, completion_port::Error error);
Napi::Value ErrorName(Napi::Env env, completion_port::Error error);
Napi::Value HandleOrError(Napi::Env env, completion_port::Error error, std::intptr_t native);
// The id as the signed 32-bit number that JavaScript reads from a record. It can be negative, so
// ids and errors do not share a number: errors come as strings.
Napi::Value IdOrError(Napi::Env env, completion_port::Error error, std::uint32_t id);
Napi::Value AddressOrError(Napi::Env env, completion_port::Error error,
                           const completion_port::Address& address);
// From two arguments: the text of an address, and its port number.
completion_port::Error ParseFrom(const Napi::CallbackInfo& info, std::size_t first,
                                 completion_port::Address* out);

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_VALUES_H_
