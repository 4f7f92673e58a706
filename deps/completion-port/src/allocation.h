// Memory that the system may refuse. Everything here is built without exceptions, so where plain
// `new` finds none the process ends. What is asked for by these says so instead, and the caller has
// an answer: an error, or a way to do without.
#ifndef COMPLETION_PORT_ALLOCATION_H_
#define COMPLETION_PORT_ALLOCATION_H_

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "completion_port/pages.h"

namespace completion_port {

// For what has no answer: whatever waits for it would wait for ever.
[[noreturn]] inline void EndForWantOfMemory() {
  std::fputs("completion_port: out of memory\n", stderr);
  std::abort();
}

// Null where there is no memory.
template <typename T, typename... Arguments>
std::unique_ptr<T> TryMake(Arguments&&... arguments) {
  return std::unique_ptr<T>(new (std::nothrow) T(std::forward<Arguments>(arguments)...));
}

// An array of a fixed size, all of whose bytes are zero. A large one's pages take memory as they
// are used.
template <typename T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  ZeroedArray() = default;
  ~ZeroedArray() { std::free(small_); }
  ZeroedArray(const ZeroedArray&) = delete;
  ZeroedArray& operator=(const ZeroedArray&) = delete;

  // False where there is no memory; it is empty then. What it had before is gone in any case.
  [[nodiscard]] bool Allocate(std::size_t size) {
    std::free(std::exchange(small_, nullptr));
    large_.Free();
    size_ = 0;
    if (size == 0) return true;
    if (size <= kSmallBytes / sizeof(T)) {
      small_ = static_cast<T*>(std::calloc(size, sizeof(T)));
      items_ = small_;
    } else {
      items_ = large_.Allocate(size * sizeof(T)) ? static_cast<T*>(large_.data()) : nullptr;
    }
    if (items_ == nullptr) return false;
    size_ = size;
    return true;
  }

  T& operator[](std::size_t index) const { return items_[index]; }
  T* begin() const { return items_; }
  T* end() const { return items_ + size_; }
  std::size_t size() const { return size_; }

 private:
  // Far below what makes glibc's malloc ask the system itself (128 KiB).
  static constexpr std::size_t kSmallBytes = 32 * 1024;

  T* small_ = nullptr;
  Pages large_;
  T* items_ = nullptr;  // of the one or of the other
  std::size_t size_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_ALLOCATION_H_
