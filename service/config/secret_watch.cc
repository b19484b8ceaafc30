#include "service/config/secret_watch.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "service/config/forms.h"
#include "service/config/secret_reader.h"

namespace rollcall {
namespace {

void Watch(CurrentSecret secret, std::string what,
           absl::string_view (*problem_of)(absl::string_view), FileWatch& watch,
           const OnSecretChange& on_change) {
  if (secret.file().empty()) return;
  // The text that was read at start is gone, so the first look brings the secret once more.
  watch.Add(secret.file(), kMaxSecretFileBytes, std::nullopt,
            [secret, what = std::move(what), problem_of, on_change,
             refused = false](const absl::StatusOr<std::string>& text) mutable {
              absl::Status status = text.status();
              bool is_other = false;
              if (text.ok()) {
                const absl::string_view value = WithoutLineEnd(*text);
                const absl::string_view problem = problem_of(value);
                if (problem.empty()) {
                  is_other = secret.Replace(Secret(value));
                } else {
                  status = absl::InvalidArgumentError(problem);
                }
              }
              const bool was_refused = std::exchange(refused, !status.ok());
              if (refused || was_refused || is_other) on_change(what, status);
            });
}

}  // namespace

void WatchSecrets(const Config& config, FileWatch& watch, const OnSecretChange& on_change) {
  for (const UpstreamConfig& upstream : config.upstreams) {
    Watch(upstream.password, absl::StrCat("credentials:", upstream.name), SecretProblem, watch,
          on_change);
  }
  if (config.resume_key) {
    Watch(*config.resume_key, "resume_key", ResumeKeyProblem, watch, on_change);
  }
  if (config.metrics_token) {
    Watch(*config.metrics_token, "metrics_token", SecretProblem, watch, on_change);
  }
}

}  // namespace rollcall
