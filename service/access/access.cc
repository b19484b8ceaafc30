#include "service/access/access.h"

#include <cstddef>
#include <utility>

#include "service/config/read_file.h"
#include "service/error/error.h"

namespace rollcall {
namespace {

constexpr std::size_t kMaxPolicyBytes = std::size_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Load(const Config& config) {
  const std::string& path = config.policy_file;
  absl::StatusOr<std::string> text = ReadFile(path, kMaxPolicyBytes);
  PolicyScope scope;
  for (const UpstreamConfig& upstream : config.upstreams) scope.upstreams.push_back(upstream.name);
  scope.has_certificates = config.tls && !config.tls->client_ca_file.empty();
  std::unique_ptr<Access> access(new Access(path, std::move(scope)));
  absl::Status status = text.ok() ? access->Use(*text) : text.status();
  if (!status.ok()) return AtPath(path, status);
  access->text_ = *std::move(text);
  return access;
}

void Access::WatchFile(FileWatch& watch, OnReload on_reload) {
  watch.Add(path_, kMaxPolicyBytes, text_,
            [this, on_reload = std::move(on_reload)](const absl::StatusOr<std::string>& text) {
              on_reload(text.ok() ? Use(*text) : text.status());
            });
  text_ = std::string();
}

absl::StatusOr<std::shared_ptr<const CallerRules>> Access::Admit(
    const Credentials& credentials) const {
  std::shared_ptr<const Policy> policy;
  {
    const MutexLock lock(mutex_);
    policy = policy_;
  }
  const CallerRules* rules = nullptr;
  if (credentials.token) {
    rules = policy->FindByToken(credentials.token->reveal());
    if (rules == nullptr) {
      return MakeError(v1::ERROR_REASON_CALLER_UNAUTHENTICATED,
                       "the token in the metadata \"authorization\" is not one of a known caller");
    }
  } else if (!credentials.uris.empty() || !credentials.dns_names.empty()) {
    rules = policy->FindByCertificate(credentials);
    if (rules == nullptr) {
      return MakeError(v1::ERROR_REASON_CALLER_NOT_PERMITTED,
                       "no name in the caller's certificate is one of a known caller",
                       {{"denied", "caller"}});
    }
  } else {
    return MakeError(v1::ERROR_REASON_CALLER_UNAUTHENTICATED,
                     "the call shows neither a certificate with a URI or DNS name nor a token in "
                     "the metadata \"authorization\"");
  }
  // Lives as long as the policy that it is a part of.
  return std::shared_ptr<const CallerRules>(std::move(policy), rules);
}

absl::Status Access::Use(absl::string_view text) {
  absl::StatusOr<Policy> policy = Policy::Parse(text, scope_);
  if (!policy.ok()) return policy.status();
  auto shared = std::make_shared<const Policy>(*std::move(policy));
  const MutexLock lock(mutex_);
  policy_ = std::move(shared);
  return absl::OkStatus();
}

}  // namespace rollcall
