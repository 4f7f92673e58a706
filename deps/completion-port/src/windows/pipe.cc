// Named pipes. See os/local_socket.h and windows/pipe.h.
#include "windows/pipe.h"

// After windows.h:
#include <accctrl.h>
#include <aclapi.h>

namespace completion_port::os {

namespace {

// What the pipe holds in each direction before a writer has to wait; as in Node.
constexpr DWORD kBufferBytes = 64 * 1024;

// Both directions; else the one that the server offers. The attributes of the other are needed to
// ask and set the handle's state.
constexpr DWORD kAccesses[] = {
    GENERIC_READ | GENERIC_WRITE,
    GENERIC_READ | FILE_WRITE_ATTRIBUTES,
    GENERIC_WRITE | FILE_READ_ATTRIBUTES,
};

// A server may have made the pipe for messages. Read as bytes, nothing of a long one is lost.
DWORD ReadAsBytes(HANDLE pipe) {
  DWORD mode = PIPE_READMODE_BYTE | PIPE_WAIT;
  if (SetNamedPipeHandleState(pipe, &mode, nullptr, nullptr)) return ERROR_SUCCESS;
  const DWORD os_error = GetLastError();
  // Not ours to set. It will do if it is as it should be.
  if (os_error == ERROR_ACCESS_DENIED &&
      GetNamedPipeHandleStateW(pipe, &mode, nullptr, nullptr, nullptr, nullptr, 0)) {
    return (mode & PIPE_NOWAIT) == 0 ? ERROR_SUCCESS : os_error;
  }
  // Something else of that name was opened, a file for instance.
  return os_error == ERROR_INVALID_PARAMETER ? WSAENOTSOCK : os_error;
}

// Adds an entry for everybody to the access list of a kernel object.
DWORD AllowEverybody(HANDLE object, DWORD permissions) {
  SID_IDENTIFIER_AUTHORITY world = SECURITY_WORLD_SID_AUTHORITY;
  PSID everybody = nullptr;
  if (!AllocateAndInitializeSid(&world, 1, SECURITY_WORLD_RID, 0, 0, 0, 0, 0, 0, 0, &everybody)) {
    return GetLastError();
  }
  PACL old_list = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  DWORD os_error = GetSecurityInfo(object, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                   nullptr, &old_list, nullptr, &descriptor);
  PACL new_list = nullptr;
  if (os_error == ERROR_SUCCESS) {
    EXPLICIT_ACCESSW entry{};
    entry.grfAccessPermissions = permissions;
    entry.grfAccessMode = SET_ACCESS;
    entry.grfInheritance = NO_INHERITANCE;
    entry.Trustee.TrusteeForm = TRUSTEE_IS_SID;
    entry.Trustee.TrusteeType = TRUSTEE_IS_WELL_KNOWN_GROUP;
    entry.Trustee.ptstrName = static_cast<LPWSTR>(everybody);
    os_error = SetEntriesInAclW(1, &entry, old_list, &new_list);
  }
  if (os_error == ERROR_SUCCESS) {
    os_error = SetSecurityInfo(object, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                               nullptr, new_list, nullptr);
  }
  if (new_list != nullptr) LocalFree(new_list);
  if (descriptor != nullptr) LocalFree(descriptor);
  FreeSid(everybody);
  return os_error;
}

}  // namespace

std::wstring WidePath(const std::string& path) {
  const int bytes = static_cast<int>(path.size());
  const int length =
      MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, nullptr, 0);
  std::wstring wide(static_cast<std::size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), bytes, wide.data(), length);
  return wide;
}

DWORD CreatePipeInstance(const std::wstring& path, PipeInstance instance, HANDLE* out) {
  // WRITE_DAC: for SetLocalAccess.
  DWORD mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | WRITE_DAC;
  if (instance == PipeInstance::kFirst) mode |= FILE_FLAG_FIRST_PIPE_INSTANCE;
  *out = CreateNamedPipeW(path.c_str(), mode, PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT,
                          PIPE_UNLIMITED_INSTANCES, kBufferBytes, kBufferBytes, 0, nullptr);
  return *out == INVALID_HANDLE_VALUE ? GetLastError() : DWORD{ERROR_SUCCESS};
}

DWORD OpenPipe(const std::wstring& path, HANDLE* out) {
  DWORD os_error = ERROR_SUCCESS;
  for (const DWORD access : kAccesses) {
    *out =
        CreateFileW(path.c_str(), access, 0, nullptr, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr);
    if (*out != INVALID_HANDLE_VALUE) break;
    os_error = GetLastError();
    if (os_error != ERROR_ACCESS_DENIED) return os_error;
  }
  if (*out == INVALID_HANDLE_VALUE) return os_error;
  os_error = ReadAsBytes(*out);
  if (os_error == ERROR_SUCCESS) return ERROR_SUCCESS;
  CloseHandle(*out);
  *out = INVALID_HANDLE_VALUE;
  return os_error;
}

// The backlog of a pipe is the number of instances that wait (iocp_accept.cc).
Error OpenLocalListener(const std::string& path, int /*backlog*/, NativeSocket* out) {
  HANDLE pipe = INVALID_HANDLE_VALUE;
  const DWORD os_error = CreatePipeInstance(WidePath(path), PipeInstance::kFirst, &pipe);
  if (os_error != ERROR_SUCCESS) {
    return FromOsError(static_cast<int>(os_error), Operating::kListen);
  }
  *out = AsSocket(pipe);
  return Error::kOk;
}

Error SetLocalAccess(NativeSocket listener, const std::string& /*path*/, bool readable,
                     bool writable) {
  DWORD permissions = SYNCHRONIZE;
  if (readable) permissions |= GENERIC_READ | FILE_WRITE_ATTRIBUTES;
  if (writable) permissions |= GENERIC_WRITE | FILE_READ_ATTRIBUTES;
  const DWORD os_error = AllowEverybody(AsHandle(listener), permissions);
  return FromOsError(static_cast<int>(os_error), Operating::kControl);
}

void RemoveLocalPath(const std::string& /*path*/) {}

}  // namespace completion_port::os
