// The ids that a caller sends reach the provider and the errors, so that a call can be traced.
#include <gmock/gmock.h>

#include <map>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using ::testing::MatchesRegex;

constexpr char kTraceId[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kParentSpan[] = "00f067aa0ba902b7";

using Headers = std::map<std::string, std::string>;

class TracingTest : public EndToEndTest {
 protected:
  // Lists with these headers.
  grpc::Status ListWith(const Headers& headers, const v1::ListParticipantsRequest& request) {
    grpc::ClientContext context;
    for (const auto& [name, value] : headers) context.AddMetadata(name, value);
    const Listing listing = List(context, request);
    const auto& head = context.GetServerInitialMetadata();
    const auto found = head.find("x-request-id");
    request_id_ =
        found == head.end() ? "" : std::string(found->second.data(), found->second.size());
    return listing.status;
  }

  // Expects both ids in the error's details.
  void ExpectIds(const grpc::Status& status, const std::string& trace_id) {
    const auto info = DetailOf<google::rpc::ErrorInfo>(status);
    EXPECT_EQ(info.metadata().at("request_id"), request_id_);
    EXPECT_EQ(info.metadata().at("trace_id"), trace_id);
    EXPECT_EQ(DetailOf<google::rpc::RequestInfo>(status).request_id(), request_id_);
  }

  std::string request_id_;  // of the last response
};

TEST_F(TracingTest, CallerIdsAreSentWithEveryUpstreamRequest) {
  v1::ListParticipantsRequest request = ConferenceRequest(25);
  request.set_page_size(10);
  const grpc::Status status =
      ListWith({{"traceparent", absl::StrCat("00-", kTraceId, "-", kParentSpan, "-01")},
                {"tracestate", "congo=t61rcWkgMzE"},
                {"x-request-id", "order-66"}},
               request);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(request_id_, "order-66");
  std::set<std::string> traceparents;
  for (const simulator::Request& seen : simulator_->requests()) {
    const std::string traceparent = seen.Header("traceparent");
    EXPECT_THAT(traceparent, MatchesRegex(absl::StrCat("00-", kTraceId, "-[0-9a-f]{16}-01")));
    EXPECT_EQ(traceparent.find(kParentSpan), std::string::npos);
    traceparents.insert(traceparent);
    EXPECT_EQ(seen.Header("tracestate"), "congo=t61rcWkgMzE");
    EXPECT_EQ(seen.Header("x-request-id"), "order-66");
  }
  EXPECT_EQ(traceparents.size(), 3u);
}

TEST_F(TracingTest, GeneratesIdsForCallersWithoutAny) {
  ASSERT_TRUE(ListWith({}, ConferenceRequest(1)).ok());
  EXPECT_THAT(request_id_, MatchesRegex("[0-9a-f]{32}"));
  const simulator::Request seen = simulator_->requests().at(0);
  EXPECT_THAT(seen.Header("traceparent"), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00"));
  EXPECT_EQ(seen.Header("tracestate"), "");
  EXPECT_EQ(seen.Header("x-request-id"), request_id_);
}

TEST_F(TracingTest, ReplacesMalformedIds) {
  ASSERT_TRUE(ListWith({{"traceparent", "00-of-my-own-making"},
                        {"tracestate", "congo=t61rcWkgMzE"},
                        {"x-request-id", "someone@example.com"}},
                       ConferenceRequest(1))
                  .ok());
  EXPECT_THAT(request_id_, MatchesRegex("[0-9a-f]{32}"));
  const simulator::Request seen = simulator_->requests().at(0);
  EXPECT_THAT(seen.Header("traceparent"), MatchesRegex("00-[0-9a-f]{32}-[0-9a-f]{16}-00"));
  EXPECT_EQ(seen.Header("tracestate"), "");
  EXPECT_EQ(seen.Header("x-request-id"), request_id_);
}

TEST_F(TracingTest, ListErrorsHaveTheIds) {
  const Headers headers = {{"traceparent", absl::StrCat("00-", kTraceId, "-", kParentSpan, "-00")},
                           {"x-request-id", "order-66"}};
  // An error before any request is sent.
  grpc::Status status = ListWith(headers, {});
  EXPECT_EQ(Reason(status), "INVALID_REQUEST");
  EXPECT_EQ(request_id_, "order-66");
  ExpectIds(status, kTraceId);

  // An error from the provider, which adds its own request id.
  simulator_->InjectFaults([](const simulator::Request&) { return simulator::Respond(404); });
  status = ListWith(headers, ConferenceRequest(1));
  EXPECT_EQ(Reason(status), "UPSTREAM_NOT_FOUND");
  ExpectIds(status, kTraceId);
  EXPECT_THAT(DetailOf<google::rpc::ErrorInfo>(status).metadata().at("provider_request_id"),
              MatchesRegex("RQ.*"));
}

TEST_F(TracingTest, GetErrorsHaveTheIds) {
  simulator_->InjectFaults([](const simulator::Request&) { return simulator::Respond(404); });
  grpc::ClientContext context;
  context.AddMetadata("traceparent", absl::StrCat("00-", kTraceId, "-", kParentSpan, "-01"));
  context.AddMetadata("x-request-id", "order-66");
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  request.mutable_conference_participant_summary()->set_participant_sid(
      "CP00000000000000000000000000000001");
  v1::GetParticipantResponse response;
  const grpc::Status status = stub().GetParticipant(&context, request, &response);
  request_id_ = "order-66";
  ExpectIds(status, kTraceId);
  EXPECT_EQ(context.GetServerInitialMetadata().count("x-request-id"), 1u);
  const simulator::Request seen = simulator_->requests().at(0);
  EXPECT_EQ(seen.Header("x-request-id"), "order-66");
  EXPECT_THAT(seen.Header("traceparent"),
              MatchesRegex(absl::StrCat("00-", kTraceId, "-[0-9a-f]{16}-01")));
}

}  // namespace
}  // namespace rollcall
