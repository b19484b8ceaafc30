#include "service/secrets/secret_watch.h"

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "service/secrets/secret_text.h"

namespace rollcall::service {
namespace {

void Watch(const NamedSecret& named, FileWatch& watch, const OnSecretChange& on_change) {
  if (named.secret.file().empty()) return;
  // The text that was read at start is gone, so the first poll passes the secret once more.
  watch.Add(named.secret.file(), kMaxSecretFileBytes, std::nullopt,
            [secret = named.secret, name = named.name, problem_of = named.problem_of, on_change,
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
              if (refused || was_refused || is_other) on_change(name, status);
            });
}

}  // namespace

void WatchSecrets(const std::vector<NamedSecret>& secrets, FileWatch& watch,
                  const OnSecretChange& on_change) {
  for (const NamedSecret& secret : secrets) Watch(secret, watch, on_change);
}

}  // namespace rollcall::service
