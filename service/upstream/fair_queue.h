// A queue that serves its callers in turn, one item of each, so that a caller with many items
// delays only its own. Not thread-safe.
#pragma once

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
    const auto found = items_.find(callers_.front());
    Item* const item = found->second.front();
    found->second.pop_front();
    --size_;
    if (found->second.empty()) {
      items_.erase(found);
      callers_.pop_front();
    } else {
      callers_.splice(callers_.end(), callers_, callers_.begin());  // after all others
    }
    return item;
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
