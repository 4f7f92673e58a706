// See port_memory.h.
#include "port_memory.h"

namespace iocp_net {

namespace {

constexpr std::size_t kPageBytes = 4096;  // no page is smaller

// Freed by whoever has the PortMemory: the ArrayBuffer may be collected before or after.
void LeaveToOwner(napi_env, void*, void*) {}

// The first place at or after `memory` where a page may begin.
std::uint8_t* StartOfPage(void* memory) {
  const auto address = reinterpret_cast<std::uintptr_t>(memory);
  return reinterpret_cast<std::uint8_t*>((address + kPageBytes - 1) &
                                         ~std::uintptr_t{kPageBytes - 1});
}

}  // namespace

bool PortMemory::Open(Napi::Env env, std::size_t bytes, const char* name, Napi::Object object) {
  if (!own_.Allocate(bytes)) return false;
  void* memory = own_.data();
  napi_value buffer = nullptr;
  const napi_status status =
      napi_create_external_arraybuffer(env, memory, bytes, LeaveToOwner, nullptr, &buffer);
  if (status == napi_no_external_buffers_allowed) {
    own_.Free();
    // V8's begins anywhere.
    if (napi_create_arraybuffer(env, bytes + kPageBytes, &memory, &buffer) != napi_ok) return false;
  } else if (status != napi_ok) {
    return false;
  }
  buffer_ = Napi::Persistent(Napi::ArrayBuffer(env, buffer));
  start_ = StartOfPage(memory);
  Napi::Object place = Napi::Object::New(env);
  place.Set("buffer", buffer);
  place.Set("offset", static_cast<double>(start_ - static_cast<std::uint8_t*>(memory)));
  place.Set("bytes", static_cast<double>(bytes));
  object.Set(name, place);
  return true;
}

}  // namespace iocp_net
