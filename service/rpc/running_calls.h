// The calls that run in this process: limits their number, and ends them when the process shuts
// down. Thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "service/metrics/running_call.h"
#include "service/sync/mutex.h"

namespace rollcall {

class RunningCalls {
 public:
  class Call {
   public:
    // Ends the call with `status` as soon as what it has decoded is written. Called while the call
    // is among those that run, and returns at once.
    virtual void EndWith(const absl::Status& status) = 0;

    // The call as it is now. Likewise.
    virtual RunningCall Describe() const = 0;

   protected:
    ~Call() = default;
  };

  explicit RunningCalls(size_t max) : max_(max) {}

  // Takes up a call of `caller`, of whom `max_of_caller` may run. An error where there are as many
  // as there may be, or where the process ends.
  absl::Status Begin(Call& call, const std::string& caller, int max_of_caller);
  void End(Call& call, const std::string& caller);

  // From now on takes no calls, with SERVER_DRAINING.
  void Drain();
  bool IsDraining();

  // All that run, in no order.
  std::vector<RunningCall> Describe();

  // Ends all that run, with SERVER_DRAINING.
  void EndAll();

 private:
  const size_t max_;

  Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  // The number of each caller's calls; never 0.
  std::unordered_map<std::string, int> calls_of_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall
