#include "service/upstream/aimd_limit.h"

#include <algorithm>

namespace rollcall::service {

void AimdLimit::OnServed(bool limit_is_reached) {
  if (limit_is_reached) value_ = std::min(max_, value_ + 1 / value_);
}

void AimdLimit::OnTooMany(Time sent, Time now) {
  if (sent < lowered_) return;
  value_ = std::max(1.0, value_ / 2);
  lowered_ = now;
}

}  // namespace rollcall::service
