#include "service/access/authorization.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

absl::Status NotPermitted(absl::string_view denied, absl::string_view message) {
  return MakeError(v1::ERROR_REASON_CALLER_NOT_PERMITTED, message,
                   {{"denied", std::string(denied)}});
}

// The kind of list that a participant belongs to. The policy names kinds, not requests.
std::string KindOf(v1::GetParticipantRequest::ParticipantCase participant) {
  using List = v1::ListParticipantsRequest;
  int number = 0;
  switch (participant) {
    case v1::GetParticipantRequest::kConferenceParticipantSummary:
      number = List::kConferenceParticipantSummariesFieldNumber;
      break;
    case v1::GetParticipantRequest::kRoomParticipantSummary:
      number = List::kRoomParticipantSummariesFieldNumber;
      break;
    case v1::GetParticipantRequest::kLiveParticipant:
      number = List::kLiveParticipantsFieldNumber;
      break;
    case v1::GetParticipantRequest::PARTICIPANT_NOT_SET:
      return "";
  }
  return List::descriptor()->FindFieldByNumber(number)->name();
}

}  // namespace

absl::Status Authorization::CheckTarget(const v1::ListParticipantsRequest& request) const {
  const google::protobuf::FieldDescriptor* const kind =
      v1::ListParticipantsRequest::descriptor()->FindFieldByNumber(request.query_case());
  return CheckKindAndUpstream(kind->name(), request.upstream());
}

absl::Status Authorization::CheckTarget(const v1::GetParticipantRequest& request) const {
  return CheckKindAndUpstream(KindOf(request.participant_case()), request.upstream());
}

bool Authorization::MayUse(absl::string_view upstream) const {
  return rules_ == nullptr || rules_->MayUse(upstream);
}

absl::Status Authorization::CheckPersonalData(const v1::ListParticipantsRequest& request,
                                              const ParticipantApi& api) const {
  return CheckFields(api.PersonalFilter(request), request.read_mask(), api);
}

absl::Status Authorization::CheckPersonalData(const v1::GetParticipantRequest& request,
                                              const ParticipantApi& api) const {
  return CheckFields(api.PersonalFilter(request), request.read_mask(), api);
}

void Authorization::Restrict(FieldSelection& selection, const ParticipantApi& api) const {
  if (!MaySeePersonalData()) selection.LeaveOutPersonalData(api.record_schema().object);
}

absl::Status Authorization::CheckKindAndUpstream(absl::string_view kind,
                                                 absl::string_view upstream) const {
  if (rules_ == nullptr) return absl::OkStatus();
  if (!rules_->MayList(kind)) {
    return NotPermitted("list", absl::StrCat("this caller may not read ", kind));
  }
  if (!upstream.empty() && !MayUse(upstream)) {
    return NotPermitted("upstream", "upstream: is not one that this caller may use");
  }
  return absl::OkStatus();
}

absl::Status Authorization::CheckFields(absl::string_view filter,
                                        const google::protobuf::FieldMask& mask,
                                        const ParticipantApi& api) const {
  if (MaySeePersonalData()) return absl::OkStatus();
  if (!filter.empty()) {
    return NotPermitted(
        "filter",
        absl::StrCat(filter,
                     ": may be personal data; this caller may not filter or look up by it"));
  }
  for (const std::string& path : mask.paths()) {
    if (NamesPersonalData(path, api.record_schema().object)) {
      return NotPermitted("field", absl::StrCat("read_mask: \"", path,
                                                "\" is personal data, which this caller may not "
                                                "see"));
    }
  }
  return absl::OkStatus();
}

}  // namespace rollcall::service
