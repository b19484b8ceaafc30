// A queue that serves its callers in turn: one of each, then the next of each. Who asks for much
// waits longer for the last of it, and nobody else does. Used by the request gate, under its lock.
#pragma once

#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace rollcall {

template <class Item>
class FairQueue {
 public:
  bool empty() const { return callers_.empty(); }
  // Of items.
  int size() const { return size_; }

  void Push(const std::string& caller, Item* item) {
    auto& items = items_[caller];
    if (items.empty()) callers_.push_back(caller);
    items.push_back(item);
    ++size_;
  }

  // Not of an empty queue.
  Item* Pop() {
    const auto found = items_.find(callers_.front());
    Item* const item = found->second.front();
    found->second.pop_front();
    --size_;
    if (found->second.empty()) {
      items_.erase(found);
      callers_.pop_front();
    } else {
      callers_.splice(callers_.end(), callers_, callers_.begin());  // behind all others
    }
    return item;
  }

  // Of an item that is in the queue.
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
  std::list<std::string> callers_;  // who has items, the next to be served first
  std::unordered_map<std::string, std::list<Item*>> items_;
  int size_ = 0;
};

}  // namespace rollcall
