#ifndef IOCP_NET_BINDING_HOST_SYMBOL_H_
#define IOCP_NET_BINDING_HOST_SYMBOL_H_

namespace iocp_net {

// A function that the running Node exports, or null: for what not every runtime has.
void* HostSymbol(const char* name);

template <typename Function>
bool LoadFromHost(const char* name, Function* out) {
  *out = reinterpret_cast<Function>(HostSymbol(name));
  return *out != nullptr;
}

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_HOST_SYMBOL_H_
