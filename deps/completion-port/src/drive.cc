// See drive.h.
#include "drive.h"

namespace completion_port {

bool Drive::TryTake(Driver who) {
  if (who == Driver::kThread && wanted_.load()) return false;
  auto nobody = static_cast<std::uint32_t>(Driver::kNobody);
  return header_.At(kDriver).compare_exchange_strong(nobody, static_cast<std::uint32_t>(who));
}

void Drive::Release(Driver who) {
  constexpr auto kFree = static_cast<std::uint32_t>(Driver::kNobody);
  if (who == Driver::kSubmitter) return header_.At(kDriver).store(kFree);  // nobody waits for that
  std::lock_guard<std::mutex> lock(mutex_);
  header_.At(kDriver).store(kFree);
  released_.notify_one();
}

void Drive::TakeBack(Backend* backend) {
  wanted_.store(true);
  while (!TryTake(Driver::kSubmitter)) {
    backend->Wake();
    std::unique_lock<std::mutex> lock(mutex_);
    released_.wait(lock, [this] { return Now() != Driver::kThread; });
  }
  wanted_.store(false);
}

}  // namespace completion_port
