#include "service/rpc/running_calls.h"

#include <chrono>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall {
namespace {

absl::Status Draining() {
  return MakeError(v1::ERROR_REASON_SERVER_DRAINING,
                   "replica is draining; call again on another replica with the last resume_token");
}

}  // namespace

absl::Status RunningCalls::Begin(Call& call, const std::string& caller, int max_of_caller) {
  const MutexLock lock(mutex_);
  if (draining_) return Draining();
  if (calls_.size() >= max_) {
    absl::Status status = MakeError(
        v1::ERROR_REASON_SERVER_OVERLOADED,
        absl::StrCat("replica runs ", max_, " calls (limits.max_calls); retry after 1 s"));
    AddRetryInfo(status, std::chrono::seconds(1));
    return status;
  }
  int& of_caller = calls_of_[caller];
  if (of_caller >= max_of_caller) {
    absl::Status status =
        MakeError(v1::ERROR_REASON_CALLER_LIMIT,
                  absl::StrCat("caller runs ", max_of_caller,
                               " calls on this replica, which is its limit; retry after 1 s"));
    AddRetryInfo(status, std::chrono::seconds(1));
    return status;
  }
  ++of_caller;
  calls_.insert(&call);
  return absl::OkStatus();
}

void RunningCalls::End(Call& call, const std::string& caller) {
  const MutexLock lock(mutex_);
  if (calls_.erase(&call) == 0) return;
  const auto of_caller = calls_of_.find(caller);
  if (--of_caller->second == 0) calls_of_.erase(of_caller);
}

void RunningCalls::Drain() {
  const MutexLock lock(mutex_);
  draining_ = true;
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

}  // namespace rollcall
