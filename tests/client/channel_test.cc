// Channels of the client library and hand-made ones, and the published service config.
#include "rollcall/channel.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "rollcall/participant_client.h"
#include "rollcall/service_config.h"
#include "tests/client/fake_server.h"
#include "tests/end_to_end/certificate.h"
#include "tests/published_service_config.h"

namespace rollcall {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::IsEmpty;
using ::testing::Optional;
using ::testing::SizeIs;

Script WithParticipant() {
  Script script;
  script.participant.mutable_participant()->mutable_live_participant()->set_call_sid("A");
  return script;
}

std::unique_ptr<v1::ParticipantService::Stub> PlainStub(const std::string& target) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kPublishedServiceConfigJson);
  return v1::ParticipantService::NewStub(
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments));
}

TEST(ChannelTest, CallsGoToServingReplicas) {
  FakeServer one;
  FakeServer two;
  one.Play(WithParticipant());
  two.Play(WithParticipant());
  one.SetServing(false);
  const ParticipantClient client(MakeChannel("ipv4:" + one.address() + "," + two.address()));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.Get({}).ok());
  EXPECT_THAT(one.get_requests(), IsEmpty());
  EXPECT_THAT(two.get_requests(), SizeIs(10));
}

TEST(ChannelTest, CallsRotateOverReplicas) {
  FakeServer one;
  FakeServer two;
  one.Play(WithParticipant());
  two.Play(WithParticipant());
  const ParticipantClient client(MakeChannel("ipv4:" + one.address() + "," + two.address()));
  // Until both are connected, one may get more calls.
  while (one.get_requests().empty() || two.get_requests().empty()) ASSERT_TRUE(client.Get({}).ok());
  const size_t before = one.get_requests().size();
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(client.Get({}).ok());
  EXPECT_EQ(one.get_requests().size(), before + 5);
}

TEST(ChannelTest, TokenIsSentUnlessEmpty) {
  const Certificate authority = Certificate::Authority();
  const Certificate certificate = authority.SignNames("IP:127.0.0.1");
  grpc::SslServerCredentialsOptions credentials;
  credentials.pem_key_cert_pairs.push_back({certificate.key(), certificate.certificate()});
  FakeServer server(grpc::SslServerCredentials(credentials));
  server.Play(WithParticipant());
  std::atomic<const char*> token = "abc";  // gRPC reads it on a thread of its own.
  ChannelOptions options;
  options.tls.emplace().ca_certificates = authority.certificate();
  options.token = [&token] { return std::string(token); };
  const ParticipantClient client(MakeChannel(server.address(), options));
  EXPECT_TRUE(client.Get({}).ok());
  token = "";
  EXPECT_TRUE(client.Get({}).ok());
  token = "def";
  EXPECT_TRUE(client.Get({}).ok());
  EXPECT_THAT(server.authorizations(),
              ElementsAre(Optional(std::string("Bearer abc")), Eq(std::nullopt),
                          Optional(std::string("Bearer def"))));
}

// The attempts that reach a server that is never available, over a channel with these arguments, if
// the client retries twice.
size_t AttemptsOfTwoRetries(const grpc::ChannelArguments& arguments) {
  FakeServer server;
  Script unavailable;
  unavailable.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  server.Play(unavailable);
  CallOptions options;
  options.retry_policy = std::make_shared<LimitedRetryPolicy>(RetryLimits{.max_retries = 2});
  options.backoff_policy = std::make_shared<ExponentialBackoff>(
      BackoffSettings{absl::Milliseconds(1), absl::Milliseconds(1)});
  const ParticipantClient client(
      grpc::CreateCustomChannel(server.address(), grpc::InsecureChannelCredentials(), arguments));
  EXPECT_TRUE(absl::IsUnavailable(client.Get({}, options).status()));
  return server.get_requests().size();
}

TEST(HandMadeChannelTest, OptionsTurnRetriesOfAServiceConfigOff) {
  grpc::ChannelArguments before;
  before.SetServiceConfigJSON(kPublishedServiceConfigJson);
  ApplyChannelOptions({}, before);
  EXPECT_EQ(AttemptsOfTwoRetries(before), 3u);
  grpc::ChannelArguments after;
  ApplyChannelOptions({}, after);
  after.SetServiceConfigJSON(kPublishedServiceConfigJson);
  EXPECT_EQ(AttemptsOfTwoRetries(after), 3u);
}

TEST(HandMadeChannelTest, ServiceConfigOfTheLibraryDoesNotRetry) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kServiceConfigJson);
  EXPECT_EQ(AttemptsOfTwoRetries(arguments), 3u);
}

TEST(HandMadeChannelTest, PublishedServiceConfigAloneMultipliesAttempts) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(kPublishedServiceConfigJson);
  EXPECT_GT(AttemptsOfTwoRetries(arguments), 3u);
}

TEST(ServiceConfigTest, UnavailableCallIsRetried) {
  FakeServer server;
  Script unavailable;
  unavailable.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  server.PlayInTurn({unavailable, WithParticipant()});
  const auto stub = PlainStub(server.address());
  grpc::ClientContext context;
  v1::GetParticipantResponse response;
  const grpc::Status status = stub->GetParticipant(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response.participant().live_participant().call_sid(), "A");
  EXPECT_THAT(server.get_requests(), SizeIs(2));
}

TEST(ServiceConfigTest, ListIsNotRetriedAfterItsFirstRecord) {
  FakeServer server;
  Script breaks;
  breaks.Add().mutable_live_participant()->set_call_sid("A");
  breaks.status = grpc::Status(grpc::StatusCode::UNAVAILABLE, "draining");
  server.Play(breaks);
  const auto stub = PlainStub(server.address());
  grpc::ClientContext context;
  const auto reader = stub->ListParticipants(&context, {});
  v1::ListParticipantsResponse response;
  EXPECT_TRUE(reader->Read(&response));
  EXPECT_FALSE(reader->Read(&response));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(server.list_requests(), SizeIs(1));
}

}  // namespace
}  // namespace rollcall
