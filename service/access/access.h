// The policy in force: tells who a caller is and what it may do, and follows the policy file while
// the service runs. Any thread may call it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/access/policy.h"
#include "service/files/file_watch.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class Access {
 public:
  // Called on the watch's thread after the policy file has changed: OK if the new policy is in
  // force, otherwise why the previous one still is.
  using OnReload = std::function<void(const absl::Status& status)>;

  // Reads the policy file at `path`. Each line of an error begins with the path.
  static absl::StatusOr<std::unique_ptr<Access>> Load(std::string path, PolicyScope scope);

  // Reloads the policy when its file changes. `watch` must be destroyed before this. Running calls
  // keep the rules that they started with.
  void WatchFile(FileWatch& watch, OnReload on_reload);

  // The caller's rules, never null. CALLER_UNAUTHENTICATED if it has no credentials or an unknown
  // token, CALLER_NOT_PERMITTED if the policy does not know its certificate. A token takes
  // precedence over a certificate, which may be a proxy's.
  absl::StatusOr<std::shared_ptr<const CallerRules>> Admit(const Credentials& credentials) const;

 private:
  Access(std::string path, PolicyScope scope) : path_(std::move(path)), scope_(std::move(scope)) {}

  absl::Status Use(absl::string_view text);

  const std::string path_;
  const PolicyScope scope_;
  std::string text_;  // of the file at start, until WatchFile()

  mutable Mutex mutex_;
  std::shared_ptr<const Policy> policy_ ABSL_GUARDED_BY(mutex_);  // not null
};

}  // namespace rollcall::service
