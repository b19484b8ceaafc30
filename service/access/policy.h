// Who may call, and what each caller may request: the operator's policy file, parsed into a value
// that cannot be invalid. Constant; any thread may use it.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "service/secrets/secret.h"

namespace rollcall::service {

// What one caller may do.
struct CallerRules {
  // The caller's name in logs and metrics. Unique.
  std::string name;
  // Names of configured upstreams. Absent: all.
  std::optional<absl::flat_hash_set<std::string>> upstreams;
  // Kinds of list: names of the cases of ListParticipantsRequest.query. Absent: all.
  std::optional<absl::flat_hash_set<std::string>> lists;
  // Whether the caller may see personal data.
  bool pii = false;
  // Concurrent calls. Absent: `limits.max_calls_per_caller`.
  std::optional<int> max_calls;

  bool MayUse(absl::string_view upstream) const {
    return !upstreams || upstreams->contains(upstream);
  }
  bool MayList(absl::string_view list) const { return !lists || lists->contains(list); }
};

// The parts of the configuration that a policy must agree with.
struct PolicyScope {
  // The names of the configured upstreams.
  std::vector<std::string> upstreams;
  // Whether callers are asked for certificates.
  bool has_certificates = false;
};

// A caller's credentials. What it does not present is empty.
struct Credentials {
  // The URIs of a certificate that a trusted authority has signed.
  std::vector<std::string> uris = {};
  // The only one of `uris`, if it is a valid SPIFFE id.
  std::string spiffe_id = {};
  std::vector<std::string> dns_names = {};
  std::optional<Secret> token = {};
};

class Policy {
 public:
  // Parses a policy file. The error names every wrong key, one a line, and repeats no value.
  static absl::StatusOr<Policy> Parse(absl::string_view text, const PolicyScope& scope);

  // The caller with this token, or nullptr. Takes the same time for every token.
  const CallerRules* FindByToken(absl::string_view token) const;

  // The first caller in the file that has one of the certificate's names, or nullptr.
  const CallerRules* FindByCertificate(const Credentials& credentials) const;

 private:
  using Digest = std::array<unsigned char, 32>;

  struct Caller {
    CallerRules rules;
    std::vector<std::string> uris;
    std::vector<std::string> dns_names;  // in lower case
    std::vector<Digest> tokens;          // their SHA-256
  };

  friend class PolicyReader;

  std::vector<Caller> callers_;
};

}  // namespace rollcall::service
