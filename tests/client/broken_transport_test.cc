// Lists of the client library from a server that breaks below gRPC.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "tests/client/raw_server.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kProtocolError = 1;
constexpr uint32_t kInternalError = 2;
constexpr uint32_t kCancel = 8;

// A list of participants with these call sids, and resume tokens "A'", ...
RawReply Reply(const std::vector<std::string>& call_sids, RawReply::End end) {
  RawReply reply;
  reply.end = end;
  for (const std::string& sid : call_sids) {
    v1::ListParticipantsResponse& message = reply.messages.emplace_back();
    message.mutable_participant()->mutable_live_participant()->set_call_sid(sid);
    message.set_resume_token(sid + "'");
  }
  return reply;
}

RawReply Reset(const std::vector<std::string>& call_sids, uint32_t code) {
  RawReply reply = Reply(call_sids, RawReply::End::kReset);
  reply.reset_code = code;
  return reply;
}

RawReply Http(int status) {
  RawReply reply;
  reply.end = RawReply::End::kHttpStatus;
  reply.http_status = status;
  return reply;
}

struct Outcome {
  std::vector<std::string> call_sids;
  absl::Status status;
};

Outcome ReadList(const RawServer& server, int max_retries, const ChannelOptions& channel = {}) {
  CallOptions options;
  options.retry_policy =
      std::make_shared<LimitedRetryPolicy>(RetryLimits{.max_retries = max_retries});
  options.backoff_policy = std::make_shared<ExponentialBackoff>(
      BackoffSettings{absl::Milliseconds(1), absl::Milliseconds(1)});
  const ParticipantClient client(MakeChannel(server.address(), channel));
  Outcome outcome;
  for (const auto& participant : client.List({}, options)) {
    if (participant.ok()) {
      outcome.call_sids.push_back(participant->live_participant().call_sid());
    } else {
      outcome.status = participant.status();
    }
  }
  return outcome;
}

TEST(BrokenTransportTest, StreamResetAfterRecordsIsResumed) {
  for (const uint32_t code : {kProtocolError, kInternalError, kCancel}) {
    RawServer server({Reset({"A"}, code), Reply({"B"}, RawReply::End::kOk)});
    const Outcome outcome = ReadList(server, 1);
    EXPECT_THAT(outcome.call_sids, ElementsAre("A", "B")) << code;
    EXPECT_TRUE(outcome.status.ok()) << code << ": " << outcome.status;
  }
}

TEST(BrokenTransportTest, StreamResetBeforeRecordsIsRetriedWithinTheBudget) {
  RawServer server({Reset({}, kInternalError)});
  const Outcome outcome = ReadList(server, 2);
  EXPECT_THAT(outcome.call_sids, IsEmpty());
  EXPECT_EQ(outcome.status.code(), absl::StatusCode::kInternal) << outcome.status;
  EXPECT_EQ(server.lists(), 3);
}

TEST(BrokenTransportTest, StreamWithoutStatusIsResumed) {
  RawServer server({Reply({"A"}, RawReply::End::kNoStatus), Reply({"B"}, RawReply::End::kOk)});
  const Outcome outcome = ReadList(server, 1);
  EXPECT_THAT(outcome.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
}

TEST(BrokenTransportTest, SilentServerIsDetectedByKeepalive) {
  RawServer server({Reply({"A"}, RawReply::End::kFallsSilent), Reply({"B"}, RawReply::End::kOk)});
  ChannelOptions channel;
  channel.keepalive_time = absl::Milliseconds(100);
  channel.keepalive_timeout = absl::Seconds(1);
  const Outcome outcome = ReadList(server, 1000, channel);
  EXPECT_THAT(outcome.call_sids, ElementsAre("A", "B"));
  EXPECT_TRUE(outcome.status.ok()) << outcome.status;
}

TEST(BrokenTransportTest, UnavailableProxyIsRetried) {
  RawServer server({Http(503), Reply({"A"}, RawReply::End::kOk)});
  EXPECT_THAT(ReadList(server, 1).call_sids, ElementsAre("A"));
}

TEST(BrokenTransportTest, RefusalByAProxyIsFinal) {
  RawServer forbids({Http(403), Reply({"A"}, RawReply::End::kOk)});
  EXPECT_EQ(ReadList(forbids, 5).status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(forbids.lists(), 1);
  RawServer unknown({Http(404), Reply({"A"}, RawReply::End::kOk)});
  EXPECT_EQ(ReadList(unknown, 5).status.code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(unknown.lists(), 1);
}

}  // namespace
}  // namespace rollcall
