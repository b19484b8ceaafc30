// The running calls of this process: limits their number, and ends them on shutdown. Also counts
// calls that have ended, but whose responses gRPC still holds because their callers do not read.
// Thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "absl/status/status.h"
#include "service/metrics/running_call.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class RunningCalls {
 public:
  class Call {
   public:
    // Ends the call with `status` after its decoded records are written. Returns at once. Called
    // only while the call is running.
    virtual void EndWith(const absl::Status& status) = 0;

    // The call's present state. Called only while the call is running.
    virtual RunningCall Describe() const = 0;

   protected:
    ~Call() = default;
  };

  // So many unsent responses are allowed in addition to the limit of running calls. A caller that
  // calls again as soon as it has the response may be faster than gRPC's OnDone(), so ended calls
  // must not count as running.
  static constexpr size_t kMoreUnsent = 16;

  explicit RunningCalls(size_t max) : max_(max) {}

  // Adds a call of `caller`, who may run `max_of_caller` at once. An error if a limit is reached or
  // the process is draining.
  absl::Status Begin(Call& call, const std::string& caller, int max_of_caller);

  // The call has ended, and its response is passed to gRPC. It is no longer used from here.
  void OnEnd(Call& call, const std::string& caller);

  // gRPC has sent the response, or given it up. Has no effect on a call that was refused.
  void OnSent(Call& call, const std::string& caller);

  // From now on, Begin() fails with SERVER_DRAINING. Calls `on_idle` once, from here or any thread,
  // when no call is left; a later Drain() replaces it.
  void Drain(std::function<void()> on_idle);
  bool IsDraining();

  // All running calls, in no particular order.
  std::vector<RunningCall> Describe();

  // Ends all running calls with SERVER_DRAINING.
  void EndAll();

 private:
  // Takes `on_idle_` if it is due.
  std::function<void()> TakeOnIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_;

  Mutex mutex_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> on_idle_ ABSL_GUARDED_BY(mutex_);  // null once it is called
  std::unordered_set<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  std::unordered_set<Call*> unsent_ ABSL_GUARDED_BY(mutex_);

  struct Counts {
    size_t running = 0;
    size_t unsent = 0;
  };
  // By caller. No entry is 0 and 0.
  std::unordered_map<std::string, Counts> calls_of_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall::service
