#include "service/http/lookup_limiter.h"

namespace rollcall::service {

bool LookupLimiter::TryAcquire(const std::string& host) {
  Host& state = hosts_[host];
  if (state.permits == kMaxLookups) return false;
  ++state.permits;
  return true;
}

void LookupLimiter::Wait(const std::string& host, CurlExchange& exchange) {
  hosts_.at(host).waiting.push_back(&exchange);
}

void LookupLimiter::StopWaiting(const std::string& host, CurlExchange& exchange) {
  std::erase(hosts_.at(host).waiting, &exchange);
}

CurlExchange* LookupLimiter::Release(const std::string& host) {
  const auto found = hosts_.find(host);
  Host& state = found->second;
  if (!state.waiting.empty()) {
    CurlExchange* const next = state.waiting.front();
    state.waiting.pop_front();
    return next;
  }
  if (--state.permits == 0) hosts_.erase(found);
  return nullptr;
}

}  // namespace rollcall::service
