#include "service/access/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// Of "abc", from FIPS 180.
constexpr char kHashOfAbc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
// Of "".
constexpr char kHashOfNothing[] =
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

absl::StatusOr<Policy> Parse(const json& callers, bool has_certificates = true) {
  return Policy::Parse(json{{"callers", callers}}.dump(), {{"main", "space"}, has_certificates});
}

json Caller(const json& changes = json::object()) {
  json caller = {{"name", "billing"},
                 {"token_sha256", json::array({kHashOfAbc})},
                 {"upstreams", "all"},
                 {"lists", "all"}};
  caller.merge_patch(changes);
  return caller;
}

std::vector<std::string> ErrorsOf(const absl::StatusOr<Policy>& policy) {
  if (policy.ok()) return {};
  const std::string message(policy.status().message());
  EXPECT_THAT(message, Not(HasSubstr("hunter2")));
  return absl::StrSplit(message, '\n');
}

std::vector<std::string> Errors(const json& changes, bool has_certificates = true) {
  return ErrorsOf(Parse(json::array({Caller(changes)}), has_certificates));
}

TEST(PolicyTest, ParsesEveryKey) {
  const auto policy = Parse(json::array({
      Caller(),
      {{"name", "reports"},
       {"uri_sans", json::array({"spiffe://example.org/reports"})},
       {"upstreams", json::array({"main"})},
       {"lists", json::array({"live_participants"})},
       {"pii", true},
       {"max_calls", 5}},
  }));
  ASSERT_TRUE(policy.ok()) << policy.status();
  const CallerRules* const billing = policy->FindByToken("abc");
  ASSERT_NE(billing, nullptr);
  EXPECT_EQ(billing->name, "billing");
  EXPECT_TRUE(billing->MayUse("space"));
  EXPECT_TRUE(billing->MayList("room_participant_summaries"));
  EXPECT_FALSE(billing->pii);
  EXPECT_EQ(billing->max_calls, std::nullopt);

  Credentials credentials;
  credentials.spiffe_id = "spiffe://example.org/reports";
  const CallerRules* const reports = policy->FindByCertificate(credentials);
  ASSERT_NE(reports, nullptr);
  EXPECT_EQ(reports->name, "reports");
  EXPECT_TRUE(reports->MayUse("main"));
  EXPECT_FALSE(reports->MayUse("space"));
  EXPECT_TRUE(reports->MayList("live_participants"));
  EXPECT_FALSE(reports->MayList("room_participant_summaries"));
  EXPECT_TRUE(reports->pii);
  EXPECT_EQ(reports->max_calls, 5);
}

TEST(PolicyTest, UnknownTokenFindsNoCaller) {
  const auto policy = Parse(json::array({Caller()}));
  for (const char* token : {"", "ab", "abcd", "ABC", kHashOfAbc}) {
    EXPECT_EQ(policy->FindByToken(token), nullptr) << token;
  }
  // The hash of "" in the file admits no caller.
  const auto nothing = Parse(json::array({Caller({{"token_sha256", {kHashOfNothing}}})}));
  EXPECT_EQ(nothing->FindByToken(""), nullptr);
}

TEST(PolicyTest, FindsACallerByEachOfItsTokens) {
  const auto policy =
      Parse(json::array({Caller({{"token_sha256", {kHashOfNothing, kHashOfAbc}}})}));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_NE(policy->FindByToken("abc"), nullptr);
}

TEST(PolicyTest, FindsCallersByCertificateNames) {
  const auto policy = Parse(json::array({
      {{"name", "a"},
       {"uri_sans", json::array({"spiffe://example.org/a", "https://example.org/A"})},
       {"upstreams", "all"},
       {"lists", "all"}},
      {{"name", "b"},
       {"dns_sans", json::array({"B.example.org"})},
       {"upstreams", "all"},
       {"lists", "all"}},
  }));
  ASSERT_TRUE(policy.ok()) << policy.status();
  const auto found = [&](const Credentials& credentials) -> std::string {
    const CallerRules* const rules = policy->FindByCertificate(credentials);
    return rules == nullptr ? "" : rules->name;
  };
  EXPECT_EQ(found({.uris = {"spiffe://example.org/a"}, .spiffe_id = "spiffe://example.org/a"}),
            "a");
  // One of several URIs is not a SPIFFE id.
  EXPECT_EQ(found({.uris = {"spiffe://example.org/a", "https://example.org/b"}}), "");
  EXPECT_EQ(found({.uris = {"https://example.org/b", "https://example.org/A"}}), "a");
  EXPECT_EQ(found({.uris = {"https://example.org/a"}}), "");
  EXPECT_EQ(found({.dns_names = {"x.example.org", "b.EXAMPLE.org"}}), "b");
  EXPECT_EQ(found({.dns_names = {"c.b.example.org"}}), "");
  EXPECT_EQ(found({.uris = {"https://example.org/A"}, .dns_names = {"b.example.org"}}), "a");
  EXPECT_EQ(found({}), "");
}

