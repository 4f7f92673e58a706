// What a backend has to tell the core without asking the system: operations that finished at once,
// and those that should be tried. Wait() and Report() tell.
#ifndef COMPLETION_PORT_BACKEND_READY_LIST_H_
#define COMPLETION_PORT_BACKEND_READY_LIST_H_

#include <cstddef>

#include "allocation.h"
#include "growable.h"

namespace completion_port {

template <typename Item>
class ReadyList {
 public:
  // False where there is no memory.
  [[nodiscard]] bool Reserve(std::size_t items) {
    return ready_.TryReserve(items) && reporting_.TryReserve(items);
  }
  void Add(const Item& item) {
    if (!ready_.TryPush(item)) EndForWantOfMemory();
  }
  void Remove(const Item& item) { ready_.Remove(item); }

  // Reports all, and what the events add, in a few rounds: a connection whose calls all finish at
  // once must not keep the others from being looked at. `report` says whether the core was told of
  // something, and so does this.
  template <typename Report>
  bool ReportAll(Report report) {
    bool any = false;
    for (int round = 0; round < kRounds && !ready_.empty(); ++round) {
      reporting_.Swap(ready_);  // what the events add is for the next round
      for (const Item& item : reporting_) any = report(item) || any;
      reporting_.Clear();
    }
    return any;
  }

  // Reports those that are due; the others stay.
  template <typename IsDue, typename Report>
  void ReportWhere(IsDue is_due, Report report) {
    reporting_.Swap(ready_);
    for (const Item& item : reporting_) {
      if (is_due(item)) {
        report(item);
      } else {
        Add(item);
      }
    }
    reporting_.Clear();
  }

  bool IsEmpty() const { return ready_.empty(); }

  // Whether a Wait() that has told the core of something returns with that. Its caller has
  // something to pass on, and asking the system can wait until it comes back, which saves a call
  // for every message of a quiet port; but not twice, for those who wait there.
  bool IsEnough(bool reported) {
    was_enough_ = reported && !was_enough_;
    return was_enough_;
  }

 private:
  static constexpr int kRounds = 4;

  GrowableArray<Item> ready_;
  GrowableArray<Item> reporting_;  // ready_ of the round that is being reported
  bool was_enough_ = false;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_READY_LIST_H_
