// A queue that serves its callers in turn: one of each, then the next of each. Who asks for much
// waits longer for the last of it, and nobody else does. Used by the request gate, under its lock.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>

namespace rollcall {

template <class Item>
class FairQueue {
 public:
  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

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

  // False where it is not in the queue.
  bool Remove(const std::string& caller, Item* item) {
    const auto found = items_.find(caller);
    if (found == items_.end() || found->second.remove(item) == 0) return false;
    --size_;
    if (found->second.empty()) {
      items_.erase(found);
      callers_.remove(caller);
    }
    return true;
  }

 private:
  std::list<std::string> callers_;  // who has items, the next to be served first
  std::unordered_map<std::string, std::list<Item*>> items_;
  size_t size_ = 0;
};

}  // namespace rollcall
