// A file of pattern bytes, which is gone when the test is over.
#ifndef COMPLETION_PORT_TEST_TEMPORARY_FILE_H_
#define COMPLETION_PORT_TEST_TEMPORARY_FILE_H_

#ifdef _WIN32
#include <io.h>
#endif

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "local_pair.h"
#include "pattern.h"
#include "testing.h"

namespace completion_port::test {

class TemporaryFile {
 public:
  TemporaryFile(std::uint64_t seed, std::size_t length) {
    static int made = 0;
    const std::string name =
        "completion-port-file-" + std::to_string(ProcessId()) + "-" + std::to_string(++made);
    path_ = std::filesystem::temp_directory_path() / name;
    const std::vector<std::uint8_t> bytes = PatternBytes(seed, 0, length);
    file_ = std::fopen(path_.string().c_str(), "w+b");
    CHECK(file_ != nullptr);
    if (file_ == nullptr) return;
    CHECK_EQ(std::fwrite(bytes.data(), 1, length, file_), length);
    CHECK_EQ(std::fflush(file_), 0);
  }
  ~TemporaryFile() {
    if (file_ != nullptr) std::fclose(file_);
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  std::intptr_t native() const {
#ifdef _WIN32
    return _get_osfhandle(_fileno(file_));
#else
    return fileno(file_);
#endif
  }
  void Truncate(std::size_t length) { std::filesystem::resize_file(path_, length); }

 private:
  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

}  // namespace completion_port::test

#endif  // COMPLETION_PORT_TEST_TEMPORARY_FILE_H_
