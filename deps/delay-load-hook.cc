// Binds the Node-API imports of the addon to the running executable, whatever
// its name. Only for the mingw build: node-gyp ships its own for MSVC.

#include <windows.h>

#include <delayimp.h>
#include <string.h>

namespace {

FARPROC WINAPI BindToExecutable(unsigned int event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary) return nullptr;
  if (_stricmp(info->szDll, "node.exe") != 0) return nullptr;
  // Node built as a DLL exports from there.
  HMODULE host = GetModuleHandleW(L"libnode.dll");
  if (host == nullptr) host = GetModuleHandleW(nullptr);
  return reinterpret_cast<FARPROC>(host);
}

}  // namespace

// The name is the linker's; <delayimp.h> declares it.
decltype(__pfnDliNotifyHook2) __pfnDliNotifyHook2 = BindToExecutable;
