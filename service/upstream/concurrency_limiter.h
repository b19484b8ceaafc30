// Decides when a request to one account is sent. At most as many are in flight as the account
// allows (AimdLimit); the others wait in a queue, with their callers served in turn and prefetches
// last. A caller may hold only a part of the connections (ConnectionShares) and, while others wait,
// of the queue. While the upstream is down, no request is sent (CircuitBreaker). One limiter per
// upstream, shared by the event loops; functions may be called from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "service/http/scheduler.h"
#include "service/sync/mutex.h"
#include "service/upstream/aimd_limit.h"
#include "service/upstream/circuit_breaker.h"
#include "service/upstream/connection_shares.h"
#include "service/upstream/fair_queue.h"

namespace rollcall::service {

// How many requests to one account may be active at once.
struct LimiterOptions {
  // In flight. Fewer are sent while the provider answers that there are too many.
  int max_in_flight = 100;
  // With an incomplete response, including those paused by a slow caller. Each has its own
  // connection.
  int max_connections = 4000;
  // New calls that wait to send their first request; more are refused.
  int max_waiting = 1000;
};

class ConcurrencyLimiter {
 public:
  enum class Kind {
    kFirst,     // the first request of a call; refused if too many wait already
    kNext,      // a later request of a call
    kPrefetch,  // a page that is not needed yet
  };

  // The right of one request to be in flight, once it is granted. Destroying it returns the right,
  // or leaves the queue. To be used on the thread of the scheduler that it was made with.
  class Permit;

  // With OK, the request may be sent. With UPSTREAM_CIRCUIT_OPEN or, only for a first request, with
  // UPSTREAM_QUEUE_FULL, it must not be sent. A prefetch whose response is paused may get
  // UPSTREAM_QUEUE_FULL after OK: others need its connection, and it must be cancelled, unless
  // Permit::Promote() was called meanwhile.
  using Decided = absl::AnyInvocable<void(const absl::Status&)>;
  using Clock = std::chrono::steady_clock;

  // Requests by state, at one moment.
  struct Counts {
    int waiting = 0;
    int in_flight = 0;
    int stalled = 0;  // paused because their callers do not read; not in flight
    int limit = 0;    // of requests in flight, at present
    bool circuit_open = false;
  };

  // `on_change` is called when the circuit breaker opens (false) and when it closes (true), on any
  // thread. It must not call the limiter.
  ConcurrencyLimiter(const LimiterOptions& limits, const BreakerOptions& breaker,
                     std::function<void(bool up)> on_change,
                     std::function<Clock::time_point()> now = &Clock::now);

  // Calls `decided` from `scheduler`, not from here, and not once the permit is destroyed. `caller`
  // is the name by which callers are served in turn; `target` is what the request asks for, as in
  // CircuitBreaker.
  std::unique_ptr<Permit> Acquire(Kind kind, std::string caller, CircuitBreaker::Target target,
                                  Scheduler& scheduler, Decided decided);

  Counts counts() const;

 private:
  void Release(Permit& permit);
  void Promote(Permit& permit);
  void OnStalled(Permit& permit);
  void OnResponse(Permit& permit, int http_status, int account_requests);
  void OnFailure(Permit& permit, CircuitBreaker::Failure failure);

  void OnBreakerChange(bool was_up) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndWaiting(const Permit& permit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MakeRoomInQueue(const std::string& caller) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Decide(Permit& permit, const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Grant(Permit& permit) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GrantWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RevokeIdlePrefetches() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool MayGrant(const std::string& caller) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefuseWaiting() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status QueueFull() const;
  static absl::Status CircuitOpen(std::chrono::milliseconds wait);

  const LimiterOptions limits_;
  const std::function<void(bool up)> on_change_;
  const std::function<Clock::time_point()> now_;

  mutable Mutex mutex_;
  CircuitBreaker breaker_ ABSL_GUARDED_BY(mutex_);
  AimdLimit limit_ ABSL_GUARDED_BY(mutex_);
  FairQueue<Permit> needed_ ABSL_GUARDED_BY(mutex_);
  FairQueue<Permit> prefetches_ ABSL_GUARDED_BY(mutex_);
  // Requests of Kind::kFirst in `needed_`: all, and those of each caller that has some.
  int first_waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unordered_map<std::string, int> first_waiting_of_ ABSL_GUARDED_BY(mutex_);
  ConnectionShares<Permit> shares_ ABSL_GUARDED_BY(mutex_);
  int in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  int stalled_ ABSL_GUARDED_BY(mutex_) = 0;
  int revoked_ ABSL_GUARDED_BY(mutex_) = 0;  // of the stalled ones
  // The one request that is sent while the circuit breaker is open.
  const Permit* probe_ ABSL_GUARDED_BY(mutex_) = nullptr;
};

class ConcurrencyLimiter::Permit {
 public:
  ~Permit() { limiter_.Release(*this); }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;

  // A prefetched page is needed now.
  void Promote() { limiter_.Promote(*this); }

  // The response has begun. `account_requests`: how many requests of the account the provider says
  // it is working on; 0 if it does not say.
  void OnResponse(int http_status, int account_requests) {
    limiter_.OnResponse(*this, http_status, account_requests);
  }
  // The request has failed without a response.
  void OnNoResponse(CircuitBreaker::Failure failure) { limiter_.OnFailure(*this, failure); }

  // Paused by a slow caller; does not count as in flight.
  void OnStalled() { limiter_.OnStalled(*this); }

 private:
  friend class ConcurrencyLimiter;
  enum class State { kWaiting, kInFlight, kStalled, kRevoked, kRefused };

  Permit(ConcurrencyLimiter& limiter, Kind kind, std::string caller, CircuitBreaker::Target target,
         Scheduler& scheduler, Decided decided)
      : limiter_(limiter),
        caller_(std::move(caller)),
        target_(target),
        scheduler_(scheduler),
        decided_(std::make_shared<Decided>(std::move(decided))),
        kind_(kind) {}

  ConcurrencyLimiter& limiter_;
  const std::string caller_;
  const CircuitBreaker::Target target_;
  Scheduler& scheduler_;
  const std::shared_ptr<Decided> decided_;  // shared with what is posted, which may outlive this
  // Whether the permit is destroyed. Accessed on the scheduler's thread only.
  const std::shared_ptr<bool> gone_ = std::make_shared<bool>(false);

  // Guarded by the limiter's mutex. Clang cannot tell that `limiter_` is the one that uses these.
  Kind kind_;
  State state_ = State::kWaiting;
  Clock::time_point sent_;
};

}  // namespace rollcall::service
