// SignalWire's compatibility API: the current participants of a conference.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "service/provider/live_participant_schema.h"
#include "service/provider/participant_api.h"
#include "service/provider/sid.h"

namespace rollcall::service {
namespace {

constexpr absl::string_view kPrefix = "/api/laml";
constexpr absl::string_view kVersion = "/2010-04-01/";

class SignalWireApi final : public ParticipantApi {
 public:
  absl::string_view name() const override { return "live conferences"; }

  bool Serves(ProviderType provider, ListRequest::QueryCase query) const override {
    return provider == ProviderType::kSignalWire && query == ListRequest::kLiveParticipants;
  }
  bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const override {
    return provider == ProviderType::kSignalWire && participant == GetRequest::kLiveParticipant;
  }

  const BaseUrl& base_url(const Account& account) const override { return account.api; }

  std::string ListTarget(const Account& account, const ListRequest& request,
                         RequestViolations& violations) const override {
    const auto& query = request.live_participants();
    CheckUuid("live_participants.conference_sid", query.conference_sid(), violations);
    if (query.has_coaching()) {
      violations.Add("live_participants.coaching",
                     absl::StrCat("is supported only by Twilio; upstream \"", account.name,
                                  "\" is a SignalWire account"));
    }
    std::string target = ListPath(account, query.conference_sid());
    if (query.has_muted()) AppendQuery(target, "Muted", query.muted() ? "true" : "false");
    if (query.has_hold()) AppendQuery(target, "Hold", query.hold() ? "true" : "false");
    return target;
  }

  std::string GetTarget(const Account& account, const GetRequest& request,
                        RequestViolations& violations) const override {
    const auto& name = request.live_participant();
    CheckUuid("live_participant.conference_sid", name.conference_sid(), violations);
    CheckUuid("live_participant.call_sid", name.call_sid(), violations);
    return absl::StrCat(ListPath(account, name.conference_sid()), "/",
                        EncodePathSegment(name.call_sid()));
  }

  RequestedIds IdsOf(const ListRequest& request) const override {
    return {RequestedUuid("conference_sid", request.live_participants().conference_sid())};
  }
  RequestedIds IdsOf(const GetRequest& request) const override {
    const auto& name = request.live_participant();
    return {RequestedUuid("conference_sid", name.conference_sid()),
            RequestedUuid("call_sid", name.call_sid())};
  }

  std::string ProbeTarget(const Account& account) const override {
    return ListPath(account, "00000000-0000-0000-0000-000000000000");
  }

  PageLayout page_layout() const override { return {"participants", "next_page_uri", ""}; }

  const RecordSchema& record_schema() const override { return LiveParticipantSchema(); }

  // Links of older pages lack the API's path prefix.
  std::string AdjustLink(std::string link) const override {
    return absl::StartsWith(link, kVersion) ? absl::StrCat(kPrefix, link) : link;
  }

 private:
  static std::string ListPath(const Account& account, absl::string_view conference_sid) {
    return absl::StrCat(kPrefix, kVersion, "Accounts/", EncodePathSegment(account.account_sid),
                        "/Conferences/", EncodePathSegment(conference_sid), "/Participants");
  }
};

}  // namespace

const ParticipantApi& SignalWire() {
  static const SignalWireApi kApi;
  return kApi;
}

}  // namespace rollcall::service
