// Threads, time and memory, for Windows.
#include "os/socket.h"

namespace completion_port::os {

namespace {

// Windows numbers processors within groups of at most 64. `core` counts through all groups.
bool FindProcessor(int core, PROCESSOR_NUMBER* out) {
  DWORD left = static_cast<DWORD>(core);
  const WORD groups = GetActiveProcessorGroupCount();
  for (WORD group = 0; group < groups; ++group) {
    const DWORD count = GetActiveProcessorCount(group);
    if (left < count) {
      *out = PROCESSOR_NUMBER{};
      out->Group = group;
      out->Number = static_cast<BYTE>(left);
      return true;
    }
    left -= count;
  }
  return false;
}

}  // namespace

Error PinThisThread(int core) {
  if (core < 0) return Error::kInvalidArgument;
  // The ideal processor is a wish and cannot hurt; the affinity can be refused, inside a job object
  // for instance, and then the wish is what remains.
  if (GetActiveProcessorGroupCount() <= 1) {
    if (core >= 64) return Error::kInvalidArgument;
    SetThreadIdealProcessor(GetCurrentThread(), static_cast<DWORD>(core));
    if (SetThreadAffinityMask(GetCurrentThread(), DWORD_PTR{1} << core) != 0) return Error::kOk;
    return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
  }
  PROCESSOR_NUMBER processor;
  if (!FindProcessor(core, &processor)) return Error::kInvalidArgument;
  SetThreadIdealProcessorEx(GetCurrentThread(), &processor, nullptr);
  GROUP_AFFINITY affinity{};
  affinity.Group = processor.Group;
  affinity.Mask = KAFFINITY{1} << processor.Number;
  if (SetThreadGroupAffinity(GetCurrentThread(), &affinity, nullptr)) return Error::kOk;
  return FromOsError(static_cast<int>(GetLastError()), Operating::kControl);
}

void NameThisThread(const char* name) {
  // Windows 10 version 1607, and in some of its updates only in kernelbase.dll.
  using SetDescription = HRESULT(WINAPI*)(HANDLE, PCWSTR);
  const HMODULE library = GetModuleHandleW(L"kernelbase.dll");
  if (library == nullptr) return;
  const auto set_description = reinterpret_cast<SetDescription>(
      reinterpret_cast<void*>(GetProcAddress(library, "SetThreadDescription")));
  if (set_description == nullptr) return;
  wchar_t wide[64];
  const int length = MultiByteToWideChar(CP_UTF8, 0, name, -1, wide, 64);
  if (length > 0) set_description(GetCurrentThread(), wide);
}

// Read from memory without a call; moves in steps of 10 to 16 ms.
std::uint64_t NowMs() { return GetTickCount64(); }

std::uint64_t NowNs() {
  LARGE_INTEGER now;
  LARGE_INTEGER per_second;
  QueryPerformanceCounter(&now);
  QueryPerformanceFrequency(&per_second);
  const auto ticks = static_cast<std::uint64_t>(now.QuadPart);
  const auto rate = static_cast<std::uint64_t>(per_second.QuadPart);
  return ticks / rate * 1000000000 + ticks % rate * 1000000000 / rate;
}

int UsableCores() {
  DWORD_PTR ours = 0;
  DWORD_PTR all = 0;
  if (!GetProcessAffinityMask(GetCurrentProcess(), &ours, &all) || ours == 0) {
    return static_cast<int>(GetActiveProcessorCount(ALL_PROCESSOR_GROUPS));
  }
  int count = 0;
  for (; ours != 0; ours &= ours - 1) ++count;
  return count;
}

void DiscardPages(void* data, std::size_t bytes) {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  const std::uintptr_t page = info.dwPageSize;
  const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(data);
  const std::uintptr_t first = (from + page - 1) / page * page;
  const std::uintptr_t end = (from + bytes) / page * page;
  if (first >= end) return;
  void* const pages = reinterpret_cast<void*>(first);
  const std::size_t length = end - first;
  // MEM_RESET only marks the pages as not worth a page file; it serves where the other is refused.
  if (DiscardVirtualMemory(pages, length) != ERROR_SUCCESS) {
    VirtualAlloc(pages, length, MEM_RESET, PAGE_READWRITE);
  }
}

}  // namespace completion_port::os
