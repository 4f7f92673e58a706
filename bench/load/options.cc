#include "options.h"

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

constexpr char kUsage[] =
    "usage: load echo|storm|churn|idle|receive|send|datagrams --port N --pid N [--connections N] "
    "[--new N]\n"
    "            [--quiet N] [--slow N] [--size BYTES] [--depth N] [--rate N] [--warm S]\n"
    "            [--seconds S] [--operations N]\n"
    "       load run --pid N --seconds S -- PROGRAM [ARGUMENT...]\n";

[[noreturn]] void Refuse(const char* what) {
  std::fprintf(stderr, "load: bad %s\n%s", what, kUsage);
  std::exit(2);
}

double Number(const char* name, const char* text, double least, double most) {
  char* end = nullptr;
  const double value = text == nullptr ? 0 : std::strtod(text, &end);
  if (end == text || end == nullptr || *end != '\0' || !(value >= least && value <= most)) {
    Refuse(name);
  }
  return value;
}

}  // namespace

Options ReadOptions(int argc, char** argv) {
  Options options;
  if (argc < 2) Refuse("mode");
  options.mode = argv[1];
  for (int i = 2; i < argc; i += 2) {
    const std::string_view name = argv[i];
    if (name == "--") {
      options.command.assign(argv + i + 1, argv + argc);
      break;
    }
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    const auto integer = [&](int least, int most) {
      return static_cast<int>(Number(argv[i], value, least, most));
    };
    if (name == "--port") {
      options.port = integer(1, 65535);
    } else if (name == "--pid") {
      options.pid = integer(1, 1 << 22);
    } else if (name == "--connections") {
      options.connections = integer(1, 20'000);
    } else if (name == "--new") {
      options.newcomers = integer(1, 20'000);
    } else if (name == "--quiet") {
      options.quiet = integer(0, 20'000);
    } else if (name == "--slow") {
      options.slow = integer(0, 1000);
    } else if (name == "--depth") {
      options.depth = integer(1, 1024);
    } else if (name == "--rate") {
      options.rate = Number(argv[i], value, 1, 1e7);
    } else if (name == "--size") {
      options.size = integer(1, 1 << 20);
    } else if (name == "--warm") {
      options.warm = Number(argv[i], value, 0, 30);
    } else if (name == "--seconds") {
      options.seconds = Number(argv[i], value, 0.01, 60);
    } else if (name == "--operations") {
      options.operations = static_cast<std::uint64_t>(Number(argv[i], value, 1, 1e12));
    } else {
      Refuse(argv[i]);
    }
  }
  if (options.pid == 0) Refuse("--pid");
  if (options.mode == "run" ? options.command.empty() : options.port == 0) Refuse("arguments");
  options.command.push_back(nullptr);  // as exec wants it
  return options;
}
