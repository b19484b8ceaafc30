// Who may call, and what each of them may ask for: the operator's policy file, parsed into a value
// that cannot be invalid. Made by Access when the service starts and whenever the file changes;
// constant, and then shared by all threads.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/config/secret.h"

namespace rollcall {

// What one caller may do.
struct CallerRules {
  // For logs and metrics. Unique.
  std::string name;
  // Names of configured upstreams; absent is all of them.
  std::optional<absl::flat_hash_set<std::string>> upstreams;
  // Kinds of list, by the names of the cases of ListParticipantsRequest.query; absent is all.
  std::optional<absl::flat_hash_set<std::string>> lists;
  // Whether personal data may be seen.
  bool pii = false;
  // Calls that may run at once; absent is `limits.max_calls_per_caller`.
  std::optional<int> max_calls;

  bool MayUse(absl::string_view upstream) const {
    return !upstreams || upstreams->contains(upstream);
  }
  bool MayList(absl::string_view list) const { return !lists || lists->contains(list); }
};

// What a policy must be in keeping with.
struct PolicyScope {
  // The names of those configured.
  std::vector<std::string> upstreams;
  // Whether callers are asked for certificates.
  bool has_certificates = false;
};

// How a caller shows who it is. What it does not show is empty.
struct Credentials {
  // Of the certificate, which somebody whom the operator trusts has signed.
  std::vector<std::string> uris = {};
  // The one of `uris`, where there is only one and it is a valid SPIFFE id.
  std::string spiffe_id = {};
  std::vector<std::string> dns_names = {};
  std::optional<Secret> token = {};
};

class Policy {
 public:
  // Reads the text of a policy file. The error names every key that is
  // wrong, one a line, and repeats no value.
  static absl::StatusOr<Policy> Parse(absl::string_view text, const PolicyScope& scope);

  // The caller with this token. nullptr where there is none. Takes the same time whichever it is.
  const CallerRules* FindByToken(absl::string_view token) const;

  // The first caller in the file that has one of the certificate's names, or nullptr.
  const CallerRules* FindByCertificate(const Credentials& credentials) const;

 private:
  using Digest = std::array<unsigned char, 32>;

  struct Caller {
    CallerRules rules;
    std::vector<std::string> uris;
    std::vector<std::string> dns_names;  // in lower case
    std::vector<Digest> tokens;          // SHA-256 of them
  };

  friend class PolicyReader;

  std::vector<Caller> callers_;
};

}  // namespace rollcall
