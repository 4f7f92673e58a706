// What a backend has to tell the core without asking the system: operations that finished at once,
// and those that should be tried. Wait() and Report() tell.
#ifndef COMPLETION_PORT_BACKEND_READY_LIST_H_
#define COMPLETION_PORT_BACKEND_READY_LIST_H_

#include <cstddef>
#include <vector>

namespace completion_port {

template <typename Item>
class ReadyList {
 public:
  void Reserve(std::size_t items) {
    ready_.reserve(items);
    reporting_.reserve(items);
  }
  void Add(const Item& item) { ready_.push_back(item); }
  void Remove(const Item& item) { std::erase(ready_, item); }

  // Reports all, and what the events add, in a few rounds: a connection whose calls all finish at
  // once must not keep the others from being looked at. False if there was nothing to report.
  template <typename Report>
  bool ReportAll(Report report) {
    bool any = false;
    for (int round = 0; round < kRounds && !ready_.empty(); ++round) {
      any = true;
      reporting_.swap(ready_);  // what the events add is for the next round
      for (const Item& item : reporting_) report(item);
      reporting_.clear();
    }
    return any;
  }

  // Reports those that are due; the others stay.
  template <typename IsDue, typename Report>
  void ReportWhere(IsDue is_due, Report report) {
    reporting_.swap(ready_);
    for (const Item& item : reporting_) {
      if (is_due(item)) {
        report(item);
      } else {
        ready_.push_back(item);
      }
    }
    reporting_.clear();
  }

  // Whether a Wait() that has reported something returns with that. Its caller has something to
  // pass on, and asking the system can wait until it comes back, which saves a call for every
  // message of a quiet port; but not twice, for those who wait there.
  bool IsEnough(bool reported) {
    was_enough_ = reported && !was_enough_;
    return was_enough_;
  }

 private:
  static constexpr int kRounds = 4;

  std::vector<Item> ready_;
  std::vector<Item> reporting_;  // ready_ of the round that is being reported
  bool was_enough_ = false;
};

}  // namespace completion_port

#endif  // COMPLETION_PORT_BACKEND_READY_LIST_H_
