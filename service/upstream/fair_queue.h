// A queue that serves its callers in turn, one item of each, so that a caller with many items
// delays only its own. Not thread-safe.
#pragma once

#include <algorithm>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace rollcall::service {

template <class Item>
class FairQueue {
 public:
  bool empty() const { return callers_.empty(); }
  // The number of items.
  int size() const { return size_; }

  void Push(const std::string& caller, Item* item) {
    auto& items = items_[caller];
    if (items.empty()) callers_.push_back(caller);
    items.push_back(item);
    ++size_;
  }

  // The queue must not be empty.
  Item* Pop() {
    return PopIf([](const std::string&) { return true; });
  }

  // The next item of a caller for which `may_pop(caller)` holds; null if there is none.
  template <class Predicate>
  Item* PopIf(Predicate may_pop) {
    const auto caller = std::find_if(callers_.begin(), callers_.end(), may_pop);
    if (caller == callers_.end()) return nullptr;
    const auto found = items_.find(*caller);
    Item* const item = found->second.front();
    found->second.pop_front();
    --size_;
    if (found->second.empty()) {
      items_.erase(found);
      callers_.erase(caller);
    } else {
      callers_.splice(callers_.end(), callers_, caller);  // after all others
    }
    return item;
  }

  // The caller's last item for which `matches(*item)` holds; null if there is none.
  template <class Predicate>
  Item* FindLast(const std::string& caller, Predicate matches) const {
    const auto found = items_.find(caller);
    if (found == items_.end()) return nullptr;
    const auto item = std::find_if(found->second.rbegin(), found->second.rend(),
                                   [&](const Item* each) { return matches(*each); });
    return item == found->second.rend() ? nullptr : *item;
  }

  // The item must be in the queue.
  void Remove(const std::string& caller, Item* item) {
    const auto found = items_.find(caller);
    found->second.remove(item);
    --size_;
    if (found->second.empty()) {
      items_.erase(found);
      callers_.remove(caller);
    }
  }

 private:
  std::list<std::string> callers_;  // those with items, the next to be served first
  std::unordered_map<std::string, std::list<Item*>> items_;
  int size_ = 0;
};

}  // namespace rollcall::service
