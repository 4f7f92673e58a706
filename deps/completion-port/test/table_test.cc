// The parts of the core that can be looked at by themselves: tables, queues, pools, rings.
#include <algorithm>
#include <atomic>
#include <new>
#include <set>
#include <thread>

#include "chunk_pool.h"
#include "pattern.h"
#include "ring.h"
#include "send_queue.h"
#include "slot_table.h"
#include "testing.h"

namespace completion_port::test {
namespace {

struct Slot {
  std::atomic<std::uint32_t> id{0};
};

SendBuffer Buffer(std::uint32_t length, bool ends_request = true) {
  static const std::uint8_t bytes[1] = {};
  return {bytes, length, ends_request};
}

std::uint64_t Waiting(const SendQueue& queue) {
  std::uint64_t bytes = 0;
  for (const SendBuffer& buffer : queue) bytes += buffer.length;
  return bytes;
}

}  // namespace

// --- Names

TEST(EveryErrorHasNodesName) {
  CHECK_EQ(std::string(ErrorName(Error::kOk)), std::string("OK"));
#define X(name, node) CHECK_EQ(std::string(ErrorName(Error::name)), std::string(#node));
  COMPLETION_PORT_ERRORS(X)
#undef X
  CHECK_EQ(std::string(ErrorName(static_cast<Error>(9999))), std::string("UNKNOWN"));
  CHECK_EQ(ToResult(Error::kOk), 0);
  CHECK_EQ(ToResult(Error::kConnectionReset), -static_cast<int>(Error::kConnectionReset));
}

TEST(EveryBackendHasAName) {
  std::set<std::string> names;
  for (const BackendKind kind : BackendCandidates()) {
    CHECK(names.insert(BackendName(kind)).second);
    CHECK(!std::string(BackendName(kind)).empty());
  }
  CHECK(!names.empty());
#ifdef _WIN32
  CHECK_EQ(ProbeBackend(BackendKind::kIoUring), Error::kNotSupported);
#else
  CHECK_EQ(ProbeBackend(BackendKind::kIocp), Error::kNotSupported);
#endif
}

TEST(LayoutHasNoOverlap) {
  const std::set<std::size_t> words = {kSubmissionTail,     kSubmissionHead, kPortAsleep,
                                       kCompletionTail,     kCompletionHead, kConsumerAsleep,
                                       kCompletionOverflow, kChunksWanted,   kDriver};
  CHECK_EQ(words.size(), 9);
  std::size_t previous = 0;
  for (const std::size_t word : words) {
    if (word != 0) CHECK_EQ(word - previous, kCacheLineBytes / 4);
    previous = word;
  }
  CHECK_AT_MOST((previous + 1) * 4, kHeaderBytes);
  CHECK_EQ(kCountersOffset % 8, 0);
  CHECK_EQ(kSubmissionsOffset % kCacheLineBytes, 0);
  CHECK_EQ(RingMemoryBytes(8, 16), kSubmissionsOffset + 24 * kRecordBytes);
}

// --- SlotTable

TEST(SlotTableGenerationsWrap) {
  SlotTable<Slot> table(3);
  std::set<std::uint32_t> ids;
  std::uint32_t first = 0;
  for (std::uint32_t i = 0; i < 3 * kLastGeneration; ++i) {
    Slot* slot = table.Allocate();
    REQUIRE(slot != nullptr);
    const std::uint32_t id = slot->id.load();
    if (i == 0) first = id;
    CHECK(id != 0);
    CHECK(ids.insert(id).second);  // 4,095 times a new one, in each slot
    CHECK(table.Find(id) == slot);
    table.Free(slot);
    CHECK(table.Find(id) == nullptr);
  }
  Slot* slot = table.Allocate();
  CHECK_EQ(slot->id.load(), first);
  CHECK_EQ(table.Live(), 1);
}

TEST(SlotTableUsesASlotAgainAsLateAsItCan) {
  SlotTable<Slot> table(1000);
  // One at a time: as many slots take turns as are to lie free at least.
  std::set<std::uint32_t> ids;
  std::set<const Slot*> slots;
  for (std::uint32_t i = 0; i < kLeastFree * kLastGeneration; ++i) {
    Slot* slot = table.Allocate();
    REQUIRE(slot != nullptr);
    REQUIRE(ids.insert(slot->id.load()).second);
    slots.insert(slot);
    table.Free(slot);
  }
  CHECK_EQ(slots.size(), kLeastFree);
}

TEST(SlotTableUsesFirstWhatWasFreedFirst) {
  SlotTable<Slot> table(100);
  std::vector<Slot*> slots;
  for (int i = 0; i < 100; ++i) slots.push_back(table.Allocate());
  for (Slot* slot : slots) table.Free(slot);
  for (const Slot* slot : slots) CHECK(table.Allocate() == slot);
  CHECK(table.Allocate() == nullptr);
}

TEST(SlotTableFindsOnlyWhatLives) {
  SlotTable<Slot> table(2);
  for (const std::uint32_t id : {0u, 1u, 2u, kIndexMask, 1u << kSlotIndexBits, ~0u}) {
    CHECK(table.Find(id) == nullptr);
  }
  Slot* a = table.Allocate();
  Slot* b = table.Allocate();
  CHECK(a != b);
  CHECK(table.Allocate() == nullptr);  // full
  CHECK_EQ(table.Live(), 2);
  const std::uint32_t old = a->id.load();
  table.Free(a);
  std::vector<const Slot*> live;
  table.ForEachLive([&](const Slot& slot) { live.push_back(&slot); });
  CHECK(live == std::vector<const Slot*>{b});
  Slot* again = table.Allocate();
  CHECK(again == a);  // the slot is recycled, never freed
  CHECK(again->id.load() != old);
  CHECK(table.Find(old) == nullptr);
  CHECK(table.Find(b->id.load()) == b);
}

TEST(SlotTableIsFoundInByOtherThreads) {
  SlotTable<Slot> table(64);
  std::atomic<bool> done{false};
  std::atomic<std::uint32_t> published{0};
  std::thread finder([&] {
    while (!done.load()) {
      const std::uint32_t id = published.load();
      const Slot* slot = table.Find(id);
      if (slot != nullptr) CHECK(slot != nullptr);
      static_cast<void>(table.Live());
    }
  });
  std::vector<Slot*> slots;
  Random random(Seed());
  for (int i = 0; i < 20000; ++i) {
    if (slots.size() < 64 && random.OneIn(2)) {
      slots.push_back(table.Allocate());
      published = slots.back()->id.load();
    } else if (!slots.empty()) {
      table.Free(slots.back());
      slots.pop_back();
    }
  }
  done = true;
  finder.join();
  CHECK_EQ(table.Live(), slots.size());
}

// --- SendQueue

TEST(SendQueueCountsRequests) {
  SendQueue queue;
  CHECK(queue.empty());
  CHECK_EQ(queue.Consume(0), 0);
  CHECK(queue.Push(Buffer(10)));
  CHECK(queue.Push(Buffer(5, false)));
  CHECK(queue.Push(Buffer(5)));
  CHECK(queue.Push(Buffer(1)));
  CHECK_EQ(queue.Consume(9), 0);
  CHECK_EQ(Waiting(queue), 12);
  CHECK_EQ(queue.begin()->length, 1);
  CHECK_EQ(queue.Consume(1), 1);
  CHECK_EQ(queue.Consume(5), 0);  // the middle of a request
  CHECK_EQ(queue.Consume(6), 2);
  CHECK(queue.empty());
}

TEST(SendQueueAdvancesTheData) {
  SendQueue queue;
  const std::uint8_t bytes[10] = {};
  CHECK(queue.Push({bytes, 10, true}));
  CHECK_EQ(queue.Consume(4), 0);
  CHECK(queue.begin()->data == bytes + 4);
  CHECK_EQ(queue.begin()->length, 6);
}

TEST(SendQueueDoesEmptyBuffersWhenReached) {
  SendQueue queue;
  CHECK(queue.Push(Buffer(0)));
  CHECK(queue.Push(Buffer(0, false)));
  CHECK(queue.Push(Buffer(3)));
  CHECK(queue.Push(Buffer(0)));
  CHECK(queue.Push(Buffer(0)));
  CHECK_EQ(queue.Consume(0), 1);
  CHECK_EQ(queue.begin()->length, 3);
  CHECK_EQ(queue.Consume(3), 3);
  CHECK(queue.empty());
}

TEST(SendQueueClears) {
  SendQueue queue;
  CHECK_EQ(queue.Clear(), 0);
  CHECK(queue.Push(Buffer(10)));
  CHECK(queue.Push(Buffer(10)));
  CHECK(queue.Push(Buffer(10, false)));  // unfinished: whoever ends it completes it
  CHECK_EQ(queue.Consume(15), 1);
  CHECK_EQ(queue.Clear(), 1);
  CHECK(queue.empty());
  CHECK(queue.Push(Buffer(1)));
  CHECK_EQ(queue.Consume(1), 1);
}

TEST(SendQueueAgainstAModel) {
  Random random(Seed());
  SendQueue queue;
  std::vector<std::pair<std::uint32_t, bool>> model;
  for (int i = 0; i < 100000; ++i) {
    if (random.OneIn(2)) {
      const std::uint32_t length = random.Below(20);
      const bool ends = !random.OneIn(3);
      CHECK(queue.Push(Buffer(length, ends)));
      model.emplace_back(length, ends);
    } else {
      std::uint32_t sent = random.Below(30);
      std::uint32_t left = 0;
      for (const auto& buffer : model) left += buffer.first;
      sent = std::min(sent, left);
      std::uint32_t expected = 0;
      const std::uint32_t ended = queue.Consume(sent);
      while (!model.empty() && model.front().first <= sent) {
        sent -= model.front().first;
        if (model.front().second) ++expected;
        model.erase(model.begin());
      }
      if (!model.empty()) model.front().first -= sent;
      REQUIRE_EQ(ended, expected);
    }
    REQUIRE_EQ(queue.empty(), model.empty());
    REQUIRE_EQ(queue.end() - queue.begin(), model.size());
  }
}

// --- ChunkPool

TEST(ChunkPoolCutsTheSlab) {
  constexpr std::size_t kBytes = 1024 * 1024;
  std::vector<std::uint8_t> memory(kBytes + 4096);
  const auto start = reinterpret_cast<std::uintptr_t>(memory.data());
  std::uint8_t* const slab = memory.data() + (4096 - start % 4096) % 4096;
  ChunkPool pool;
  CHECK(pool.Use(slab, kBytes));
  CHECK_EQ(pool.Total(ChunkClass::kSmall), 128);
  CHECK_EQ(pool.Total(ChunkClass::kLarge), 8);
  CHECK_EQ(pool.Total(), 136);
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places;
  for (const ChunkClass chunk_class : {ChunkClass::kSmall, ChunkClass::kLarge}) {
    std::uint32_t chunk = 0;
    while ((chunk = pool.Acquire(chunk_class)) != kNoChunk) {
      CHECK(pool.ClassOf(chunk) == chunk_class);
      CHECK(pool.Data(chunk) == slab + pool.Offset(chunk));
      places.emplace_back(pool.Offset(chunk), pool.Bytes(chunk));
    }
    CHECK_EQ(pool.Free(chunk_class), 0);
  }
  CHECK_EQ(pool.InUse(), 136);
  std::sort(places.begin(), places.end());
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::size_t next = i + 1 < places.size() ? places[i + 1].first : kBytes;
    CHECK_AT_MOST(places[i].first + places[i].second, next);
  }
}

