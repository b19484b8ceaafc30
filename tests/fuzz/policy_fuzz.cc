// Fuzzes the policy: the input is the text of its file.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "service/access/policy.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

// The SHA-256 of the token "abc". The corpus contains it, so that some policies admit its owner.
constexpr absl::string_view kHashOfAbc =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

void CheckRules(const CallerRules& rules, const PolicyScope& scope) {
  Require(!rules.name.empty(), "a caller has a name");
  Require(!rules.max_calls || *rules.max_calls > 0, "a caller may make a call");
  if (rules.upstreams) {
    Require(!rules.upstreams->empty(), "a caller may use an upstream");
    for (const std::string& upstream : *rules.upstreams) {
      Require(upstream == scope.upstreams[0] || upstream == scope.upstreams[1],
              "an upstream is a configured one");
    }
  }
  Require(!rules.lists || !rules.lists->empty(), "a caller may list something");
}

void Fuzz(absl::string_view text) {
  const PolicyScope scope{{"main", "space"}, true};
  const absl::StatusOr<Policy> policy = Policy::Parse(text, scope);
  if (!policy.ok()) {
    Require(policy.status().code() == absl::StatusCode::kInvalidArgument,
            "a syntax error is an invalid argument");
    for (const absl::string_view line : absl::StrSplit(policy.status().message(), '\n')) {
      Require(!line.empty(), "every line of an error states a problem");
      for (const char c : line) Require(c >= ' ' && c <= '~', "an error is printable ASCII");
    }
    return;
  }

  Require(policy->FindByToken("") == nullptr, "an empty token finds no caller");
  Require(policy->FindByToken("abd") == nullptr,
          "a token without a hash in the policy finds no caller");
  Require(policy->FindByToken(kHashOfAbc) == nullptr, "a hash is not a token");
  Require(policy->FindByCertificate({}) == nullptr, "a certificate without names finds no caller");
  if (const CallerRules* const rules = policy->FindByToken("abc")) {
    // Escapes may spell the hash's digits with other bytes.
    Require(absl::StrContains(absl::AsciiStrToLower(text), kHashOfAbc) ||
                absl::StrContains(text, "\\u"),
            "the hash of an accepted token is in the file");
    CheckRules(*rules, scope);
  }
  const Credentials certificate{.uris = {"spiffe://example.org/billing"},
                                .spiffe_id = "spiffe://example.org/billing",
                                .dns_names = {"BILLING.example.org"}};
  if (const CallerRules* const rules = policy->FindByCertificate(certificate)) {
    CheckRules(*rules, scope);
  }
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
