#ifndef IOCP_NET_BINDING_PORT_MEMORY_H_
#define IOCP_NET_BINDING_PORT_MEMORY_H_

#include <napi.h>

#include <cstddef>
#include <cstdint>

#include "completion_port/pages.h"

namespace iocp_net {

// Memory that a port and JavaScript share, zeroed and on pages of its own. It is ours, and
// JavaScript sees it through an ArrayBuffer: one of V8's own would count in
// process.memoryUsage().arrayBuffers, which programs take for what they have allocated themselves.
// Electron allows no other; there V8 owns it, and we hold a reference.
class PortMemory {
 public:
  // Tells JavaScript of it, as `name` in `object`. False where there is no memory.
  bool Open(Napi::Env env, std::size_t bytes, const char* name, Napi::Object object);

  std::uint8_t* start() const { return start_; }

  // The system may still write to it: it is never freed, where that is ours to say.
  void Abandon() { own_.Abandon(); }

 private:
  completion_port::Pages own_;
  Napi::Reference<Napi::ArrayBuffer> buffer_;
  std::uint8_t* start_ = nullptr;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_PORT_MEMORY_H_
