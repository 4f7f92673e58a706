// The scenario, its clock and its record. See simulation.h.
#include "simulation.h"

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "host_symbol.h"

namespace iocp_net::sim {

namespace cs = completion_port::sim;

namespace {

// Streams whose bytes are kept: what JavaScript writes is nobody's pattern.
class KeptContent final : public cs::Content {
 public:
  bool Take(const cs::Socket& sender, const std::uint8_t* data, std::size_t length) override {
    std::vector<std::uint8_t>& bytes = Of(sender);
    // A stream of an earlier scenario had this number.
    if (sender.out.sent == 0) bytes.clear();
    bytes.insert(bytes.end(), data, data + length);
    return bytes.size() == sender.out.sent + length;
  }
  void Give(const cs::Socket& sender, std::uint64_t at, std::uint8_t* data,
            std::size_t length) override {
    std::memcpy(data, Of(sender).data() + at, length);
  }

 private:
  std::vector<std::uint8_t>& Of(const cs::Socket& sender) {
    if (streams_.size() <= sender.stream) streams_.resize(sender.stream + 1);
    return streams_[sender.stream];
  }
  std::vector<std::vector<std::uint8_t>> streams_;
};

struct TheSystem {
  TheSystem() : kernel(&choices, cs::KernelLimits{}) {
    kernel.SetContent(std::make_unique<KeptContent>());
  }
  cs::Choices choices{1};
  cs::Kernel kernel;
};

std::uint32_t Word(const Napi::CallbackInfo& info, std::size_t at) {
  return info[at].As<Napi::Number>().Uint32Value();
}

// useClock(): false where the process was started without the simulated clock (clock.cc).
Napi::Value UseClock(const Napi::CallbackInfo& info) {
  void (*use)(const std::uint64_t*) = nullptr;
  const bool found = LoadFromHost("iocp_net_simulated_clock", &use);
  if (found) use(System().Clock());
  return Napi::Boolean::New(info.Env(), found);
}

// begin(seed, window, descriptors, faultOneIn)
Napi::Value Begin(const Napi::CallbackInfo& info) {
  cs::KernelLimits limits;
  limits.window = Word(info, 1);
  limits.descriptors = Word(info, 2);
  limits.fault_one_in = Word(info, 3);
  ForgetPeers();
  System().choices().Restart(Word(info, 0));
  System().Restart(limits);
  return info.Env().Undefined();
}

// calm(window): from here on nothing is refused, and nothing is left to chance.
Napi::Value Calm(const Napi::CallbackInfo& info) {
  System().choices().CalmDown();
  System().LiftLimits(Word(info, 0));
  return info.Env().Undefined();
}

// passToFullSecond(): where a scenario begins, so that each meets the same milliseconds.
Napi::Value PassToFullSecond(const Napi::CallbackInfo& info) {
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  const std::uint64_t until_ns = (System().NowNs() / kSecondNs + 1) * kSecondNs;
  System().AdvanceTo(until_ns, cs::Fibers::Stops::kNever);
  return info.Env().Undefined();
}

// pass(microseconds): JavaScript is busy for so long.
Napi::Value Pass(const Napi::CallbackInfo& info) {
  const std::uint64_t until_ns = System().NowNs() + std::uint64_t{Word(info, 0)} * 1000;
  System().AdvanceTo(until_ns, cs::Fibers::Stops::kNever);
  return info.Env().Undefined();
}

// note(text, number): into the record.
Napi::Value Note(const Napi::CallbackInfo& info) {
  System().Trace(info[0].As<Napi::String>().Utf8Value().c_str(), Word(info, 1));
  return info.Env().Undefined();
}

Napi::Value Print(const Napi::CallbackInfo& info) {
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  System().Print(info[0].As<Napi::Boolean>());
  return info.Env().Undefined();
}

// record(): a number of what happened since the scenario began; the same for the same.
Napi::Value Record(const Napi::CallbackInfo& info) {
  return Napi::BigInt::New(info.Env(), System().TraceHash());
}

Napi::Value Violation(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), System().Violation());
}

Napi::Value OpenHandles(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), System().OpenHandles());
}

// onStandstill(callback): called in a round of the loop in which it waits without end, and nothing
// is to come. Does not hold the loop.
Napi::Value OnStandstill(const Napi::CallbackInfo& info) {
  napi_env env = info.Env();
  napi_threadsafe_function told = nullptr;
  napi_create_threadsafe_function(env, info[0], nullptr, Napi::String::New(env, "standstill"), 0, 1,
                                  nullptr, nullptr, nullptr, nullptr, &told);
  napi_unref_threadsafe_function(env, told);
  System().OnStandstill(
      [told] { napi_call_threadsafe_function(told, nullptr, napi_tsfn_nonblocking); });
  return info.Env().Undefined();
}

}  // namespace

cs::Kernel& System() {
  static TheSystem* const system = new TheSystem();
  return system->kernel;
}

void ExportSimulation(Napi::Env env, Napi::Object exports) {
  exports.Set("useClock", Napi::Function::New<UseClock>(env));
  exports.Set("begin", Napi::Function::New<Begin>(env));
  exports.Set("calm", Napi::Function::New<Calm>(env));
  exports.Set("passToFullSecond", Napi::Function::New<PassToFullSecond>(env));
  exports.Set("pass", Napi::Function::New<Pass>(env));
  exports.Set("note", Napi::Function::New<Note>(env));
  exports.Set("print", Napi::Function::New<Print>(env));
  exports.Set("record", Napi::Function::New<Record>(env));
  exports.Set("violation", Napi::Function::New<Violation>(env));
  exports.Set("openHandles", Napi::Function::New<OpenHandles>(env));
  exports.Set("onStandstill", Napi::Function::New<OnStandstill>(env));
}

}  // namespace iocp_net::sim
