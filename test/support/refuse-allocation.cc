// Loaded before a program (LD_PRELOAD): the n-th allocation that iocp-net's addon asks for itself
// is refused. REFUSE_ALLOCATION is n; how many there were, and the largest that malloc was asked
// for, is told on stderr at the end. Allocations of Node's, and of the C++ library for plain `new`,
// are not the addon's own.
#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* before, std::size_t bytes);
}

namespace {

// Where the addon's code is; nowhere before it is loaded.
std::atomic<std::uintptr_t> begin{0};
std::atomic<std::uintptr_t> end{0};
std::atomic<unsigned> asked{0};
std::atomic<std::size_t> largest{0};

unsigned Wanted() {
  static const unsigned wanted = [] {
    const char* text = std::getenv("REFUSE_ALLOCATION");
    return text == nullptr ? 0u : static_cast<unsigned>(std::atoi(text));
  }();
  return wanted;
}

bool IsAddon(const void* caller) {
  const auto address = reinterpret_cast<std::uintptr_t>(caller);
  return address >= begin.load() && address < end.load();
}

bool IsNextRefused() {
  if (++asked != Wanted()) return false;
  errno = ENOMEM;
  return true;
}

bool IsRefused(const void* caller, std::size_t bytes) {
  if (!IsAddon(caller)) return false;
  std::size_t before = largest.load();
  while (before < bytes && !largest.compare_exchange_weak(before, bytes)) {
  }
  return IsNextRefused();
}

void* Map(const void* caller, void* at, std::size_t bytes, int access, int flags, int fd,
          long offset) {
  if (IsAddon(caller) && IsNextRefused()) return MAP_FAILED;
  return reinterpret_cast<void*>(syscall(SYS_mmap, at, bytes, access, flags, fd, offset));
}

int NoteIfAddon(dl_phdr_info* object, std::size_t, void*) {
  const char* name = std::strrchr(object->dlpi_name, '/');
  if (name == nullptr || std::strncmp(name, "/iocp", 5) != 0) return 0;
  for (int i = 0; i < object->dlpi_phnum; ++i) {
    const auto& part = object->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || (part.p_flags & PF_X) == 0) continue;
    end.store(object->dlpi_addr + part.p_vaddr + part.p_memsz);
    begin.store(object->dlpi_addr + part.p_vaddr);
  }
  return 1;
}

__attribute__((destructor)) void Tell() {
  std::fprintf(stderr, "allocations: %u, the largest %zu bytes\n", asked.load(), largest.load());
}

}  // namespace

extern "C" void* dlopen(const char* file, int mode) {
  using Open = void* (*)(const char*, int);
  static const Open open = reinterpret_cast<Open>(dlsym(RTLD_NEXT, "dlopen"));
  void* const opened = open(file, mode);
  dl_iterate_phdr(NoteIfAddon, nullptr);
  return opened;
}

extern "C" void* malloc(std::size_t bytes) {
  return IsRefused(__builtin_return_address(0), bytes) ? nullptr : __libc_malloc(bytes);
}
extern "C" void* calloc(std::size_t count, std::size_t bytes) {
  return IsRefused(__builtin_return_address(0), count * bytes) ? nullptr
                                                               : __libc_calloc(count, bytes);
}
extern "C" void* realloc(void* before, std::size_t bytes) {
  return IsRefused(__builtin_return_address(0), bytes) ? nullptr : __libc_realloc(before, bytes);
}
extern "C" void* mmap(void* at, std::size_t bytes, int access, int flags, int fd, off_t offset) {
  return Map(__builtin_return_address(0), at, bytes, access, flags, fd, offset);
}
extern "C" void* mmap64(void* at, std::size_t bytes, int access, int flags, int fd,
                        off64_t offset) {
  return Map(__builtin_return_address(0), at, bytes, access, flags, fd, offset);
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return IsRefused(__builtin_return_address(0), bytes) ? nullptr : __libc_malloc(bytes);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return IsRefused(__builtin_return_address(0), bytes) ? nullptr : __libc_malloc(bytes);
}
