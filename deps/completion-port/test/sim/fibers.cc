// See fibers.h.
#include "fibers.h"

#include <algorithm>
#include <utility>

namespace completion_port::sim {

namespace {

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr std::uint32_t kStopOneIn = 12;
constexpr int kMostSwitches = 1500;  // until all wait

// Stacks go from one scenario to the next: to map one anew costs more than a small scenario.
std::vector<std::unique_ptr<std::uint8_t[]>> spare_stacks;

}  // namespace

Fibers::~Fibers() {
  for (auto& fiber : fibers_) spare_stacks.push_back(std::move(fiber->stack));
}

std::size_t Fibers::Start(void (*body)(void*), void* context) {
  auto fiber = std::make_unique<Fiber>();
  if (spare_stacks.empty()) {
    fiber->stack.reset(new std::uint8_t[kStackBytes]);
  } else {
    fiber->stack = std::move(spare_stacks.back());
    spare_stacks.pop_back();
  }
  fiber->body = body;
  fiber->argument = context;
  getcontext(&fiber->context);
  fiber->context.uc_stack.ss_sp = fiber->stack.get();
  fiber->context.uc_stack.ss_size = kStackBytes;
  fiber->context.uc_link = &main_;
  const auto address = static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(this));
  makecontext(&fiber->context, reinterpret_cast<void (*)()>(&Fibers::Run), 2,
              static_cast<unsigned>(address), static_cast<unsigned>(address >> 32));
  fibers_.push_back(std::move(fiber));
  SwitchTo(*fibers_.back());
  return fibers_.size() - 1;
}

// makecontext passes words only.
void Fibers::Run(unsigned low, unsigned high) {
  auto* fibers = reinterpret_cast<Fibers*>(
      static_cast<std::uintptr_t>(static_cast<std::uint64_t>(high) << 32 | low));
  Fiber* self = fibers->running_;
  self->body(self->argument);
  self->state = State::kDone;
  fibers->running_ = nullptr;
}

bool Fibers::IsDone(std::size_t fiber) const { return fibers_[fiber]->state == State::kDone; }

void Fibers::SwitchTo(Fiber& fiber) {
  running_ = &fiber;
  swapcontext(&main_, &fiber.context);
}

void Fibers::SwitchBack() {
  Fiber* self = running_;
  running_ = nullptr;
  swapcontext(&self->context, &main_);
}

void Fibers::WaitUntil(std::function<bool()> holds, std::uint64_t until_ns) {
  running_->holds = std::move(holds);
  running_->until_ns = until_ns;
  running_->state = State::kWaiting;
  SwitchBack();
}

void Fibers::MayStop() {
  if (running_ == nullptr || stops_ == Stops::kNever || !choices_->OneIn(kStopOneIn)) return;
  running_->state = State::kStopped;
  SwitchBack();
}

bool Fibers::CanGoOn(const Fiber& fiber) const {
  if (fiber.state != State::kWaiting) return fiber.state == State::kStopped;
  return *now_ns_ >= fiber.until_ns || fiber.holds();
}

bool Fibers::RunDue(Stops stops) {
  stops_ = stops;
  bool any = true;
  bool stopped = false;
  for (int switches = 0; any && !stopped && switches < kMostSwitches; ++switches) {
    any = false;
    // By index: a fiber may start another.
    for (std::size_t i = 0; i < fibers_.size() && !stopped; ++i) {
      Fiber& fiber = *fibers_[i];
      if (!CanGoOn(fiber)) continue;
      any = true;
      SwitchTo(fiber);
      stopped = fiber.state == State::kStopped;
    }
  }
  stops_ = Stops::kNever;
  return stopped || !any;
}

std::uint64_t Fibers::NextDeadline() const {
  std::uint64_t next_ns = kNever;
  for (const auto& fiber : fibers_) {
    if (fiber->state == State::kWaiting) next_ns = std::min(next_ns, fiber->until_ns);
  }
  return next_ns;
}

bool Fibers::AllWait() const {
  return std::none_of(fibers_.begin(), fibers_.end(),
                      [this](const auto& fiber) { return CanGoOn(*fiber); });
}

}  // namespace completion_port::sim
