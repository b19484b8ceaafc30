#include "service/access/authorization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "google/rpc/error_details.pb.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;

// What a denied request was denied for; empty if it was permitted.
std::string Denied(const absl::Status& status) {
  if (status.ok()) return "";
  EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_CALLER_NOT_PERMITTED) << status;
  return ErrorDetail<google::rpc::ErrorInfo>(status)->metadata().at("denied");
}

// May use one upstream and read one kind of list, without personal data.
CallerRules Restricted() {
  CallerRules rules;
  rules.name = "billing";
  rules.upstreams = {"main"};
  rules.lists = {"conference_participant_summaries"};
  return rules;
}

v1::ListParticipantsRequest ConferenceList() {
  v1::ListParticipantsRequest request;
  request.mutable_conference_participant_summaries()->set_conference_sid("CF1");
  return request;
}

TEST(AuthorizationTest, PermitsEverythingWithoutAPolicy) {
  const Authorization authorization(nullptr);
  v1::ListParticipantsRequest request = ConferenceList();
  request.set_upstream("any");
  request.mutable_conference_participant_summaries()->set_label("Ada");
  request.mutable_read_mask()->add_paths("label");
  EXPECT_TRUE(authorization.CheckTarget(request).ok());
  EXPECT_TRUE(authorization.CheckPersonalData(request, TwilioVoiceInsights()).ok());
  EXPECT_TRUE(authorization.MayUse("any"));
  FieldSelection selection;
  authorization.Restrict(selection, TwilioVoiceInsights());
  EXPECT_TRUE(selection.has_unrecognized_text());
}

TEST(AuthorizationTest, DeniesOtherKindsOfList) {
  const CallerRules rules = Restricted();
  const Authorization authorization(&rules);
  EXPECT_EQ(Denied(authorization.CheckTarget(ConferenceList())), "");
  v1::ListParticipantsRequest list;
  list.mutable_live_participants()->set_conference_sid("CF1");
  EXPECT_EQ(Denied(authorization.CheckTarget(list)), "list");
}

TEST(AuthorizationTest, DeniesGettingAParticipantOfAnotherKindOfList) {
  const CallerRules rules = Restricted();
  const Authorization authorization(&rules);
  v1::GetParticipantRequest get;
  get.mutable_conference_participant_summary();
  EXPECT_EQ(Denied(authorization.CheckTarget(get)), "");
  get.mutable_room_participant_summary();
  EXPECT_EQ(Denied(authorization.CheckTarget(get)), "list");
  get.mutable_live_participant();
  EXPECT_EQ(Denied(authorization.CheckTarget(get)), "list");
}

TEST(AuthorizationTest, DeniesOtherUpstreams) {
  const CallerRules rules = Restricted();
  const Authorization authorization(&rules);
  v1::ListParticipantsRequest request = ConferenceList();
  request.set_upstream("main");
  EXPECT_EQ(Denied(authorization.CheckTarget(request)), "");
  request.set_upstream("space");
  EXPECT_EQ(Denied(authorization.CheckTarget(request)), "upstream");
  EXPECT_TRUE(authorization.MayUse("main"));
  EXPECT_FALSE(authorization.MayUse("space"));
}

TEST(AuthorizationTest, DeniesFiltersAndFieldsThatArePersonalData) {
  CallerRules rules = Restricted();
  v1::ListParticipantsRequest by_label = ConferenceList();
  by_label.mutable_conference_participant_summaries()->set_label("Ada");
  v1::ListParticipantsRequest with_field = ConferenceList();
  with_field.mutable_read_mask()->add_paths("call_sid");
  with_field.mutable_read_mask()->add_paths("label");
  const Authorization authorization(&rules);
  const ParticipantApi& api = TwilioVoiceInsights();
  EXPECT_EQ(Denied(authorization.CheckPersonalData(ConferenceList(), api)), "");
  EXPECT_EQ(Denied(authorization.CheckPersonalData(by_label, api)), "filter");
  const absl::Status status = authorization.CheckPersonalData(with_field, api);
  EXPECT_EQ(Denied(status), "field");
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"label\""));

  rules.pii = true;
  EXPECT_EQ(Denied(authorization.CheckPersonalData(by_label, api)), "");
  EXPECT_EQ(Denied(authorization.CheckPersonalData(with_field, api)), "");
}

TEST(AuthorizationTest, AsteriskInTheMaskNamesNoPersonalData) {
  const CallerRules rules = Restricted();
  const Authorization authorization(&rules);
  const ParticipantApi& api = TwilioVoiceInsights();
  v1::ListParticipantsRequest request = ConferenceList();
  request.mutable_read_mask()->add_paths("*");
  EXPECT_EQ(Denied(authorization.CheckPersonalData(request, api)), "");
  v1::GetParticipantRequest get;
  get.mutable_conference_participant_summary();
  get.mutable_read_mask()->add_paths("*");
  EXPECT_EQ(Denied(authorization.CheckPersonalData(get, api)), "");
  for (const char* path : {"label", "label.*", "label."}) {
    v1::ListParticipantsRequest with_field = request;
    with_field.mutable_read_mask()->add_paths(path);
    EXPECT_EQ(Denied(authorization.CheckPersonalData(with_field, api)), "field") << path;
  }
}

// What an empty mask and an asterisk select.
class RestrictTest : public ::testing::TestWithParam<std::vector<std::string>> {};

INSTANTIATE_TEST_SUITE_P(Masks, RestrictTest,
                         ::testing::Values(std::vector<std::string>{},
                                           std::vector<std::string>{"*"}));

TEST_P(RestrictTest, RemovesPersonalFieldsFromTheSelection) {
  const CallerRules rules = Restricted();
  google::protobuf::FieldMask mask;
  for (const std::string& path : GetParam()) mask.add_paths(path);
  std::vector<std::string> unknown;
  FieldSelection selection =
      FieldSelection::FromMask(mask, TwilioVoiceInsights().record_schema().object, unknown);
  EXPECT_TRUE(unknown.empty());
  EXPECT_TRUE(selection.has_unrecognized_text());
  Authorization(&rules).Restrict(selection, TwilioVoiceInsights());
  EXPECT_FALSE(selection.has_unrecognized_text());
  int left_out = 0;
  for (const FieldSchema& field : TwilioVoiceInsights().record_schema().object.fields) {
    if (!field.is_personal) continue;
    EXPECT_FALSE(selection.Includes(field)) << field.name;
    ++left_out;
  }
  EXPECT_GT(left_out, 0);
}

}  // namespace
}  // namespace rollcall::service
