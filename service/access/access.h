// The policy that is in force: tells who a caller is and what it may do, and follows the policy
// file while the service runs. Made by main() where there is such a file; used by
// the participant service, on any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/access/policy.h"
#include "service/config/config.h"
#include "service/config/file_watch.h"
#include "service/sync/mutex.h"

namespace rollcall {

class Access {
 public:
  // Told on the watch's thread whenever another policy was read: OK where it is now in force, and
  // otherwise why the one before still is.
  using OnReload = std::function<void(const absl::Status& status)>;

  // Reads `config.policy_file`, which must be set. Each line of an error begins with its path.
  static absl::StatusOr<std::unique_ptr<Access>> Load(const Config& config);

  // Puts into force what the file comes to hold, from now to the watch's end, which must come
  // before theirs. Calls that run go on as they began.
  void WatchFile(FileWatch& watch, OnReload on_reload);

  // What the caller may do: never null. CALLER_UNAUTHENTICATED where it does not show who it is, or
  // its token is nobody's; CALLER_NOT_PERMITTED where the policy does not know the certificate. A
  // token counts before a certificate, which may be a proxy's.
  absl::StatusOr<std::shared_ptr<const CallerRules>> Admit(const Credentials& credentials) const;

 private:
  Access(std::string path, PolicyScope scope) : path_(std::move(path)), scope_(std::move(scope)) {}

  absl::Status Use(absl::string_view text);

  const std::string path_;
  const PolicyScope scope_;
  std::string text_;  // as it was read first, until it is watched

  mutable Mutex mutex_;
  std::shared_ptr<const Policy> policy_ ABSL_GUARDED_BY(mutex_);  // not null
};

}  // namespace rollcall
