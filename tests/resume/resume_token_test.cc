// A resume token opens for its own list only, on any replica, and only unmodified.
#include "service/resume/resume_token.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace rollcall::service {
namespace {

const CurrentSecret kCredential{Secret("a credential")};
constexpr char kBinding[] = "twilio\n/v1/Conferences/CF1/Participants";
const ListPosition kPosition{"/v1/Conferences/CF1/Participants?Page=2&PageToken=abc",
                             {0x0123456789abcdef, 2},
                             uint64_t{1} << 40};

TEST(ResumeToken, OpensOnAnotherReplica) {
  const std::string token = ResumeTokens(kCredential, kBinding).Seal(kPosition);
  const auto opened = ResumeTokens(kCredential, kBinding).Open(token);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->page, kPosition.page);
  EXPECT_EQ(opened->record, kPosition.record);
  EXPECT_EQ(opened->ordinal, kPosition.ordinal);
}

TEST(ResumeToken, DoesNotOpenForAnotherListOrCredential) {
  const std::string token = ResumeTokens(kCredential, kBinding).Seal(kPosition);
  EXPECT_FALSE(ResumeTokens(kCredential, "twilio\n/v1/Conferences/CF2/Participants").Open(token));
  EXPECT_FALSE(ResumeTokens(CurrentSecret(Secret("another")), kBinding).Open(token));
}

TEST(ResumeToken, OpensAfterSecretIsReplaced) {
  CurrentSecret secret{Secret("first")};
  ResumeTokens list(secret, kBinding);
  const std::string first = list.Seal(kPosition);
  secret.Replace(Secret("second"));
  // A running list uses the new secret.
  const std::string second = list.Seal(kPosition);
  EXPECT_TRUE(ResumeTokens(CurrentSecret(Secret("second")), kBinding).Open(second));
  EXPECT_FALSE(ResumeTokens(CurrentSecret(Secret("first")), kBinding).Open(second));
  EXPECT_TRUE(list.Open(first));
  EXPECT_TRUE(ResumeTokens(secret, kBinding).Open(first));
  EXPECT_TRUE(ResumeTokens(secret, kBinding).Open(second));

  secret.Replace(Secret("third"));
  EXPECT_FALSE(ResumeTokens(secret, kBinding).Open(first));
  EXPECT_TRUE(ResumeTokens(secret, kBinding).Open(second));
}

TEST(ResumeToken, RejectsEveryModification) {
  ResumeTokens tokens(kCredential, kBinding);
  const std::string token = tokens.Seal(kPosition);
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char c : {'A', 'B', '_', '!', '\0', ' '}) {
      std::string changed = token;
      if (changed[i] == c) continue;
      changed[i] = c;
      const auto opened = tokens.Open(changed);
      // Base64's last character has unused bits; a change of those does not change the token.
      if (opened) {
        EXPECT_EQ(i, token.size() - 1);
        EXPECT_EQ(opened->page, kPosition.page);
      }
    }
  }
  for (size_t size = 0; size < token.size(); ++size) {
    EXPECT_FALSE(tokens.Open(token.substr(0, size))) << size;
  }
  EXPECT_FALSE(tokens.Open(token + "AAAA"));
  EXPECT_FALSE(tokens.Open(std::string(100000, 'A')));
}

TEST(ResumeToken, OpensAfterEachRecordOfABatch) {
  ResumeTokens tokens(kCredential, kBinding);
  std::vector<PageRecord> earlier;
  for (uint64_t i = 1; i < ResumeTokens::kMaxBatch; ++i) earlier.push_back({i, 1});
  const std::string token = tokens.Seal(kPosition, earlier);
  for (size_t i = 1; i <= ResumeTokens::kMaxBatch; ++i) {
    const auto opened = tokens.Open(absl::StrCat(token, ":", i));
    ASSERT_TRUE(opened) << i;
    EXPECT_EQ(opened->page, kPosition.page);
    EXPECT_EQ(opened->record, i < ResumeTokens::kMaxBatch ? earlier[i - 1] : kPosition.record);
    EXPECT_EQ(opened->ordinal, kPosition.ordinal - ResumeTokens::kMaxBatch + i);
  }
  for (const char* suffix : {":0", ":1001", ":", ":-1", ":+1", ": 1", ":1 ", ":1:1", ":0x1", "1"}) {
    EXPECT_FALSE(tokens.Open(token + suffix)) << suffix;
  }
}

TEST(ResumeToken, KeepsAnUnknownOrdinalUnknown) {
  ResumeTokens tokens(kCredential, kBinding);
  const PageRecord first{1, 1};
  const auto opened = tokens.Open(tokens.Seal({"page", {2, 1}, 0}, {&first, 1}) + ":1");
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->record, first);
  EXPECT_EQ(opened->ordinal, 0U);
}

TEST(ResumeToken, RecognizesOtherVersions) {
  for (const char* token : {"r1.", "r2.AAAA", "r4.AAAA:7", "r999.x"}) {
    EXPECT_TRUE(ResumeTokens::HasUnsupportedVersion(token)) << token;
  }
  ResumeTokens tokens(kCredential, kBinding);
  for (const std::string& token :
       {tokens.Seal(kPosition), std::string("r3."), std::string(""), std::string("r"),
        std::string("r."), std::string("r4"), std::string("r1000.x"), std::string("rx.y"),
        std::string("r-1.y"), std::string("forged"), std::string("AgAAAA")}) {
    EXPECT_FALSE(ResumeTokens::HasUnsupportedVersion(token)) << token;
  }
}

TEST(ResumeToken, RevealsNothingAndNeverRepeats) {
  ResumeTokens tokens(kCredential, kBinding);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = tokens.Seal(kPosition);
    EXPECT_EQ(token.find("PageToken"), std::string::npos);
    EXPECT_TRUE(seen.insert(token).second);
    EXPECT_TRUE(tokens.Open(token));
  }
  EXPECT_NE(ResumeTokens(kCredential, kBinding).Seal(kPosition),
            ResumeTokens(kCredential, kBinding).Seal(kPosition));
}

}  // namespace
}  // namespace rollcall::service
