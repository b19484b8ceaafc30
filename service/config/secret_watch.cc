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
  watch.Add(secret.file(), kMaxSecretBytes, std::nullopt,
            [secret, what = std::move(what), problem_of,
             on_change](const absl::StatusOr<std::string>& text) mutable {
              if (!text.ok()) return on_change(what, text.status());
              const absl::string_view value = WithoutLineEnd(*text);
              if (const absl::string_view problem = problem_of(value); !problem.empty()) {
                return on_change(what, absl::InvalidArgumentError(problem));
              }
              if (secret.Replace(Secret(value))) on_change(what, absl::OkStatus());
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
}

}  // namespace rollcall
