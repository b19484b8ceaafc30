#include "service/secrets/current_secret.h"

#include <utility>

namespace rollcall::service {

CurrentSecret::CurrentSecret(const Secret& secret, std::string file)
    : state_(std::make_shared<State>(secret, std::move(file))) {}

Secret CurrentSecret::get() const {
  const MutexLock lock(state_->mutex);
  return state_->secrets.current;
}

CurrentSecret::WithPrevious CurrentSecret::get_with_previous() const {
  const MutexLock lock(state_->mutex);
  return state_->secrets;
}

bool CurrentSecret::Replace(const Secret& secret) {
  const MutexLock lock(state_->mutex);
  WithPrevious& secrets = state_->secrets;
  if (secret == secrets.current) return false;
  secrets.previous = std::exchange(secrets.current, secret);
  state_->version.fetch_add(1, std::memory_order_release);
  return true;
}

}  // namespace rollcall::service
