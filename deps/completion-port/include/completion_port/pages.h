// Memory straight from the system, past the program's allocator. For blocks of some hundred
// kilobytes and more: glibc's malloc takes the size of the largest block that was ever freed for
// what the program needs again and again, and from then on keeps as much of all that is freed, in
// each of its arenas (mallopt(3), M_MMAP_THRESHOLD). One port that closes would change that for the
// whole program.
#ifndef COMPLETION_PORT_PAGES_H_
#define COMPLETION_PORT_PAGES_H_

#include <cstddef>

namespace completion_port {

// A block of whole pages, all of whose bytes are zero; memory is taken for those that are used.
// Given back by the destructor.
class Pages {
 public:
  Pages() = default;
  ~Pages() { Free(); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;

  // `bytes` is at least 1, and rounded up to whole pages. False where the system has none; it is
  // empty then. What it had before is gone in any case.
  [[nodiscard]] bool Allocate(std::size_t bytes);
  void Free();
  // From now on nobody frees it.
  void Abandon() {
    data_ = nullptr;
    bytes_ = 0;
  }

  // Null where it is empty; else at the beginning of a page.
  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_PAGES_H_
