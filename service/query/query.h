// Requests that were checked: everything that can be wrong with a call is found here, before
// anything is sent upstream. Made by the RPC handlers, carried out by upstream/.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/access/policy.h"
#include "service/config/config.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"
#include "service/record/requested_ids.h"
#include "service/resume/resume_token.h"
#include "service/trace/trace_context.h"

namespace rollcall {

// When a call is to be over.
class Deadline {
 public:
  // A little before the caller stops waiting at `time`, so that it still hears how far the call has
  // come; and where it would wait for ever or too long, when the configuration says.
  Deadline(std::chrono::system_clock::time_point time, const DeadlineSettings& settings);

  // At `now`. Zero or less once the deadline has passed.
  std::chrono::milliseconds TimeLeft(std::chrono::steady_clock::time_point now) const;

 private:
  std::chrono::steady_clock::time_point time_;
};

// Who makes a call, how long it may take, and the ids by which it can be found.
struct CallContext {
  Deadline deadline;
  std::string caller;  // who makes it: a name or an address
  TraceContext trace;
  // What the caller may do. Null where there is no policy, and everybody may do everything.
  std::shared_ptr<const CallerRules> rules;
  // Calls of this caller's that may run at once.
  int max_calls;
};

// A list to walk. The upstream and the API outlive every query.
struct ListQuery {
  const UpstreamConfig* upstream;
  const ParticipantApi* api;
  std::string url;                     // of the page to begin with
  std::string first_url;               // of the list's first page; empty where unknown
  RequestedIds ids;                    // that records carry, of the conference or room first
  std::optional<ListPosition> resume;  // where on that page, if not at its first record
  ResumeTokens tokens;
  FieldSelection selection;
  int page_size;
  int64_t limit;  // 0 is none
  CallContext call;
};

// A participant to get.
struct GetQuery {
  const UpstreamConfig* upstream;
  const ParticipantApi* api;
  std::string url;
  RequestedIds ids;  // as in ListQuery
  FieldSelection selection;
  CallContext call;
};

// INVALID_ARGUMENT, naming what is wrong, where the request cannot be carried out, and
// CALLER_NOT_PERMITTED where the caller may not ask for it.
absl::StatusOr<ListQuery> CheckRequest(const v1::ListParticipantsRequest& request,
                                       const Config& config, CallContext context);
absl::StatusOr<GetQuery> CheckRequest(const v1::GetParticipantRequest& request,
                                      const Config& config, CallContext context);

}  // namespace rollcall
