// Whichever allocation of the core fails: what was asked for succeeds or ends with an error, and
// the port works when there is memory again. The books of Client see to it that everything
// completes once. Where no answer is possible, and `new` fails that does not say so, the process
// ends, at once and by abort().
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client.h"
#include "faults_linux.h"
#include "local_pair.h"
#include "pair.h"
#include "peer.h"
#include "temporary_file.h"

namespace completion_port::test {
namespace {

constexpr int kStepMs = 2000;
constexpr std::uint32_t kMostAllocations = 400;
constexpr std::size_t kConnections = 4;  // whose sends leave together
constexpr std::uint32_t kCredit = 16;
constexpr std::size_t kSlabBytes = 128 * 1024;  // receives wait for chunks
constexpr std::size_t kLarge = 512 * 1024;
constexpr std::size_t kParts = 80;  // of one request: its queue grows
constexpr std::uint32_t kFileBytes = 50 * 1000;
constexpr std::size_t kPinning = 2;  // connections that receive into memory of their own
constexpr int kPinnedReceives = 6;   // of one connection
constexpr std::size_t kAnswer = 32 * 1024;

enum class Outcome { kDone, kFailed };

bool IsOver(const Sock* sock) {
  return sock->closed || sock->ended.has_value() ||
         (!sock->send_results.empty() && Last(sock->send_results) != Error::kOk);
}

// Errors that say so, and those that the other end of a connection sees of them.
bool SaysSo(Error error) {
  return error == Error::kOk || error == Error::kNoMemory || error == Error::kNoBufferSpace ||
         error == Error::kBrokenPipe || error == Error::kConnectionReset ||
         error == Error::kCanceled;
}

ClientOptions Options(std::uint32_t completion_entries) {
  ClientOptions options;
  options.ports = 2;
  options.may_fail_to_open = true;
  options.may_lack_memory = true;
  options.completion_entries = completion_entries;
  options.receive_slab_bytes = kSlabBytes;
  options.linger_ms = 200;
  options.socket_capacity = 64;
  return options;
}

// What a program does with two ports, as far as it gets: it connects on the one that listens, so
// that what is accepted goes to the other. Each step goes on with the next also where
// something of it has failed.
class Scenario {
 public:
  Scenario(const Setup& setup, const TemporaryFile& file, std::uint32_t completion_entries = 1024)
      : client_(setup, Options(completion_entries)), file_(file.native()) {}

  bool started() const { return client_.started(); }

  Outcome Run() {
    outcome_ = Outcome::kDone;
    if (!client_.started()) {
      CHECK(SaysSo(client_.open_error()));
      return Outcome::kFailed;
    }
    Datagrams();
    Connections(Loopback(Family::kIpv4, 0));
    Connections(UniquePath());
    return outcome_;
  }

 private:
  void Note(bool worked) {
    if (!worked) outcome_ = Outcome::kFailed;
  }
  // It has to come, also where there is no memory.
  void Await(const char* what, const std::function<bool()>& told) {
    const bool came = client_.WaitUntil(told, kStepMs);
    if (!came) Fail(__FILE__, __LINE__, std::string("it never comes: ") + what);
    Note(came);
  }

  void Datagrams() {
    const DatagramId receiver = OpenDatagrams();
    const DatagramId sender = OpenDatagrams();
    Address to;
    if (receiver != 0 && sender != 0) {
      CHECK_EQ(client_.port()->DatagramAddress(receiver, &to), Error::kOk);
      AwaitDatagrams(Opcode::kAwaitReadable, receiver, [&] { SendDatagram(sender, to); });
      AwaitDatagrams(Opcode::kAwaitWritable, sender, [] {});
    }
    for (const DatagramId id : {receiver, sender}) {
      if (id != 0) AwaitDatagrams(Opcode::kCloseDatagrams, id, [] {});
    }
  }

  DatagramId OpenDatagrams() {
    DatagramOptions options;
    options.local = Loopback(Family::kIpv4, 0);
    DatagramId id = 0;
    const Error error = client_.port()->PrepareDatagrams(options, &id);
    CHECK(SaysSo(error));
    Note(error == Error::kOk);
    return error == Error::kOk ? id : 0;
  }

  void SendDatagram(DatagramId from, const Address& to) {
    DatagramRecord record{};
    record.id = from;
    record.length = 1;
    record.family = static_cast<std::uint32_t>(to.family);
    record.port = to.port;
    std::copy_n(to.bytes, sizeof to.bytes, record.address);
    const std::uint8_t text[] = {'x'};
    client_.port()->SendDatagrams(&record, 1, text);
    CHECK_EQ(record.result, 1);
  }

