// A secret as it is at the moment. One that stands in a file of its own is replaced while the
// service runs; the others stay what they were at start. Made by the configuration, replaced by
// WatchSecrets(), and asked whenever the secret is used: for each request to a provider, and by
// resume tokens. Copies are the same secret. Any thread may use it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/config/secret.h"
#include "service/sync/mutex.h"

namespace rollcall {

class CurrentSecret {
 public:
  // `file` is the path of the file that it stands in, empty where it stands elsewhere.
  explicit CurrentSecret(const Secret& secret, std::string file = "");

  const std::string& file() const { return state_->file; }

  Secret get() const;

  // The secret, and the one before it: what was sealed with that is still to be opened.
  struct WithPrevious {
    Secret current;
    std::optional<Secret> previous;
  };
  WithPrevious get_with_previous() const;

  // How often it was replaced. What is made of a secret is made anew when this changes.
  std::uint64_t version() const { return state_->version.load(std::memory_order_acquire); }

  // False where it is the same one.
  bool Replace(const Secret& secret);

 private:
  struct State {
    State(const Secret& secret, std::string path) : file(std::move(path)), secrets{secret, {}} {}

    const std::string file;
    mutable Mutex mutex;
    WithPrevious secrets ABSL_GUARDED_BY(mutex);
    std::atomic<std::uint64_t> version = 0;
  };

  std::shared_ptr<State> state_;
};

}  // namespace rollcall
