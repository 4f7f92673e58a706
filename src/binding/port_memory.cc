// See port_memory.h.
#include "port_memory.h"

namespace iocp_net {

namespace {

constexpr std::size_t kPageBytes = 4096;

// Freed by whoever has the PortMemory: the ArrayBuffer may be collected before or after.
void LeaveToOwner(napi_env, void*, void*) {}

}  // namespace

bool PortMemory::Open(Napi::Env env, std::size_t bytes, const char* name, Napi::Object object) {
  const std::size_t with_slack = bytes + kPageBytes;
  own_.reset(std::calloc(1, with_slack));
  if (own_ == nullptr) return false;
  void* memory = own_.get();
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, memory, with_slack, LeaveToOwner, nullptr, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    own_.reset();
    if (napi_create_arraybuffer(env, with_slack, &memory, &buffer) != napi_ok) return false;
  } else if (status != napi_ok) {
    return false;
  }
  buffer_ = Napi::Persistent(Napi::ArrayBuffer(env, buffer));
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  const std::uintptr_t aligned = (address + kPageBytes - 1) & ~std::uintptr_t{kPageBytes - 1};
  start_ = reinterpret_cast<std::uint8_t*>(aligned);
  Napi::Object place = Napi::Object::New(env);
  place.Set("buffer", buffer);
  place.Set("offset", static_cast<double>(aligned - address));
  place.Set("bytes", static_cast<double>(bytes));
  object.Set(name, place);
  return true;
}

}  // namespace iocp_net