  template <typename Then>
  void AwaitDatagrams(Opcode opcode, DatagramId id, Then then) {
    const std::size_t before = client_.datagram_events.size();
    client_.Submit(0, opcode, id);
    client_.Flush();
    then();
    Await("what is awaited of datagrams", [&] { return client_.datagram_events.size() > before; });
  }

  void Connections(const Address& address) {
    ListenOptions options;
    options.address = address;
    Error error = Error::kOk;
    Accepting* listener = client_.Listen(options, 0, &error);
    CHECK(SaysSo(error));
    Note(listener != nullptr);
    if (listener == nullptr) return;
    client_.Accept(listener, kCredit);
    client_.Flush();
    std::vector<Sock*> heres;
    for (std::size_t i = 0; i < kConnections; ++i) {
      if (Sock* here = Connect(listener->address)) heres.push_back(here);
    }
    const std::vector<Sock*>& theres = listener->accepted;
    Await("the connections that are accepted",
          [&] { return theres.size() >= heres.size() || !listener->errors.empty(); });
    if (!listener->errors.empty()) client_.Pass(kQuietMs);  // there may be others yet
    Note(theres.size() == kConnections);
    for (std::size_t i = kPinning; i < heres.size(); ++i) {
      client_.Grant(heres[i], kCredit);
      heres[i]->refill = 1;
    }
    for (Sock* there : theres) there->refill = 1;
    if (!heres.empty() && !theres.empty()) Talk(heres, theres);
    Check(listener->errors);
    for (const Sock* here : heres) Check(here->send_results);
    for (const Sock* there : theres) Check(there->send_results);
    CloseAll(listener, heres);
  }

  static void Check(const std::vector<Error>& errors) {
    for (const Error error : errors) CHECK(SaysSo(error));
  }

  void CloseAll(Accepting* listener, const std::vector<Sock*>& heres) {
    for (Sock* here : heres) client_.Shutdown(here);
    client_.Flush();
    for (Sock* here : heres) client_.Close(here);
    for (Sock* there : listener->accepted) client_.Close(there);
    client_.CloseListener(listener);
    Await("the ends of closing",
          [&] { return listener->closed && AreClosed(heres) && AreClosed(listener->accepted); });
  }

  Sock* Connect(const Address& to) {
    ConnectOptions options;
    options.remote = to;
    Error error = Error::kOk;
    Sock* here = client_.Prepare(options, 0, &error);
    CHECK(SaysSo(error));
    Note(here != nullptr);
    if (here == nullptr) return nullptr;
    client_.Connect(here);
    Await("the end of a connect", [&] { return !here->connect_pending; });
    Note(here->connected == Error::kOk);
    return here;
  }

  // The first of those here has much to send. It and the second receive into memory of their own,
  // the second by one receive, which is all that is submitted then.
  void Talk(const std::vector<Sock*>& heres, const std::vector<Sock*>& theres) {
    if (heres.size() > 1) client_.ReceivePinned(heres[1], kAnswer);
    client_.Flush();
    for (int i = 0; i < kPinnedReceives; ++i) client_.ReceivePinned(heres[0], kAnswer);
    for (Sock* there : theres) client_.Send(there, Filled(kAnswer, 1));
    std::uint64_t sent = kParts * 10 + kFileBytes + kLarge;
    std::vector<std::vector<std::uint8_t>> parts(kParts, Filled(10, 2)[0]);
    client_.Send(heres[0], std::move(parts));
    client_.SendFile(heres[0], file_, 0, kFileBytes);
    client_.Send(heres[0], Filled(kLarge, 3));
    for (Sock* here : heres) {
      client_.Send(here, "small");
      sent += 5;
    }
    Await("the ends of sends", [&] { return AreIdle(heres) && AreIdle(theres); });
    Await("what was sent",
          [&] { return Received(theres) >= sent || AnyOver(heres) || AnyOver(theres); });
    for (std::size_t i = 0; i < std::min(kPinning, heres.size()); ++i)
      AwaitAnswer(heres[i], theres);
    Note(!AnyOver(heres) && !AnyOver(theres));
  }

  // Receives into memory that are refused ask for credit in their place, as do those of which none
  // is left.
  void AwaitAnswer(Sock* here, const std::vector<Sock*>& theres) {
    const auto is_busy = [](std::int32_t result) { return result == ToResult(Error::kBusy); };
    const auto is_over = [&] { return IsOver(here) || AnyOver(theres); };
    const auto has_come = [&] { return here->received >= kAnswer || is_over(); };
    Await("an answer, or that none comes by memory", [&] {
      const auto& results = here->pinned_results;
      return has_come() || here->pinned.empty() ||
             std::any_of(results.begin(), results.end(), is_busy);
    });
    if (has_come()) return;
    here->refill = 1;
    client_.Grant(here, kCredit);
    Await("an answer", has_come);
  }

