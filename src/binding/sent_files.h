// The files that a port sends from: handles of its own, which its end closes where JavaScript could
// not (a worker that is terminated with a file on its way).
#ifndef IOCP_NET_BINDING_SENT_FILES_H_
#define IOCP_NET_BINDING_SENT_FILES_H_

#include <cstdint>
#include <unordered_set>

#include "completion_port/completion_port.h"

namespace iocp_net {

class SentFiles {
 public:
  SentFiles() = default;
  ~SentFiles() {
    for (const std::intptr_t file : open_) completion_port::CloseFile(file);
  }
  SentFiles(const SentFiles&) = delete;
  SentFiles& operator=(const SentFiles&) = delete;

  completion_port::Error Duplicate(std::intptr_t file, std::intptr_t* duplicate) {
    const completion_port::Error error = completion_port::DuplicateFile(file, duplicate);
    if (error == completion_port::Error::kOk) open_.insert(*duplicate);
    return error;
  }
  void Close(std::intptr_t file) {
    if (open_.erase(file) != 0) completion_port::CloseFile(file);
  }
  // What the system may still read from stays open.
  void Abandon() { open_.clear(); }

 private:
  std::unordered_set<std::intptr_t> open_;
};

}  // namespace iocp_net

#endif  // IOCP_NET_BINDING_SENT_FILES_H_
