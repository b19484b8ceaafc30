#include "tests/end_to_end/end_to_end.h"

#include <grpcpp/generic/generic_stub.h>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace rollcall {

void EndToEndTest::SetUp() {
  auto started = simulator::Simulator::Start(simulator_options_);
  ASSERT_TRUE(started.ok()) << started.status();
  simulator_ = *std::move(started);
  StartDaemon();
}

nlohmann::json EndToEndTest::Configuration() const {
  nlohmann::json configuration = SimulatorConfiguration(simulator_->base_url());
  // Without retries, so that persistent faults fail at once; recovery_test has retries.
  configuration["retry"]["max_attempts"] = 1;
  return configuration;
}

void EndToEndTest::StartDaemon(const nlohmann::json& changes) {
  nlohmann::json configuration = Configuration();
  configuration.merge_patch(changes);
  daemon_ = Daemon::WithConfiguration(configuration);
  ASSERT_FALSE(daemon_->address().empty()) << daemon_->Errors();
  channel_ = grpc::CreateChannel(daemon_->address(), grpc::InsecureChannelCredentials());
  stub_ = v1::ParticipantService::NewStub(channel_);
}

Listing EndToEndTest::List(const v1::ListParticipantsRequest& request) {
  grpc::ClientContext context;
  return List(context, request);
}

Listing EndToEndTest::List(grpc::ClientContext& context,
                           const v1::ListParticipantsRequest& request) {
  Listing listing;
  const auto reader = stub_->ListParticipants(&context, request);
  v1::ListParticipantsResponse response;
  while (reader->Read(&response)) listing.participants.push_back(response.participant());
  listing.status = reader->Finish();
  for (const auto& [key, value] : context.GetServerTrailingMetadata()) {
    listing.trailers[std::string(key.data(), key.size())] = std::string(value.data(), value.size());
  }
  return listing;
}

grpc::Status EndToEndTest::Get(const v1::GetParticipantRequest& request,
                               v1::Participant& participant) {
  grpc::ClientContext context;
  v1::GetParticipantResponse response;
  grpc::Status status = stub_->GetParticipant(&context, request, &response);
  participant = response.participant();
  return status;
}

std::vector<nlohmann::json> EndToEndTest::EndAndReadLog() {
  stub_.reset();
  channel_.reset();
  return daemon_->EndAndReadLog();
}

void EndToEndTest::ExpectStillServes() {
  simulator_->InjectFaults(nullptr);
  const Listing listing = List(ConferenceRequest(kSeedConference));
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 2u);
}

grpc::Status CallWithBytes(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                           const std::string& request, std::string& response) {
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::GenericStub generic(channel);
  const grpc::Slice slice(request);
  const auto call = generic.PrepareUnaryCall(&context, method, grpc::ByteBuffer(&slice, 1), &queue);
  call->StartCall();
  grpc::ByteBuffer buffer;
  grpc::Status status;
  call->Finish(&buffer, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  std::vector<grpc::Slice> slices;
  if (status.ok()) buffer.Dump(&slices);
  response.clear();
  for (const auto& part : slices) {
    response.append(reinterpret_cast<const char*>(part.begin()), part.size());
  }
  return status;
}

v1::ListParticipantsRequest ConferenceRequest(const std::string& conference_sid) {
  v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid(conference_sid);
  return request;
}

v1::ListParticipantsRequest ConferenceRequest(int64_t size) {
  return RequestFor({simulator::Api::kVoiceInsights, size});
}

v1::ListParticipantsRequest RequestFor(const simulator::List& list) {
  v1::ListParticipantsRequest request;
  switch (list.api) {
    case simulator::Api::kVoiceInsights:
      request.mutable_conference_participant_summaries()->set_conference_sid(ListSid(list));
      break;
    case simulator::Api::kVideoInsights:
      request.mutable_room_participant_summaries()->set_room_sid(ListSid(list));
      break;
    case simulator::Api::kSignalWire:
      request.set_upstream("signalwire");
      request.mutable_live_participants()->set_conference_sid(ListSid(list));
      break;
    case simulator::Api::kTwilioCore:
      request.set_upstream("twilio");
      request.mutable_live_participants()->set_conference_sid(ListSid(list));
      break;
  }
  return request;
}

v1::GetParticipantRequest GetRequestFor(const simulator::List& list, int64_t index) {
  v1::GetParticipantRequest request;
  const std::string sid = ParticipantSid(list, index);
  switch (list.api) {
    case simulator::Api::kVoiceInsights:
      request.mutable_conference_participant_summary()->set_conference_sid(ListSid(list));
      request.mutable_conference_participant_summary()->set_participant_sid(sid);
      break;
    case simulator::Api::kVideoInsights:
      request.mutable_room_participant_summary()->set_room_sid(ListSid(list));
      request.mutable_room_participant_summary()->set_participant_sid(sid);
      break;
    case simulator::Api::kSignalWire:
    case simulator::Api::kTwilioCore:
      request.set_upstream(list.api == simulator::Api::kSignalWire ? "signalwire" : "twilio");
      request.mutable_live_participant()->set_conference_sid(ListSid(list));
      request.mutable_live_participant()->set_call_sid(sid);
      break;
  }
  return request;
}

template <class Detail>
Detail DetailOf(const grpc::Status& status) {
  Detail found;
  google::rpc::Status details;
  details.ParseFromString(status.error_details());
  for (const auto& detail : details.details()) {
    if (detail.Is<Detail>()) detail.UnpackTo(&found);
  }
  return found;
}

template google::rpc::ErrorInfo DetailOf(const grpc::Status&);
template google::rpc::BadRequest DetailOf(const grpc::Status&);
template google::rpc::RetryInfo DetailOf(const grpc::Status&);
template google::rpc::RequestInfo DetailOf(const grpc::Status&);
template google::rpc::Help DetailOf(const grpc::Status&);

std::string Reason(const grpc::Status& status) {
  const std::string reason = DetailOf<google::rpc::ErrorInfo>(status).reason();
  const std::string retry = Retry(status);
  EXPECT_EQ(retry == "resume" || retry == "later" || retry == "no", !reason.empty())
      << reason << ", retry: " << retry;
  return reason;
}

std::string Retry(const grpc::Status& status) {
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  const auto retry = info.metadata().find("retry");
  return retry == info.metadata().end() ? "" : retry->second;
}

std::vector<std::string> ViolatedFields(const grpc::Status& status) {
  std::vector<std::string> fields;
  const auto details = DetailOf<google::rpc::BadRequest>(status);
  for (const auto& violation : details.field_violations()) {
    fields.push_back(violation.field());
  }
  return fields;
}

}  // namespace rollcall