TEST(ChunkPoolHasFewLargeOnes) {
  std::vector<std::uint8_t> slab(16 * 1024 * 1024);
  ChunkPool pool;
  CHECK(pool.Use(slab.data(), slab.size()));
  CHECK_EQ(pool.Total(ChunkClass::kLarge), 64);
  CHECK_AT_MOST(3071, pool.Total(ChunkClass::kSmall));  // the rest, but for what fills no page
}

TEST(ChunkPoolReleasesOnce) {
  std::vector<std::uint8_t> slab(512 * 1024);
  ChunkPool pool;
  CHECK(pool.Use(slab.data(), slab.size()));
  const std::uint32_t a = pool.Acquire(ChunkClass::kSmall);
  const std::uint32_t b = pool.Acquire(ChunkClass::kSmall);
  const std::uint32_t free = pool.Free(ChunkClass::kSmall);
  CHECK(pool.IsAcquired(a));
  pool.Release(a);
  CHECK(!pool.IsAcquired(a));
  pool.Release(a);  // a second time: nothing
  pool.Release(kNoChunk);
  pool.Release(pool.Total());
  CHECK(!pool.IsAcquired(kNoChunk));
  CHECK_EQ(pool.Free(ChunkClass::kSmall), free + 1);
  CHECK_EQ(pool.InUse(), 1);
  const std::uint32_t c = pool.Acquire(ChunkClass::kSmall);
  const std::uint32_t d = pool.Acquire(ChunkClass::kSmall);
  CHECK(c != d && c != b && d != b);
}

