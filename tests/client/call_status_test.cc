#include "rollcall/call_status.h"

#include <gtest/gtest.h>

#include "tests/client/fake_server.h"

namespace rollcall {
namespace {

TEST(CallStatusTest, KeepsCodeMessageAndDetails) {
  google::rpc::RetryInfo retry;
  retry.mutable_retry_delay()->set_seconds(5);
  const absl::Status status = ToAbslStatus(
      RichStatus(grpc::RESOURCE_EXHAUSTED, "slow down", MakeErrorInfo("LIMITED"), retry));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "slow down");
  EXPECT_EQ(status.GetPayload("type.googleapis.com/google.rpc.ErrorInfo"),
            MakeErrorInfo("LIMITED").SerializeAsString());
  ASSERT_TRUE(StatusDetail<google::rpc::ErrorInfo>(status).has_value());
  EXPECT_EQ(StatusDetail<google::rpc::ErrorInfo>(status)->reason(), "LIMITED");
  EXPECT_EQ(StatusDetail<google::rpc::RetryInfo>(status)->retry_delay().seconds(), 5);
  EXPECT_FALSE(StatusDetail<google::rpc::Help>(status).has_value());
}

TEST(CallStatusTest, OkIsOk) { EXPECT_EQ(ToAbslStatus(grpc::Status::OK), absl::OkStatus()); }

TEST(CallStatusTest, MalformedDetailsAreOmitted) {
  const absl::Status no_proto = ToAbslStatus(grpc::Status(grpc::INTERNAL, "no", "\xff\xff"));
  EXPECT_EQ(no_proto, absl::InternalError("no"));
  google::rpc::Status rich;
  google::protobuf::Any& detail = *rich.add_details();
  detail.set_type_url("type.googleapis.com/google.rpc.ErrorInfo");
  detail.set_value("\xff\xff");
  const absl::Status status =
      ToAbslStatus(grpc::Status(grpc::INTERNAL, "no", rich.SerializeAsString()));
  EXPECT_FALSE(StatusDetail<google::rpc::ErrorInfo>(status).has_value());
}

TEST(CallStatusTest, FirstOfTwoDetailsOfOneTypeIsKept) {
  const absl::Status status =
      ToAbslStatus(RichStatus(grpc::INTERNAL, "", MakeErrorInfo("FIRST"), MakeErrorInfo("SECOND")));
  EXPECT_EQ(StatusDetail<google::rpc::ErrorInfo>(status)->reason(), "FIRST");
}

TEST(CallStatusTest, RetryAdviceIsTheServicesOwn) {
  google::rpc::ErrorInfo info = MakeErrorInfo("ANY");
  EXPECT_EQ(RetryAdvice(ToAbslStatus(RichStatus(grpc::INTERNAL, "", info))), "");
  (*info.mutable_metadata())["retry"] = "later";
  EXPECT_EQ(RetryAdvice(ToAbslStatus(RichStatus(grpc::INTERNAL, "", info))), "later");
  info.set_domain("mesh.example");
  EXPECT_EQ(RetryAdvice(ToAbslStatus(RichStatus(grpc::INTERNAL, "", info))), "");
  EXPECT_EQ(RetryAdvice(absl::InternalError("no details")), "");
  EXPECT_EQ(RetryAdvice(absl::OkStatus()), "");
}

TEST(CallStatusTest, InvalidCodeBecomesUnknown) {
  const absl::Status status = ToAbslStatus(grpc::Status(grpc::DO_NOT_USE, "odd"));
  EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(status.message(), "odd");
}

}  // namespace
}  // namespace rollcall
