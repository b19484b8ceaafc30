// Twilio's core API: the current participants of a conference.
#include "absl/strings/str_cat.h"
#include "service/provider/live_participant_schema.h"
#include "service/provider/participant_api.h"
#include "service/provider/provider_id.h"
#include "service/provider/sid.h"

namespace rollcall::service {
namespace {

class Core final : public ParticipantApi {
 public:
  absl::string_view name() const override { return "live conferences"; }

  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kTwilio && query == ListRequest::kLiveParticipants;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kTwilio && participant == GetRequest::kLiveParticipant;
  }

  const BaseUrl& base_url(const Account& account) const override { return account.api; }

  std::string ListTarget(const Account& account, const ListRequest& request,
                         RequestViolations& violations) const override {
    const auto& query = request.live_participants();
    CheckTwilioSid("live_participants.conference_sid", query.conference_sid(), "CF", violations);
    // Without ".json" the API responds with XML.
    std::string target = absl::StrCat(ListPath(account, query.conference_sid()), ".json");
    if (query.has_muted()) AppendQuery(target, "Muted", query.muted() ? "true" : "false");
    if (query.has_hold()) AppendQuery(target, "Hold", query.hold() ? "true" : "false");
    if (query.has_coaching()) AppendQuery(target, "Coaching", query.coaching() ? "true" : "false");
    return target;
  }

  std::string GetTarget(const Account& account, const GetRequest& request,
                        RequestViolations& violations) const override {
    const auto& name = request.live_participant();
    CheckTwilioSid("live_participant.conference_sid", name.conference_sid(), "CF", violations);
    // The API accepts the participant's label as well, so the form of the sid is not checked.
    if (name.call_sid().empty()) {
      violations.Add("live_participant.call_sid", "is required: the call's sid or its label");
    }
    return absl::StrCat(ListPath(account, name.conference_sid()), "/",
                        EncodePathSegment(name.call_sid()), ".json");
  }

  RequestedIds IdsOf(const ListRequest& request) const override {
    return {ConferenceId(request.live_participants().conference_sid())};
  }
  RequestedIds IdsOf(const GetRequest& request) const override {
    const auto& name = request.live_participant();
    return {ConferenceId(name.conference_sid()),
            RequestedSid<'C', 'A'>("call_sid", name.call_sid())};
  }

  std::string ProbeTarget(const Account& account) const override {
    return absl::StrCat(ListPath(account, "CF00000000000000000000000000000000"), ".json");
  }

  using ParticipantApi::PersonalFilter;
  // A call_sid that is not a sid is a label, which is personal data.
  absl::string_view PersonalFilter(const GetRequest& request) const override {
    return IsTwilioSid(request.live_participant().call_sid(), "CA") ? ""
                                                                    : "live_participant.call_sid";
  }

  PageLayout page_layout() const override { return {"participants", "next_page_uri", ""}; }

  const RecordSchema& record_schema() const override { return LiveParticipantSchema(); }

 private:
  static RequestedId ConferenceId(const std::string& sid) {
    return RequestedSid<'C', 'F'>("conference_sid", sid);
  }

  static std::string ListPath(const Account& account, absl::string_view conference_sid) {
    return absl::StrCat("/2010-04-01/Accounts/", EncodePathSegment(account.account_sid),
                        "/Conferences/", EncodePathSegment(conference_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& TwilioCore() {
  static const Core kApi;
  return kApi;
}

}  // namespace rollcall::service