TEST(ChunkPoolGivesAnotherClassUnlessOneComesBack) {
  std::vector<std::uint8_t> slab(2 * 1024 * 1024);
  ChunkPool pool;
  CHECK(pool.Use(slab.data(), slab.size()));
  std::uint32_t chunk = 0;
  std::uint32_t last = kNoChunk;
  while ((chunk = pool.Acquire(ChunkClass::kLarge)) != kNoChunk) {
    CHECK_EQ(pool.Bytes(chunk), kLargestChunkBytes);
    last = chunk;
  }
  CHECK(pool.ClassOf(pool.AcquireAny(ChunkClass::kLarge)) == ChunkClass::kSmall);
  pool.Deliver(last);
  CHECK_EQ(pool.AcquireAny(ChunkClass::kLarge), kNoChunk);
  pool.Release(last);
  CHECK_EQ(pool.AcquireAny(ChunkClass::kLarge), last);
  CHECK(pool.ClassOf(pool.AcquireAny(ChunkClass::kLarge)) == ChunkClass::kSmall);
  pool.Release(last);
  while (pool.Acquire(ChunkClass::kSmall) != kNoChunk) continue;
  CHECK_EQ(pool.AcquireAny(ChunkClass::kSmall), last);  // delivered or not, a large one will do
  CHECK_EQ(pool.AcquireAny(ChunkClass::kSmall), kNoChunk);
}

