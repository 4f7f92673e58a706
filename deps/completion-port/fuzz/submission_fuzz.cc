// A port takes arbitrary records: of any opcode, flags and id, for sockets that live, that are
// gone, and that never were. It must touch no memory but its own, and it must stop.
//
// What only the submitter can see to is kept: memory that a record names is memory that there is,
// and each chunk is given back once. Everything runs on one thread, over loopback.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "completion_port/completion_port.h"
#include "ring.h"

namespace {

namespace cp = completion_port;

constexpr std::uint32_t kEntries = 64;
constexpr std::size_t kReceiveBytes = 256 * 1024;
constexpr std::size_t kSendBytes = 64 * 1024;
constexpr std::uint32_t kPinnedBytes = 4096;
constexpr std::size_t kCommandBytes = 8;
constexpr std::size_t kMostCommands = 64;

struct alignas(4096) Memory {
  std::uint8_t rings[cp::RingMemoryBytes(kEntries, kEntries)];
  alignas(4096) std::uint8_t receive[kReceiveBytes];
  alignas(64) std::uint8_t send[kSendBytes];
  std::uint8_t pinned[kPinnedBytes];
};

// One port with a listener, and all that it has said of its sockets.
class Fuzzed {
 public:
  Fuzzed() {
    std::memset(memory_.rings, 0, sizeof memory_.rings);
    cp::PortOptions options;
    options.backend = cp::BackendKind::kEpoll;
    options.driving = cp::Driving::kSubmitter;
    options.helper = false;
    options.ring_memory = memory_.rings;
    options.submission_entries = kEntries;
    options.completion_entries = kEntries;
    options.receive_slab = memory_.receive;
    options.receive_slab_bytes = kReceiveBytes;
    options.send_slab = memory_.send;
    options.send_slab_bytes = kSendBytes;
    options.socket_capacity = 16;
    options.linger_ms = 1;
    if (group_.Add(options, &port_) != cp::Error::kOk) std::abort();
    submissions_.Use(memory_.rings, cp::kSubmissionsOffset, kEntries);
    completions_.Use(memory_.rings, cp::CompletionsOffset(kEntries), kEntries);
    cp::ListenOptions listen;
    cp::ParseAddress("127.0.0.1", 0, &listen.address);
    cp::ListenerId listener = 0;
    if (port_->PrepareListener(listen, &listener) != cp::Error::kOk) std::abort();
    port_->ListenerAddress(listener, &address_);
    ids_.push_back(listener);
    // What most inputs are to begin with: a listener that accepts, and a connection to it.
    Submit({.opcode = Of(cp::Opcode::kAccept), .id = listener, .arg0 = 2});
    Connect();
    Submit({.opcode = Of(cp::Opcode::kConnect), .id = ids_.back()});
    Turn();
  }

  void Take(const std::uint8_t* bytes) {
    if (bytes[0] % 16 == 15) return Connect();
    if (bytes[0] % 16 >= 13) return Turn();
    cp::Submission record{};
    record.opcode = bytes[0] % 16;
    record.flags = bytes[1];
    record.id = bytes[2] < 0xf0 ? ids_[bytes[2] % ids_.size()] : Word(bytes + 2);
    record.arg0 = Word(bytes + 3);
    record.arg1 = Word(bytes + 4);
    PointToMemory(&record);
    Submit(record);
  }

  void Finish() {
    Turn();
    group_.Stop();
  }

 private:
  static std::uint32_t Of(cp::Opcode opcode) { return static_cast<std::uint32_t>(opcode); }

  static std::uint32_t Word(const std::uint8_t* bytes) {
    std::uint32_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  }

  void Connect() {
    cp::ConnectOptions options;
    options.remote = address_;
    cp::SocketId id = 0;
    if (port_->PrepareConnect(options, &id) == cp::Error::kOk) ids_.push_back(id);
  }

  void PointToMemory(cp::Submission* record) {
    const auto opcode = static_cast<cp::Opcode>(record->opcode);
    const bool receives = opcode == cp::Opcode::kReceive;
    const bool is_pinned = (receives && (record->flags & cp::kReceivePinned) != 0) ||
                           (opcode == cp::Opcode::kSend && (record->flags & cp::kSendPinned) != 0);
    if (is_pinned) {
      const auto address = reinterpret_cast<std::uintptr_t>(memory_.pinned);
      record->arg0 = static_cast<std::uint32_t>(address);
      record->arg2 = static_cast<std::uint32_t>(static_cast<std::uint64_t>(address) >> 32);
      record->arg1 = 1 + record->arg1 % kPinnedBytes;
    } else if (opcode == cp::Opcode::kSend) {
      record->arg0 %= kSendBytes;
      record->arg1 %= static_cast<std::uint32_t>(kSendBytes) - record->arg0 + 1;
    }
  }

  void Submit(const cp::Submission& record) {
    if (!submissions_.Write(record)) {
      Turn();
      if (!submissions_.Write(record)) std::abort();  // a turn takes all that there is
    }
    submissions_.Publish();
  }

  void Turn() {
    port_->Drive(0);
    const std::uint32_t count = completions_.Available();
    for (std::uint32_t i = 0; i < count; ++i) Note(completions_.Read(i));
    completions_.Advance(count);
  }

  void Note(const cp::Completion& completion) {
    const auto opcode = static_cast<cp::Opcode>(completion.opcode);
    if (opcode == cp::Opcode::kNone || opcode >= cp::Opcode::kCount) std::abort();
    if (opcode == cp::Opcode::kAccept && completion.result == 0) ids_.push_back(completion.arg0);
    if (opcode != cp::Opcode::kReceive || completion.result <= 0) return;
    const auto bytes = static_cast<std::size_t>(completion.result);
    // Of a pinned one nothing is said but how much.
    if (bytes > kReceiveBytes || completion.arg1 > kReceiveBytes - bytes) std::abort();
  }

  Memory& memory_ = *new Memory;  // where a stopped port failed to give it back, it stays
  cp::PortGroup group_;
  cp::Port* port_ = nullptr;
  cp::Address address_;
  cp::SubmissionWriter submissions_;
  cp::CompletionReader completions_;
  std::vector<std::uint32_t> ids_;

 public:
  void FreeMemory() { delete &memory_; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto fuzzed = new Fuzzed;
  const std::size_t commands = std::min(size / kCommandBytes, kMostCommands);
  for (std::size_t i = 0; i < commands; ++i) fuzzed->Take(data + i * kCommandBytes);
  fuzzed->Finish();
  fuzzed->FreeMemory();
  delete fuzzed;
  return 0;
}
