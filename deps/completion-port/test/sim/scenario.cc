// See scenario.h.
#include "scenario.h"

#include <iterator>
#include <sstream>

#include "testing.h"

namespace completion_port::sim {

namespace {

using test::Random;

constexpr const char* kStepNames[] = {
#define X(name) #name,
    COMPLETION_PORT_SIM_STEPS(X)
#undef X
};

template <std::size_t N>
std::uint32_t OneOf(Random* random, const std::uint32_t (&values)[N]) {
  return values[random->Below(static_cast<std::uint32_t>(N))];
}

Config SomeConfig(Random* random) {
  Config config;
  config.driving = random->Below(3);
  config.backend = random->Below(3);
  config.ports = random->OneIn(3) ? 2 : 1;
  config.submission_entries = OneOf(random, {4, 16, 64, 64});
  config.completion_entries = OneOf(random, {2, 8, 64, 64});
  config.slab_kb = OneOf(random, {8, 16, 40, 128, 256, 256});
  config.window = OneOf(random, {1, 60, 1000, 5000, 70000, 200000});
  config.descriptors = OneOf(random, {6, 12, 1000, 1000, 1000});
  config.sockets = OneOf(random, {3, 64, 64, 64});
  config.linger_ms = OneOf(random, {0, 5, 100, 1000});
  config.credit = OneOf(random, {0, 1, 4, 4, 4});
  config.gives_back = random->OneIn(4) ? 0 : 1;
  config.fault_one_in = OneOf(random, {0, 0, 4, 20, 60});
  config.saturates = random->Below(2);
  config.stops = random->OneIn(4) ? 1 : 0;
  return config;
}

struct Weight {
  StepKind kind;
  std::uint32_t weight;
};
constexpr Weight kWeights[] = {
    {StepKind::listen, 2},     {StepKind::connect, 6},        {StepKind::adopt, 4},
    {StepKind::send, 20},      {StepKind::send_now, 6},       {StepKind::grant, 8},
    {StepKind::give_back, 6},  {StepKind::pinned, 8},         {StepKind::withdraw, 3},
    {StepKind::shutdown, 4},   {StepKind::close, 6},          {StepKind::close_again, 2},
    {StepKind::late, 2},       {StepKind::close_listener, 1}, {StepKind::has_unread, 1},
    {StepKind::submit, 8},     {StepKind::read, 16},          {StepKind::drive, 24},
    {StepKind::sleep, 14},     {StepKind::peer_connect, 6},   {StepKind::peer_send, 16},
    {StepKind::peer_read, 10}, {StepKind::peer_end, 3},       {StepKind::peer_close, 2},
    {StepKind::peer_reset, 1},
};

StepKind SomeKind(Random* random) {
  std::uint32_t total = 0;
  for (const Weight& one : kWeights) total += one.weight;
  std::uint32_t at = random->Below(total);
  for (const Weight& one : kWeights) {
    if (at < one.weight) return one.kind;
    at -= one.weight;
  }
  return StepKind::drive;
}

std::uint32_t SomeBytes(Random* random) {
  if (random->OneIn(12)) return OneOf(random, {4096, 4097, 5000, 20000, 65536, 70000});
  return OneOf(random, {0, 1, 2, 10, 60, 300, 300, 600, 1024});
}

Step SomeStep(Random* random) {
  Step step{SomeKind(random)};
  step.a = random->Below(8);
  switch (step.kind) {
    case StepKind::connect:
      step.b = OneOf(random, {0, 0, 0, 1, 1, 2});
      break;
    case StepKind::send:
      step.c = random->Below(4);
      [[fallthrough]];
    case StepKind::send_now:
    case StepKind::peer_send:
    case StepKind::peer_read:
      step.b = SomeBytes(random);
      break;
    case StepKind::grant:
    case StepKind::give_back:
      step.b = OneOf(random, {0, 1, 1, 4});
      break;
    case StepKind::pinned:
      step.b = OneOf(random, {1, 100, 4096, 20000});
      step.c = random->OneIn(3) ? 1 : 0;
      break;
    case StepKind::close:
    case StepKind::close_again:
      step.b = OneOf(random, {0, 0, 0, 0, 1, 2});
      break;
    case StepKind::late:
      step.b = random->Below(4);
      break;
    case StepKind::read:
      step.a = OneOf(random, {1, 3, 100, 100, 100});
      break;
    case StepKind::drive:
      step.b = OneOf(random, {0, 0, 1, 5, 50});
      break;
    case StepKind::sleep:
      step.a = OneOf(random, {0, 10, 300, 1500, 5000, 40000, 1200000});
      break;
    case StepKind::peer_connect:
      step.b = OneOf(random, {1, 1, 1, 3, 40});
      break;
    default:
      break;
  }
  return step;
}

}  // namespace

Scenario Generate(std::uint64_t seed) {
  Random random(seed);
  Scenario scenario;
  scenario.config = SomeConfig(&random);
  scenario.steps.push_back({StepKind::listen, 0});
  const std::uint32_t count = OneOf(&random, {10, 30, 30, 60, 120});
  for (std::uint32_t i = 0; i < count; ++i) scenario.steps.push_back(SomeStep(&random));
  return scenario;
}

// --- As text

std::string ToText(const Step& step) {
  return std::string(kStepNames[static_cast<std::size_t>(step.kind)]) + " " +
         std::to_string(step.a) + " " + std::to_string(step.b) + " " + std::to_string(step.c);
}

std::string ToText(const Scenario& scenario) {
  std::string text = "setup";
  const Config usual;
#define X(name, value)                                            \
  if (scenario.config.name != usual.name) {                       \
    text += " " #name "=" + std::to_string(scenario.config.name); \
  }
  COMPLETION_PORT_SIM_SETUP(X)
#undef X
  text += "\n";
  for (const Step& step : scenario.steps) text += "step " + ToText(step) + "\n";
  text += "chance";
  for (const std::uint32_t one : scenario.chance) text += " " + std::to_string(one);
  return text + "\nend\n";
}

namespace {

bool SetConfig(const std::string& word, Config* config) {
  const std::size_t sign = word.find('=');
  if (sign == std::string::npos) return false;
  const std::string name = word.substr(0, sign);
  const auto value = static_cast<std::uint32_t>(std::strtoul(word.c_str() + sign + 1, nullptr, 10));
#define X(field, usual) \
  if (name == #field) return config->field = value, true;
  COMPLETION_PORT_SIM_SETUP(X)
#undef X
  return false;
}

bool ParseStep(std::istream& words, Step* step) {
  std::string name;
  if (!(words >> name >> step->a >> step->b >> step->c)) return false;
  for (std::size_t i = 0; i < std::size(kStepNames); ++i) {
    if (name != kStepNames[i]) continue;
    step->kind = static_cast<StepKind>(i);
    return true;
  }
  return false;
}

bool ParseLine(const std::string& line, Scenario* out) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "setup") {
    while (words >> word) {
      if (!SetConfig(word, &out->config)) return false;
    }
    return true;
  }
  if (word == "step") {
    Step step{StepKind::drive};
    if (!ParseStep(words, &step)) return false;
    out->steps.push_back(step);
    return true;
  }
  if (word != "chance") return false;
  for (std::uint32_t one; words >> one;) out->chance.push_back(one);
  return true;
}

}  // namespace

bool Parse(std::istream& text, Scenario* out, std::string* error) {
  *out = {};
  std::string line;
  while (std::getline(text, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line == "end") return true;
    if (ParseLine(line, out)) continue;
    *error = "not understood: " + line;
    return false;
  }
  return false;
}

}  // namespace completion_port::sim