  static bool AreIdle(const std::vector<Sock*>& socks) {
    return std::all_of(socks.begin(), socks.end(),
                       [](const Sock* sock) { return sock->Idle() || IsOver(sock); });
  }
  static bool AreClosed(const std::vector<Sock*>& socks) {
    return std::all_of(socks.begin(), socks.end(), [](const Sock* sock) { return sock->closed; });
  }
  static bool AnyOver(const std::vector<Sock*>& socks) {
    return std::any_of(socks.begin(), socks.end(), IsOver);
  }
  static std::uint64_t Received(const std::vector<Sock*>& socks) {
    std::uint64_t bytes = 0;
    for (const Sock* sock : socks) bytes += sock->received;
    return bytes;
  }

  Client client_;
  const std::intptr_t file_;
  Outcome outcome_ = Outcome::kDone;
};

}  // namespace

// Under ThreadSanitizer, which takes ten times as long, every fourth, from another one in each run.
#if defined(__SANITIZE_THREAD__)
constexpr std::uint32_t kStep = 4;
#else
constexpr std::uint32_t kStep = 1;
#endif

// One after the other fails, until the scenario needs no more.
PORT_TEST(AllocationsThatFail) {
  const TemporaryFile file(1, kFileBytes);
  std::uint32_t failed = 0;
  std::uint32_t done = 0;
  bool struck = true;
  for (std::uint32_t nth = 1 + static_cast<std::uint32_t>(Seed() % kStep);
       struck && nth <= kMostAllocations && !Failed(); nth += kStep) {
    const std::size_t open_before = OpenDescriptors();
    {
      Outcome outcome = Outcome::kDone;
      std::optional<Scenario> scenario;
      {
        const Fault fault(Call::allocate, nth, ENOMEM);
        outcome = scenario.emplace(setup, file).Run();
        struck = fault.Struck();
      }
      if (!struck) CHECK(outcome == Outcome::kDone);
      failed += struck ? 1 : 0;
      if (struck && outcome == Outcome::kDone) ++done;
      if (scenario->started()) CHECK(scenario->Run() == Outcome::kDone);
    }
    CHECK_EQ(OpenDescriptors(), open_before);
    if (Failed()) std::printf("# allocation %u fails\n", nth);
  }
  std::printf("# %u allocations failed, without %u of them all was done\n", failed, done);
  CHECK(done != 0);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
namespace {

enum class End { kRan, kAborted, kOther };

// A process that was aborted has left its socket files.
void RemovePathsOf(pid_t process) {
  const std::string start = "completion-port-" + std::to_string(process) + "-";
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::temp_directory_path())) {
    if (entry.path().filename().string().starts_with(start)) remove(entry.path());
  }
}

// In a process of its own. The ring of completions is so small that some have to wait.
End EndOf(const Setup& setup, Call call, std::uint32_t nth, std::uint32_t* calls) {
  const TemporaryFile file(1, kFileBytes);
  int told[2];
  CHECK_EQ(pipe(told), 0);
  std::fflush(stdout);
  const pid_t child = fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) _exit(1);
    const Fault fault(call, nth, ENOMEM);
    {
      Scenario scenario(setup, file, 4);
      scenario.Run();
    }
    const std::uint32_t made = fault.Calls();
    const bool wrote = write(told[1], &made, sizeof made) == sizeof made;
    _exit(wrote && !Failed() ? 0 : 1);
  }
  close(told[1]);
  int status = 0;
  CHECK_EQ(waitpid(child, &status, 0), child);
  if (read(told[0], calls, sizeof *calls) != sizeof *calls) *calls = 0;
  close(told[0]);
  RemovePathsOf(child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return End::kRan;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? End::kAborted : End::kOther;
}

}  // namespace

PORT_TEST(AllocationsThatEndTheProcess) {
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  constexpr std::uint32_t kTries = 40;
  for (const Call call : {Call::allocate, Call::plain_new}) {
    std::uint32_t calls = 0;
    CHECK(EndOf(setup, call, kNone, &calls) == End::kRan);
    CHECK(calls != 0);
    std::uint32_t aborted = 0;
    for (std::uint32_t i = 0; i < kTries && !Failed(); ++i) {
      std::uint32_t ignored = 0;
      const End end = EndOf(setup, call, 1 + i * calls / kTries, &ignored);
      CHECK(end != End::kOther);
      if (end == End::kAborted) ++aborted;
    }
    std::printf("# %s: %u calls, of %u that failed %u ended the process\n", CallName(call), calls,
                kTries, aborted);
    if (call == Call::plain_new) CHECK(aborted != 0);
  }
}
#endif

}  // namespace completion_port::test
