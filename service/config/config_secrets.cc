#include "service/config/config_secrets.h"

#include "absl/strings/str_cat.h"
#include "service/secrets/secret_text.h"

namespace rollcall::service {

std::vector<NamedSecret> SecretsOf(const Config& config) {
  std::vector<NamedSecret> secrets;
  for (const UpstreamOptions& upstream : config.upstreams) {
    secrets.push_back({absl::StrCat("credentials:", upstream.account.name),
                       upstream.account.password, &SecretProblem});
  }
  if (config.resume_key) {
    secrets.push_back({"resume_key", *config.resume_key, &ResumeKeyProblem});
  }
  if (config.metrics_token) {
    secrets.push_back({"metrics_token", *config.metrics_token, &SecretProblem});
  }
  return secrets;
}

}  // namespace rollcall::service
