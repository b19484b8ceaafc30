#include "service/record/requested_ids.h"

#include <gtest/gtest.h>

#include "service/provider/provider_id.h"

namespace rollcall::service {
namespace {

const std::string kDigits = "0123456789abcdef0123456789abcdef";

RequestedId Conference(const std::string& id) {
  return {"conference_sid", id, [](absl::string_view text) { return IsTwilioSid(text, "CF"); }};
}

TEST(RequestedIds, DifferentIdOfTheSameKindContradicts) {
  const RequestedId id = Conference("CF" + kDigits);
  EXPECT_TRUE(id.IsContradictedBy("CF0123456789abcdef0123456789abcdee"));
  EXPECT_TRUE(id.IsContradictedBy("CF0123456789ABCDEF0123456789ABCDEE"));
}

TEST(RequestedIds, SameIdInAnotherCaseDoesNotContradict) {
  EXPECT_FALSE(Conference("CF" + kDigits).IsContradictedBy("CF" + kDigits));
  EXPECT_FALSE(Conference("CF" + kDigits).IsContradictedBy("CF0123456789ABCDEF0123456789ABCDEF"));
}

TEST(RequestedIds, TextThatIsNotAnIdDoesNotContradict) {
  for (const char* text :
       {"", "string", "CF", "RM0123456789abcdef0123456789abcdee",
        "CF0123456789abcdef0123456789abcde", "CF0123456789abcdef0123456789abcdef0",
        "cf0123456789abcdef0123456789abcdee", "CF0123456789abcdef0123456789abcdeg"}) {
    EXPECT_FALSE(Conference("CF" + kDigits).IsContradictedBy(text)) << text;
  }
}

// Twilio finds live participants by label too; the response then has the sid of their call.
TEST(RequestedIds, RequestByLabelIsNeverContradicted) {
  EXPECT_FALSE(Conference("Ada").IsContradictedBy("CF" + kDigits));
}

}  // namespace
}  // namespace rollcall::service
