// A test framework of one page: named tests, checks that print what they saw, a watchdog, TAP.
//
//   TEST(Name) { ... }            runs once
//   PORT_TEST(Name) { ... }       runs once for each backend of this system and each kind of
//                                 driver, as `setup`
//   THREAD_TEST(Name) { ... }     the same, but only where a thread of the port's own drives
//   SUBMITTER_TEST(Name) { ... }  the same, but only where the submitter drives
//
// A failed CHECK is noted and the test goes on; REQUIRE also leaves the function. Once a test has
// failed, its waits become short, so that one failure does not cost its whole time.
#ifndef COMPLETION_PORT_TEST_TESTING_H_
#define COMPLETION_PORT_TEST_TESTING_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#include "completion_port/completion_port.h"

namespace completion_port::test {

// What a test of ports runs on.
struct Setup {
  BackendKind backend = BackendKind::kEpoll;
  Driving driving = Driving::kThread;
  bool helper = false;  // of a submitter that drives

  bool SubmitterDrives() const { return driving == Driving::kSubmitter; }
  // Of a test whose point is the thread: how often the others repeat what it repeats `times`.
  int Rounds(int times) const { return SubmitterDrives() ? times / 8 : times; }
};

enum class Runs { kOnce, kForEachSetup, kWithAThread, kWithASubmitter };

struct TestCase {
  const char* file;
  int line;
  const char* name;
  void (*run)(const Setup&);
  Runs runs;
};
struct Registration {
  explicit Registration(const TestCase& test);
};

// Notes a failure of the running test. Any thread.
void Fail(const char* file, int line, const std::string& what);
bool Failed();
// The test cannot be done on this system, and why. The caller returns.
void Skip(const std::string& reason);

std::uint64_t Seed();  // of everything random, printed at the start; --seed
bool UnderWine();      // ... whose completion queue goes through a server process
double Slowness();     // how much longer things may take here (sanitizers, Wine)
int Patience(int ms);  // ms, stretched for slow systems, cut short after a failure
std::uint64_t NowMs();
void SleepMs(int ms);

// What the thread that made it has to do while it waits for somebody else, in a Peer or in SleepMs:
// the turns of a port that nobody else drives.
class WaitingTurns {
 public:
  WaitingTurns(const WaitingTurns&) = delete;
  WaitingTurns& operator=(const WaitingTurns&) = delete;
  virtual ~WaitingTurns() = default;
  virtual void TakeTurns() = 0;

 protected:
  WaitingTurns() = default;
  // From here on, until the second is called. On the thread that waits.
  void BeginTurns();
  void EndTurns();
};
// How many there are of this thread.
std::size_t WaitingTurnsCount();
void TakeWaitingTurns();

// A small generator: xorshift64*, so that a seed gives the same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  std::uint32_t Next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<std::uint32_t>((state_ * 0x2545f4914f6cdd1du) >> 32);
  }
  std::uint32_t Below(std::uint32_t limit) { return limit == 0 ? 0 : Next() % limit; }
  bool OneIn(std::uint32_t n) { return Below(n) == 0; }

 private:
  std::uint64_t state_;
};

std::string Quote(const std::string& text);  // short, and printable

template <typename T>
std::string Show(const T& value) {
  if constexpr (std::is_same_v<T, Error>) {
    return value == Error::kCount ? "nothing" : ErrorName(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<long long>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_pointer_v<T> && !std::is_same_v<T, const char*>) {
    return value == nullptr ? "null" : "a pointer";
  } else {
    return Quote(value);
  }
}

template <typename T>
inline constexpr bool kIsInteger = std::is_integral_v<T> && !std::is_same_v<T, bool>;

template <typename A, typename B>
bool IsEqual(const A& a, const B& b) {
  if constexpr (kIsInteger<A> && kIsInteger<B>) {
    return std::cmp_equal(a, b);
  } else {
    return a == b;
  }
}
template <typename A, typename B>
bool IsLess(const A& a, const B& b) {
  if constexpr (kIsInteger<A> && kIsInteger<B>) {
    return std::cmp_less(a, b);
  } else {
    return a < b;
  }
}

// What a failed comparison says, or nothing.
template <typename A, typename B>
std::string Compare(const char* expression, const A& a, const char* sign, const B& b, bool holds) {
  if (holds) return std::string();
  return std::string(expression) + ": " + Show(a) + " is not " + sign + " " + Show(b);
}
template <typename A, typename B>
std::string CompareEqual(const char* expression, const A& a, const B& b) {
  return Compare(expression, a, "==", b, IsEqual(a, b));
}
template <typename A, typename B>
std::string CompareAtMost(const char* expression, const A& a, const B& b) {
  return Compare(expression, a, "<=", b, !IsLess(b, a));
}

inline bool Note(const char* file, int line, const std::string& failure) {
  if (!failure.empty()) Fail(file, line, failure);
  return failure.empty();
}

}  // namespace completion_port::test

#define CP_NOTE(failure) ::completion_port::test::Note(__FILE__, __LINE__, failure)
#define CP_TRUE(condition) CP_NOTE((condition) ? std::string() : std::string(#condition))
#define CP_EQ(a, b) CP_NOTE(::completion_port::test::CompareEqual(#a " == " #b, a, b))
#define CP_AT_MOST(a, b) CP_NOTE(::completion_port::test::CompareAtMost(#a " <= " #b, a, b))

#define CHECK(condition) static_cast<void>(CP_TRUE(condition))
#define CHECK_EQ(a, b) static_cast<void>(CP_EQ(a, b))
#define CHECK_AT_MOST(a, b) static_cast<void>(CP_AT_MOST(a, b))
#define REQUIRE(condition)           \
  do {                               \
    if (!CP_TRUE(condition)) return; \
  } while (false)
#define REQUIRE_EQ(a, b)      \
  do {                        \
    if (!CP_EQ(a, b)) return; \
  } while (false)

#define CP_TEST(name, runs)                                                          \
  static void Test##name(const ::completion_port::test::Setup&);                     \
  static const ::completion_port::test::Registration registration_of_##name(         \
      {__FILE__, __LINE__, #name, Test##name, ::completion_port::test::Runs::runs}); \
  static void Test##name([[maybe_unused]] const ::completion_port::test::Setup& setup)
#define TEST(name) CP_TEST(name, kOnce)
#define PORT_TEST(name) CP_TEST(name, kForEachSetup)
#define THREAD_TEST(name) CP_TEST(name, kWithAThread)
#define SUBMITTER_TEST(name) CP_TEST(name, kWithASubmitter)

#endif  // COMPLETION_PORT_TEST_TESTING_H_
