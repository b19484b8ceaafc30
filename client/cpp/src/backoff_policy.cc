#include "rollcall/backoff_policy.h"

#include <algorithm>
#include <utility>

#include "absl/random/random.h"

namespace rollcall {
namespace {

double RandomOfThread() {
  static thread_local absl::BitGen generator;
  return absl::Uniform(generator, 0.0, 1.0);
}

}  // namespace

ExponentialBackoff::ExponentialBackoff(const BackoffSettings& settings)
    : ExponentialBackoff(settings, RandomOfThread) {}

ExponentialBackoff::ExponentialBackoff(const BackoffSettings& settings, Random random)
    : settings_(settings),
      random_(std::move(random)),
      ceiling_(std::min(settings.initial, settings.max)) {}

std::unique_ptr<BackoffPolicy> ExponentialBackoff::Clone() const {
  return std::make_unique<ExponentialBackoff>(settings_, random_);
}

absl::Duration ExponentialBackoff::NextWait() {
  const absl::Duration wait = ceiling_ * random_();
  ceiling_ = std::min(ceiling_ * settings_.factor, settings_.max);
  return wait;
}

void ExponentialBackoff::OnProgress() { ceiling_ = std::min(settings_.initial, settings_.max); }

}  // namespace rollcall
