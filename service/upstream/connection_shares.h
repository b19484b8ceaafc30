// Which callers hold the connections to an account, and how many each may hold. A caller gets no
// further connection once it holds four times as many as are free. So one caller gets at most four
// fifths of them, and each further caller at most four fifths of what is left. Not thread-safe.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <unordered_map>

namespace rollcall::service {

// `Holder` is what holds a connection.
template <class Holder>
class ConnectionShares {
 public:
  // At most `max` connections exist; a probe may exceed that.
  explicit ConnectionShares(int max) : max_(max) {}

  // Whether the caller may have another connection.
  bool HasRoom(const std::string& caller) const { return HeldBy(caller) < kPerFree * free(); }

  // The same for a prefetch. It may take at most half of what exists, so that prefetches do not
  // take the connections of pages that are needed.
  bool HasRoomForPrefetch(const std::string& caller) const { return HeldBy(caller) < free(); }

  void Add(const std::string& caller) {
    ++callers_[caller].held;
    ++held_;
  }

  void Remove(const std::string& caller) {
    const auto found = callers_.find(caller);
    --held_;
    if (--found->second.held == 0) callers_.erase(found);
  }

  // A connection of the caller is held by a prefetch that is not read. To be removed before the
  // connection is.
  void AddIdle(const std::string& caller, Holder* prefetch) {
    callers_.at(caller).idle.push_back(prefetch);
  }
  void RemoveIdle(const std::string& caller, Holder* prefetch) {
    callers_.at(caller).idle.remove(prefetch);
  }

  // The oldest idle prefetch of the caller that holds the most connections, among those that have
  // one; null if there is none.
  Holder* IdleOfLargestHolder() const {
    const Caller* largest = nullptr;
    for (const auto& [name, caller] : callers_) {
      if (caller.idle.empty()) continue;
      if (largest == nullptr || caller.held > largest->held) largest = &caller;
    }
    return largest == nullptr ? nullptr : largest->idle.front();
  }

 private:
  static constexpr int kPerFree = 4;

  struct Caller {
    int held = 0;
    std::list<Holder*> idle;  // the oldest first
  };

  int free() const { return std::max(max_ - held_, 0); }
  int HeldBy(const std::string& caller) const {
    const auto found = callers_.find(caller);
    return found == callers_.end() ? 0 : found->second.held;
  }

  const int max_;
  int held_ = 0;
  std::unordered_map<std::string, Caller> callers_;  // those with a connection
};

}  // namespace rollcall::service
