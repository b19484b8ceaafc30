// Requests that were checked: everything that can be wrong with a call is found here, before
// anything is sent upstream. Made by the RPC handlers, carried out by upstream/.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/config/config.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"

namespace rollcall {

// A list to walk. The upstream and the API outlive every query.
struct ListQuery {
  const UpstreamConfig* upstream;
  const ParticipantApi* api;
  std::string url;  // of the first page
  FieldSelection selection;
  int64_t limit;  // 0 is none
};

// A participant to get.
struct GetQuery {
  const UpstreamConfig* upstream;
  const ParticipantApi* api;
  std::string url;
  FieldSelection selection;
};

// INVALID_ARGUMENT, naming every field that is wrong, where the request cannot be carried out.
absl::StatusOr<ListQuery> CheckRequest(const v1::ListParticipantsRequest& request,
                                       const Config& config);
absl::StatusOr<GetQuery> CheckRequest(const v1::GetParticipantRequest& request,
                                      const Config& config);

}  // namespace rollcall
