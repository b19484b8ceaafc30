#include "service/error/error.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "tests/paths.h"

namespace rollcall::service {
namespace {

using ::testing::AnyOf;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

google::rpc::ErrorInfo InfoOf(const absl::Status& status) {
  return ErrorDetail<google::rpc::ErrorInfo>(status).value_or(google::rpc::ErrorInfo());
}

std::string RetryOf(const absl::Status& status) { return InfoOf(status).metadata().at("retry"); }

// "CODE, retry: VALUE", by the enum value's name.
using Meanings = std::map<std::string, std::string>;

// From the comments in error_reason.proto.
Meanings DocumentedMeanings() {
  std::ifstream file(SourcePath("proto/rollcall/v1/error_reason.proto"));
  EXPECT_TRUE(file.is_open());
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const std::regex comment_and_value(
      R"(\n\n  // ([A-Z_]+, retry: [a-z]+)\. [^=\n]*(?:\n  // [^=\n]*)*\n  (ERROR_REASON_\w+) = )");
  Meanings meanings;
  for (std::sregex_iterator it(text.begin(), text.end(), comment_and_value), end; it != end; ++it) {
    meanings.emplace((*it)[2], (*it)[1]);
  }
  return meanings;
}

TEST(ErrorTest, CodeAndRetryOfEveryReasonAreAsDocumented) {
  Meanings actual;
  for (int number = 1; number < v1::ErrorReason_ARRAYSIZE; ++number) {
    const auto reason = static_cast<v1::ErrorReason>(number);
    const absl::Status error = MakeError(reason, "");
    EXPECT_EQ(ReasonOf(error), reason);
    EXPECT_THAT(RetryOf(error), AnyOf("resume", "later", "no"));
    actual.emplace(
        v1::ErrorReason_Name(reason),
        absl::StrCat(absl::StatusCodeToString(error.code()), ", retry: ", RetryOf(error)));
  }
  EXPECT_EQ(actual, DocumentedMeanings());
}

// client/service_config.json lets gRPC call again after UNAVAILABLE.
TEST(ErrorTest, UnavailableIsNeverFinal) {
  for (int number = 1; number < v1::ErrorReason_ARRAYSIZE; ++number) {
    const absl::Status error = MakeError(static_cast<v1::ErrorReason>(number), "");
    EXPECT_FALSE(absl::IsUnavailable(error) && RetryOf(error) == "no") << error;
  }
}

TEST(ErrorTest, UnknownReasonIsFinal) {
  for (const int number : {0, -1, v1::ErrorReason_ARRAYSIZE, 1'000'000}) {
    const absl::Status error = MakeError(static_cast<v1::ErrorReason>(number), "");
    EXPECT_EQ(error.code(), absl::StatusCode::kUnknown);
    EXPECT_EQ(RetryOf(error), "no");
  }
}

TEST(ErrorTest, MetadataKeepsRetry) {
  absl::Status error = MakeError(v1::ERROR_REASON_SERVER_DRAINING, "draining",
                                 {{"retry", "no"}, {"upstream", "main"}, {"empty", ""}});
  AddErrorMetadata(error, {{"request_id", "r"}});
  error = WithMessage(error, "still draining");
  EXPECT_THAT(InfoOf(error).metadata(),
              UnorderedElementsAre(Pair("retry", "resume"), Pair("upstream", "main"),
                                   Pair("request_id", "r")));
  EXPECT_EQ(InfoOf(error).domain(), "rollcall");
  EXPECT_EQ(InfoOf(error).reason(), "SERVER_DRAINING");
}

TEST(ErrorTest, StatusWithoutAReasonGetsNoErrorInfo) {
  absl::Status status = absl::InternalError("no reason");
  AddErrorMetadata(status, {{"request_id", "r"}});
  EXPECT_EQ(status, absl::InternalError("no reason"));
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UNSPECIFIED);
}

}  // namespace
}  // namespace rollcall::service
