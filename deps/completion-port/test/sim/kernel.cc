// The simulated system: its clock, its descriptors and its record. See kernel.h.
#include "kernel.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "pattern.h"
#include "sim_backend.h"

namespace completion_port::sim {

namespace {

Kernel* current = nullptr;  // the calls of os/ have no object

constexpr int kFirstHandle = 3;

class PatternContent final : public Content {
 public:
  bool Take(const Socket& sender, const std::uint8_t* data, std::size_t length) override {
    std::uint8_t expected[4096];
    for (std::size_t done = 0; done < length;) {
      const std::size_t part = std::min(length - done, sizeof expected);
      test::FillPattern(sender.stream, sender.out.sent + done, expected, part);
      if (std::memcmp(expected, data + done, part) != 0) return false;
      done += part;
    }
    return true;
  }
  void Give(const Socket& sender, std::uint64_t at, std::uint8_t* data,
            std::size_t length) override {
    test::FillPattern(sender.stream, at, data, length);
  }
};

}  // namespace

Kernel::Kernel(Choices* choices, const KernelLimits& limits)
    : choices_(choices),
      limits_(limits),
      before_(current),
      content_(std::make_unique<PatternContent>()),
      fibers_(choices, &now_ns_) {
  current = this;
  handles_.resize(kFirstHandle);
}

Kernel::~Kernel() { current = before_; }

Kernel& Kernel::Current() { return *current; }

void Kernel::LiftLimits(std::uint32_t window) {
  limits_.descriptors = 1'000'000;
  limits_.window = std::max(limits_.window, window);
}

void Kernel::Restart(const KernelLimits& limits) {
  if (OpenHandles() != 0) Violate("descriptors are left of the last scenario");
  limits_ = limits;
  sockets_.clear();
  next_port_ = kFirstPort;
  began_ns_ = now_ns_;
  hash_ = kEmptyHash;
}

// --- The record

void Kernel::Trace(const char* what, std::uint64_t a, std::uint64_t b, std::int64_t c) {
  const auto mix = [this](std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3u; };
  for (const char* at = what; *at != '\0'; ++at) mix(static_cast<std::uint8_t>(*at));
  mix(a);
  mix(b);
  mix(static_cast<std::uint64_t>(c));
  mix(now_ns_ - began_ns_);
  if (!prints_) return;
  std::printf("  %10.3f ms  %-14s %llu %llu %lld\n", static_cast<double>(now_ns_ - began_ns_) / 1e6,
              what, static_cast<unsigned long long>(a), static_cast<unsigned long long>(b),
              static_cast<long long>(c));
}

void Kernel::Violate(const std::string& what) {
  if (prints_) std::printf("  VIOLATION: %s\n", what.c_str());
  if (violation_.empty()) violation_ = what;
}

// --- Time

std::uint64_t Kernel::NextEvent() const {
  std::uint64_t next_ns = fibers_.NextDeadline();
  for (const auto& socket : sockets_) {
    if (!socket->out.wire.empty()) next_ns = std::min(next_ns, socket->out.wire.front().at_ns);
  }
  for (const std::uint64_t rings_ns : alarms_) {
    if (rings_ns > now_ns_) next_ns = std::min(next_ns, rings_ns);
  }
  for (const SimBackend* backend : backends_) next_ns = std::min(next_ns, backend->NextEvent());
  return next_ns;
}

void Kernel::AdvanceTo(std::uint64_t ns, Fibers::Stops stops) {
  for (;;) {
    Arrive();
    if (!fibers_.RunDue(stops)) return Violate("a thread does not come to rest");
    const std::uint64_t next_ns = NextEvent();
    if (next_ns > ns) break;
    now_ns_ = std::max(now_ns_ + 1, next_ns);
  }
  now_ns_ = std::max(now_ns_, ns);
  Arrive();
  if (!fibers_.RunDue(stops)) Violate("a thread does not come to rest");
}

void Kernel::StandStill() {
  if (standstill_) return standstill_();
  Violate("waits for ever");
}

std::uint64_t Kernel::SomeDelayNs() {
  constexpr std::uint64_t kDelays[] = {0, 0, 5'000, 200'000, 3'000'000, 40'000'000};
  return kDelays[choices_->Below(std::size(kDelays))];
}

std::intptr_t Kernel::NewAlarm() {
  alarms_.push_back(kNever);
  return static_cast<std::intptr_t>(alarms_.size() - 1);
}

void Kernel::SetAlarm(std::intptr_t alarm, std::uint64_t us) {
  alarms_[static_cast<std::size_t>(alarm)] = now_ns_ + us * 1000;
}

void Kernel::WaitForAlarm(std::intptr_t alarm) {
  const auto index = static_cast<std::size_t>(alarm);
  while (alarms_[index] > now_ns_) {
    // Another may set it meanwhile, and sooner.
    fibers_.WaitUntil([this, index] { return alarms_[index] <= now_ns_; }, alarms_[index]);
  }
  alarms_[index] = kNever;
}

// --- Descriptors

Error Kernel::NewHandle(Socket* socket, int* out) {
  if (OpenHandles() >= limits_.descriptors) return Error::kTooManyFiles;
  const auto free = std::find(handles_.begin() + kFirstHandle, handles_.end(), nullptr);
  *out = static_cast<int>(free - handles_.begin());
  if (free == handles_.end()) {
    handles_.push_back(socket);
  } else {
    *free = socket;
  }
  ++socket->handles;
  return Error::kOk;
}

Error Kernel::Open(int* out) {
  if (OpenHandles() >= limits_.descriptors) return Error::kTooManyFiles;
  return NewHandle(NewSocket(), out);
}

Socket* Kernel::At(int handle) const {
  const auto index = static_cast<std::size_t>(handle);
  return handle >= 0 && index < handles_.size() ? handles_[index] : nullptr;
}

void Kernel::Close(int handle) {
  Socket* socket = At(handle);
  if (socket == nullptr) return Violate("closes a descriptor that is not open");
  Trace("close", static_cast<std::uint64_t>(handle), socket->stream);
  if (socket->held != 0) Violate("closes a socket while the system holds an operation of it");
  handles_[static_cast<std::size_t>(handle)] = nullptr;
  if (--socket->handles == 0) {
    if (judge_ != nullptr) judge_->OnClose(*socket);
    CloseSocket(socket);
  }
}

std::uint32_t Kernel::OpenHandles() const {
  return static_cast<std::uint32_t>(
      std::count_if(handles_.begin(), handles_.end(), [](Socket* s) { return s != nullptr; }));
}

}  // namespace completion_port::sim
