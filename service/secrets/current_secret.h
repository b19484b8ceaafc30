// A secret that may be replaced while the service runs: one that is read from a file of its own
// follows that file (secret_watch.h), any other keeps its value. Ask for it at each use, such as
// each request to a provider. Copies are the same secret. Any thread may use it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "service/secrets/secret.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class CurrentSecret {
 public:
  // `file` is the path of the file that holds the secret; empty if it is not in a file.
  explicit CurrentSecret(const Secret& secret, std::string file = "");

  const std::string& file() const { return state_->file; }

  Secret get() const;

  // The secret and the one before it, which still opens what it has sealed.
  struct WithPrevious {
    Secret current;
    std::optional<Secret> previous;
  };
  WithPrevious get_with_previous() const;

  // How often the secret was replaced. When it changes, derive anew what was derived from the
  // secret.
  std::uint64_t version() const { return state_->version.load(std::memory_order_acquire); }

  // False if `secret` is the current one already.
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

}  // namespace rollcall::service