TEST(ChunkPoolTrimsWhatWasCold) {
  std::vector<std::uint8_t> slab(2 * 1024 * 1024);
  ChunkPool pool;
  CHECK(pool.Use(slab.data(), slab.size()));
  CHECK_EQ(pool.Trim(), 0);  // nothing was touched
  std::vector<std::uint32_t> chunks;
  for (int i = 0; i < 50; ++i) {
    chunks.push_back(pool.Acquire(ChunkClass::kSmall));
    pool.Data(chunks.back())[0] = 1;
  }
  for (const std::uint32_t chunk : chunks) pool.Release(chunk);
  CHECK_EQ(pool.Trim(), 0);  // all were warm since the last
  const std::uint32_t warm = pool.Acquire(ChunkClass::kSmall);
  pool.Release(warm);
  CHECK_EQ(pool.Trim(), 49);
  CHECK_EQ(pool.Trim(), 1);
  CHECK_EQ(pool.Trim(), 0);
  const std::uint32_t chunk = pool.Acquire(ChunkClass::kSmall);
  pool.Data(chunk)[4095] = 7;  // still memory
  CHECK_EQ(pool.Data(chunk)[4095], 7);
}

TEST(ChunkPoolWithoutRoom) {
  std::vector<std::uint8_t> slab(100);
  ChunkPool pool;
  CHECK(pool.Use(slab.data(), slab.size()));
  CHECK_EQ(pool.Total(), 0);
  CHECK_EQ(pool.Acquire(ChunkClass::kSmall), kNoChunk);
  CHECK_EQ(pool.Acquire(ChunkClass::kLarge), kNoChunk);
  CHECK_EQ(pool.Trim(), 0);
}

// --- Rings

TEST(RingWrapsAndRefusesWhenFull) {
  constexpr std::uint32_t kEntries = 4;
  std::vector<std::uint64_t> memory(RingMemoryBytes(kEntries, kEntries) / 8);
  SubmissionWriter writer;
  SubmissionReader reader;
  writer.Use(memory.data(), kSubmissionsOffset, kEntries);
  reader.Use(memory.data(), kSubmissionsOffset, kEntries);
  std::uint32_t written = 0;
  std::uint32_t read = 0;
  Random random(Seed());
  for (int i = 0; i < 10000; ++i) {
    Submission record{};
    record.id = written;
    if (random.OneIn(2)) {
      const bool fits = writer.Write(record);
      REQUIRE_EQ(fits, written - read < kEntries);
      if (fits) ++written;
    } else {
      writer.Publish();
      REQUIRE_EQ(reader.Available(), written - read);
      const std::uint32_t count = random.Below(reader.Available() + 1);
      for (std::uint32_t k = 0; k < count; ++k) REQUIRE_EQ(reader.Read(k).id, read + k);
      reader.Advance(count);
      read += count;
    }
  }
  CHECK(read > 1000);
}

TEST(RingBetweenTwoThreads) {
  constexpr std::uint32_t kEntries = 8;
  constexpr std::uint32_t kRecords = 100'000;
  std::vector<std::uint64_t> memory(RingMemoryBytes(kEntries, kEntries) / 8);
  std::thread producer([&] {
    CompletionWriter writer;
    writer.Use(memory.data(), CompletionsOffset(kEntries), kEntries);
    for (std::uint32_t i = 0; i < kRecords;) {
      Completion record{};
      record.id = i;
      record.arg0 = ~i;
      if (writer.Write(record)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
      writer.Publish();
    }
  });
  CompletionReader reader;
  reader.Use(memory.data(), CompletionsOffset(kEntries), kEntries);
  bool right = true;
  for (std::uint32_t next = 0; next < kRecords;) {
    const std::uint32_t count = reader.Available();
    if (count == 0) std::this_thread::yield();
    for (std::uint32_t k = 0; k < count; ++k, ++next) {
      right = right && reader.Read(k).id == next && reader.Read(k).arg0 == ~next;
    }
    if (count != 0) reader.Advance(count);
  }
  producer.join();
  CHECK(right);
}

}  // namespace completion_port::test
