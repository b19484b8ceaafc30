#include "service/rpc/running_calls.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

absl::Status Draining() {
  return MakeError(v1::ERROR_REASON_SERVER_DRAINING,
                   "replica is draining; call again on another replica with the last resume_token");
}

absl::Status Refusal(v1::ErrorReason reason, const std::string& message) {
  absl::Status status = MakeError(reason, absl::StrCat(message, "; retry after 1 s"));
  AddRetryInfo(status, std::chrono::seconds(1));
  return status;
}

size_t MaxHeld(size_t max_running) { return 2 * max_running + RunningCalls::kMoreUnsent; }

}  // namespace

absl::Status RunningCalls::Begin(Call& call, const std::string& caller, int max_of_caller) {
  const MutexLock lock(mutex_);
  if (draining_) return Draining();
  if (calls_.size() >= max_) {
    return Refusal(v1::ERROR_REASON_SERVER_OVERLOADED,
                   absl::StrCat("replica runs ", max_, " calls (limits.max_calls)"));
  }
  if (calls_.size() + unsent_.size() >= MaxHeld(max_)) {
    return Refusal(v1::ERROR_REASON_SERVER_OVERLOADED,
                   absl::StrCat("replica holds ", unsent_.size(),
                                " responses that their callers do not read"));
  }
  const auto max = static_cast<size_t>(max_of_caller);
  const auto of_caller = calls_of_.find(caller);
  const Counts counts = of_caller == calls_of_.end() ? Counts() : of_caller->second;
  if (counts.running >= max) {
    return Refusal(v1::ERROR_REASON_CALLER_LIMIT,
                   absl::StrCat("caller runs ", max, " calls on this replica, which is its limit"));
  }
  if (counts.running + counts.unsent >= MaxHeld(max)) {
    return Refusal(
        v1::ERROR_REASON_CALLER_LIMIT,
        absl::StrCat("caller does not read ", counts.unsent, " responses of this replica"));
  }
  ++calls_of_[caller].running;
  calls_.insert(&call);
  return absl::OkStatus();
}

void RunningCalls::OnEnd(Call& call, const std::string& caller) {
  const MutexLock lock(mutex_);
  if (calls_.erase(&call) == 0) return;
  unsent_.insert(&call);
  Counts& counts = calls_of_.at(caller);
  --counts.running;
  ++counts.unsent;
}

void RunningCalls::OnSent(Call& call, const std::string& caller) {
  std::function<void()> on_idle;
  {
    const MutexLock lock(mutex_);
    if (unsent_.erase(&call) == 0) return;
    const auto of_caller = calls_of_.find(caller);
    --of_caller->second.unsent;
    if (of_caller->second.running + of_caller->second.unsent == 0) calls_of_.erase(of_caller);
    on_idle = TakeOnIdle();
  }
  if (on_idle) on_idle();
}

void RunningCalls::Drain(std::function<void()> on_idle) {
  {
    const MutexLock lock(mutex_);
    draining_ = true;
    on_idle_ = std::move(on_idle);
    on_idle = TakeOnIdle();
  }
  if (on_idle) on_idle();
}

std::function<void()> RunningCalls::TakeOnIdle() {
  if (!draining_ || !calls_.empty() || !unsent_.empty()) return nullptr;
  return std::exchange(on_idle_, nullptr);
}

bool RunningCalls::IsDraining() {
  const MutexLock lock(mutex_);
  return draining_;
}

std::vector<RunningCall> RunningCalls::Describe() {
  std::vector<RunningCall> described;
  const MutexLock lock(mutex_);
  described.reserve(calls_.size());
  for (const Call* call : calls_) described.push_back(call->Describe());
  return described;
}

void RunningCalls::EndAll() {
  const MutexLock lock(mutex_);
  for (Call* call : calls_) call->EndWith(Draining());
}

}  // namespace rollcall::service
