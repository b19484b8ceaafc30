// What one caller may request: upstreams, kinds of list, and personal data. Every decision about a
// request is made here; CallerRules are the policy that it is made by. Any thread may use one.
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/access/policy.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"

namespace rollcall::service {

class Authorization {
 public:
  // Without a policy `rules` is null, and everything is permitted. They must outlive this.
  explicit Authorization(const CallerRules* rules) : rules_(rules) {}

  // CALLER_NOT_PERMITTED if the caller may not read this kind of list, or use the upstream that the
  // request names. The error does not tell whether the upstream exists.
  absl::Status CheckTarget(const v1::ListParticipantsRequest& request) const;
  absl::Status CheckTarget(const v1::GetParticipantRequest& request) const;

  // Whether the caller may use the upstream of this name.
  bool MayUse(absl::string_view upstream) const;

  // CALLER_NOT_PERMITTED if the caller may not see personal data, and the request filters by it or
  // names it in its read mask.
  absl::Status CheckPersonalData(const v1::ListParticipantsRequest& request,
                                 const ParticipantApi& api) const;
  absl::Status CheckPersonalData(const v1::GetParticipantRequest& request,
                                 const ParticipantApi& api) const;

  // Removes the fields from the selection that the caller may not see.
  void Restrict(FieldSelection& selection, const ParticipantApi& api) const;

 private:
  bool MaySeePersonalData() const { return rules_ == nullptr || rules_->pii; }
  absl::Status CheckKindAndUpstream(absl::string_view kind, absl::string_view upstream) const;
  absl::Status CheckFields(absl::string_view filter, const google::protobuf::FieldMask& mask,
                           const ParticipantApi& api) const;

  const CallerRules* const rules_;
};

}  // namespace rollcall::service
