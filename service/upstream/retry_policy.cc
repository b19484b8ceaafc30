#include "service/upstream/retry_policy.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"
#include "google/rpc/error_details.pb.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// Whether the same request may succeed later. All requests are GETs, so they can be repeated.
bool IsTransient(const absl::Status& failure) {
  switch (ReasonOf(failure)) {
    case v1::ERROR_REASON_UPSTREAM_UNAVAILABLE:
    case v1::ERROR_REASON_UPSTREAM_UNREACHABLE:
    case v1::ERROR_REASON_UPSTREAM_TIMEOUT:
    case v1::ERROR_REASON_UPSTREAM_RATE_LIMITED:
    case v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN:
      return true;
    case v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE: {
      // A malformed document may be well-formed the next time. A response with another status than
      // 200, which is in the details, stays the same: a redirect, for example.
      const auto info = ErrorDetail<google::rpc::ErrorInfo>(failure);
      return info && !info->metadata().contains("http_status");
    }
    default:
      return false;
  }
}

}  // namespace

double RandomFraction() {
  static thread_local absl::BitGen generator;
  return absl::Uniform(generator, 0.0, 1.0);
}

bool NeedsNewConnection(const absl::Status& failure) {
  const v1::ErrorReason reason = ReasonOf(failure);
  return reason == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE ||
         reason == v1::ERROR_REASON_UPSTREAM_UNREACHABLE;
}

RetryPolicy::RetryPolicy(const RetryOptions& settings, Random random)
    : settings_(settings), random_(std::move(random)) {}

std::optional<milliseconds> RetryPolicy::AfterFailure(const absl::Status& failure,
                                                      milliseconds time_left) {
  if (!IsTransient(failure)) return std::nullopt;
  ++failures_;
  ++failures_of_page_;
  if (failures_ >= settings_.max_attempts || page_is_exhausted()) return std::nullopt;
  // Full jitter: callers that failed at the same time do not retry at the same time.
  milliseconds ceiling = settings_.initial_backoff;
  for (int i = 1; i < failures_ && ceiling < settings_.max_backoff; ++i) ceiling *= 2;
  ceiling = std::min(ceiling, settings_.max_backoff);
  auto wait = std::chrono::duration_cast<milliseconds>(ceiling * random_());
  if (const auto asked = RetryDelayOf(failure)) {
    // The circuit breaker's time is our own setting, and waiting for it sends no requests.
    const bool is_ours = ReasonOf(failure) == v1::ERROR_REASON_UPSTREAM_CIRCUIT_OPEN;
    if (*asked > settings_.max_backoff && !is_ours) return std::nullopt;
    wait = std::max(wait, *asked);
  }
  if (wait >= time_left) return std::nullopt;
  return wait;
}

}  // namespace rollcall::service
