// See values.h.
#include "values.h"

namespace iocp_net {

namespace cp = completion_port;

Napi::Value Result(Napi::Env env, cp::Error error) {
  return Napi::Number::New(env, cp::ToResult(error));
}

Napi::Value ErrorName(Napi::Env env, cp::Error error) {
  return Napi::String::New(env, cp::ErrorName(error));
}

Napi::Value HandleOrError(Napi::Env env, cp::Error error, std::intptr_t native) {
  if (error != cp::Error::kOk) return ErrorName(env, error);
  return Napi::Number::New(env, static_cast<double>(native));
}

Napi::Value IdOrError(Napi::Env env, cp::Error error, std::uint32_t id) {
  if (error != cp::Error::kOk) return ErrorName(env, error);
  return Napi::Number::New(env, static_cast<std::int32_t>(id));
}

Napi::Value AddressOrError(Napi::Env env, cp::Error error, const cp::Address& address) {
  if (error != cp::Error::kOk) return ErrorName(env, error);
  Napi::Object endpoint = Napi::Object::New(env);
  endpoint.Set("address", cp::FormatAddress(address));
  endpoint.Set("family", address.family == cp::Family::kIpv6 ? "IPv6" : "IPv4");
  endpoint.Set("port", static_cast<double>(address.port));
  return endpoint;
}

cp::Error ParseFrom(const Napi::CallbackInfo& info, std::size_t first, cp::Address* out) {
  return cp::ParseAddress(
      info[first].As<Napi::String>().Utf8Value(),
      static_cast<std::uint16_t>(info[first + 1].As<Napi::Number>().Uint32Value()), out);
}

}  // namespace iocp_net
