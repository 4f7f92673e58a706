// The calls that named pipes take, beyond os/local_socket.h: for the backend alone. Each gives 0 or
// a Win32 error.
#ifndef COMPLETION_PORT_WINDOWS_PIPE_H_
#define COMPLETION_PORT_WINDOWS_PIPE_H_

#include <string>

#include "os/local_socket.h"

namespace completion_port::os {

// NativeSocket holds a pipe's HANDLE, too: both are a kernel handle's number.
inline HANDLE AsHandle(NativeSocket socket) { return reinterpret_cast<HANDLE>(socket); }
inline NativeSocket AsSocket(HANDLE handle) { return reinterpret_cast<NativeSocket>(handle); }

// UTF-16 of a path in UTF-8; empty where it is not valid.
std::wstring WidePath(const std::string& path);

enum class PipeInstance {
  kFirst,    // ... of its name: fails where there is a server already
  kFurther,  // one more for the same server
};

// An end that waits for a client: overlapped, bytes (not messages) both ways.
DWORD CreatePipeInstance(const std::wstring& path, PipeInstance instance, HANDLE* out);

// A client's end, overlapped and reading bytes. May wait for a server on another machine.
// ERROR_PIPE_BUSY: there is a server, but no instance free.
DWORD OpenPipe(const std::wstring& path, HANDLE* out);

}  // namespace completion_port::os

#endif  // COMPLETION_PORT_WINDOWS_PIPE_H_
