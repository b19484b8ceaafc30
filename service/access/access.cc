#include "service/access/access.h"

#include <cstddef>
#include <utility>

#include "service/error/error.h"
#include "service/files/read_file.h"

namespace rollcall::service {
namespace {

constexpr std::size_t kMaxPolicyBytes = std::size_t{1} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<Access>> Access::Load(std::string path, PolicyScope scope) {
  absl::StatusOr<std::string> text = ReadFile(path, kMaxPolicyBytes);
  std::unique_ptr<Access> access(new Access(std::move(path), std::move(scope)));
  absl::Status status = text.ok() ? access->Use(*text) : text.status();
  if (!status.ok()) return AtPath(access->path_, status);
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
                       "the token in the metadata \"authorization\" is not known");
    }
  } else if (!credentials.uris.empty() || !credentials.dns_names.empty()) {
    rules = policy->FindByCertificate(credentials);
    if (rules == nullptr) {
      return MakeError(v1::ERROR_REASON_CALLER_NOT_PERMITTED,
                       "no name in the caller's certificate is in the policy",
                       {{"denied", "caller"}});
    }
  } else {
    return MakeError(v1::ERROR_REASON_CALLER_UNAUTHENTICATED,
                     "the call has neither a certificate with a URI or DNS name nor a token in "
                     "the metadata \"authorization\"");
  }
  // Shares ownership of the policy that holds the rules.
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

}  // namespace rollcall::service
