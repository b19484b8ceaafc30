// Replaces secrets when the files that hold them change.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/files/file_watch.h"
#include "service/secrets/current_secret.h"

namespace rollcall::service {

// A secret by the name that logs and metrics have for it, such as "credentials:main".
struct NamedSecret {
  std::string name;
  CurrentSecret secret;
  // What is wrong with a new text of it; empty if nothing is.
  absl::string_view (*problem_of)(absl::string_view text);
};

// Called on the watch's thread when a file has new content. OK: the secret was replaced, or its
// file is good again after a refusal. Otherwise the secret keeps its value, and the status says
// why; it holds nothing of the file.
using OnSecretChange = std::function<void(absl::string_view name, const absl::Status& status)>;

// Watches the files of those secrets that are in one. All copies of a secret follow.
void WatchSecrets(const std::vector<NamedSecret>& secrets, FileWatch& watch,
                  const OnSecretChange& on_change);

}  // namespace rollcall::service
