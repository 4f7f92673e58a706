// An array and a queue that grow as they are filled, of what can be copied byte by byte. Their
// growth can be refused (allocation.h); nothing is lost then, and the new item is not in.
#ifndef COMPLETION_PORT_GROWABLE_H_
#define COMPLETION_PORT_GROWABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

namespace completion_port {

template <typename T>
class GrowableArray {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  GrowableArray() = default;
  ~GrowableArray() { std::free(items_); }
  GrowableArray(const GrowableArray&) = delete;
  GrowableArray& operator=(const GrowableArray&) = delete;

  [[nodiscard]] bool TryPush(const T& item) {
    if (size_ == capacity_ && !TryReserve(capacity_ == 0 ? kFirst : capacity_ * 2)) return false;
    ::new (static_cast<void*>(items_ + size_++)) T(item);
    return true;
  }
  // Room for so many.
  [[nodiscard]] bool TryReserve(std::size_t capacity) {
    if (capacity <= capacity_) return true;
    void* const items = std::realloc(static_cast<void*>(items_), capacity * sizeof(T));
    if (items == nullptr) return false;
    items_ = static_cast<T*>(items);
    capacity_ = capacity;
    return true;
  }
  // All that equal it.
  void Remove(const T& item) {
    size_ = static_cast<std::size_t>(std::remove(begin(), end(), item) - begin());
  }
  void RemoveFront(std::size_t count) {
    size_ -= count;
    if (size_ != 0) std::memmove(static_cast<void*>(items_), items_ + count, size_ * sizeof(T));
  }
  // Keeps the memory.
  void Clear() { size_ = 0; }
  // Gives it back.
  void Reset() {
    std::free(items_);
    items_ = nullptr;
    size_ = capacity_ = 0;
  }
  void Swap(GrowableArray& other) {
    std::swap(items_, other.items_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  T& operator[](std::size_t index) { return items_[index]; }
  const T& operator[](std::size_t index) const { return items_[index]; }
  T* begin() { return items_; }
  T* end() { return items_ + size_; }
  const T* begin() const { return items_; }
  const T* end() const { return items_ + size_; }

 private:
  static constexpr std::size_t kFirst = 4;

  T* items_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

// First in, first out.
template <typename T>
class GrowableQueue {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  GrowableQueue() = default;
  ~GrowableQueue() { std::free(items_); }
  GrowableQueue(const GrowableQueue&) = delete;
  GrowableQueue& operator=(const GrowableQueue&) = delete;

  [[nodiscard]] bool TryPush(const T& item) {
    if (size_ == capacity_ && !Grow()) return false;
    ::new (static_cast<void*>(items_ + At(size_++))) T(item);
    return true;
  }
  const T& Front() const { return items_[head_]; }
  void PopFront() {
    head_ = At(1);
    if (--size_ != 0 || capacity_ <= kKept) return;
    // Room for the most that there ever was is not kept for ever.
    std::free(items_);
    items_ = nullptr;
    head_ = capacity_ = 0;
  }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  static constexpr std::size_t kFirst = 16;  // a power of two, and it is doubled
  static constexpr std::size_t kKept = 1024;

  std::size_t At(std::size_t ahead) const { return (head_ + ahead) & (capacity_ - 1); }

  bool Grow() {
    const std::size_t capacity = capacity_ == 0 ? kFirst : capacity_ * 2;
    auto* const items = static_cast<T*>(std::malloc(capacity * sizeof(T)));
    if (items == nullptr) return false;
    for (std::size_t i = 0; i < size_; ++i) ::new (static_cast<void*>(items + i)) T(items_[At(i)]);
    std::free(items_);
    items_ = items;
    head_ = 0;
    capacity_ = capacity;
    return true;
  }

  T* items_ = nullptr;
  std::size_t head_ = 0;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_GROWABLE_H_