TEST(PolicyTest, EmptyPolicyFindsNoCaller) {
  const auto policy = Parse(json::array());
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->FindByToken("abc"), nullptr);
}

TEST(PolicyTest, ErrorsNameTheKeyWithoutTheValue) {
  EXPECT_THAT(ErrorsOf(Policy::Parse("[]", {})), ElementsAre("expected an object, not an array"));
  EXPECT_THAT(ErrorsOf(Policy::Parse("{", {})), ElementsAre(HasSubstr("line 1, column 2")));
  EXPECT_THAT(ErrorsOf(Policy::Parse("{}", {})),
              ElementsAre("callers: expected an array of callers"));
  EXPECT_THAT(ErrorsOf(Parse(json::array({1}))),
              ElementsAre("callers[0]: expected an object, not a number"));
  EXPECT_THAT(Errors({{"name", "hunter2 "}, {"hunter", 1}}),
              ElementsAre(HasSubstr("callers[0].name: expected 1 to 63"),
                          HasSubstr("callers[0].hunter: unknown key")));
  EXPECT_THAT(Errors({{"token_sha256", nullptr}}),
              ElementsAre("callers[0].uri_sans: missing; give uri_sans, dns_sans or token_sha256"));
  EXPECT_THAT(Errors({{"token_sha256", {"hunter2", kHashOfAbc}}}),
              ElementsAre("callers[0].token_sha256[0]: expected 64 hexadecimal digits, the SHA-256 "
                          "of a token"));
  EXPECT_THAT(Errors({{"token_sha256", kHashOfAbc}}),
              ElementsAre(HasSubstr("callers[0].token_sha256: expected an array of at least one")));
  EXPECT_THAT(Errors({{"uri_sans", {"hunter2"}}}),
              ElementsAre(HasSubstr("callers[0].uri_sans[0]: expected a URI")));
  EXPECT_THAT(Errors({{"upstreams", nullptr}, {"lists", json::array()}}),
              ElementsAre(HasSubstr("callers[0].upstreams: missing; expected \"all\" or an array"),
                          HasSubstr("callers[0].lists: expected \"all\" or an array")));
  EXPECT_THAT(Errors({{"upstreams", {"main", "hunter2"}}, {"lists", {"hunter2"}}}),
              ElementsAre("callers[0].upstreams[1]: expected the name of a configured upstream",
                          "callers[0].lists[0]: expected one of "
                          "\"conference_participant_summaries\", \"room_participant_summaries\", "
                          "\"live_participants\""));
  EXPECT_THAT(Errors({{"pii", "yes"}, {"max_calls", 0}}),
              ElementsAre(HasSubstr("callers[0].pii: expected true or false"),
                          HasSubstr("callers[0].max_calls: expected a whole number")));
}

TEST(PolicyTest, RejectsAnIdentityOfTwoCallers) {
  EXPECT_THAT(ErrorsOf(Parse(json::array({Caller(), Caller()}))),
              ElementsAre("callers[1].name: another caller has this name already",
                          "callers[1].token_sha256[0]: another caller has this token already"));
}

TEST(PolicyTest, RejectsCertificateNamesWithoutAClientCa) {
  EXPECT_THAT(Errors({{"dns_sans", {"a.example"}}}, false),
              ElementsAre("callers[0].dns_sans: callers are asked for certificates only if "
                          "tls.client_ca_file is configured"));
}

}  // namespace
}  // namespace rollcall::service
