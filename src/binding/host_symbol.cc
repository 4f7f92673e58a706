// See host_symbol.h.
#include "host_symbol.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace iocp_net {

void* HostSymbol(const char* name) {
#ifdef _WIN32
  // Node built as a DLL exports from there.
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  return reinterpret_cast<void*>(GetProcAddress(host, name));
#else
  return dlsym(RTLD_DEFAULT, name);
#endif
}

}  // namespace iocp_net
