// Builds the request to a provider from a caller's request, and finds everything that is wrong with
// the latter before anything is sent upstream. What the caller may request is decided by
// Authorization (service/access). Any thread may call the functions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/access/policy.h"
#include "service/provider/account.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"
#include "service/record/requested_ids.h"
#include "service/resume/resume_token.h"
#include "service/secrets/current_secret.h"
#include "service/trace/trace_context.h"

namespace rollcall::service {

// How long calls may take.
struct DeadlineOptions {
  // For a call without a deadline.
  std::chrono::milliseconds otherwise = std::chrono::hours(1);
  // The longest that a call may ask for.
  std::chrono::milliseconds max = std::chrono::hours(24);
};

// What requests are checked against.
struct QueryOptions {
  // The accounts that requests can name. Never empty.
  std::vector<Account> accounts;
  // Seals resume tokens; if absent, the account's password does.
  std::optional<CurrentSecret> resume_key;
};

// When a call ends.
class Deadline {
 public:
  // A little before the caller's deadline, so that status and resume token still arrive. Without a
  // deadline, or with one too far away, as `options` say.
  Deadline(std::chrono::system_clock::time_point time, const DeadlineOptions& options);

  // Zero or less after the deadline.
  std::chrono::milliseconds TimeLeft(std::chrono::steady_clock::time_point now) const;

 private:
  std::chrono::steady_clock::time_point time_;
};

// Who makes a call, how long it may take, and the ids by which the logs of all sides name it.
struct CallContext {
  Deadline deadline;
  std::string caller;  // a name or an address
  TraceContext trace;
  // Null without a policy: everything is permitted.
  std::shared_ptr<const CallerRules> rules;
  // Concurrent calls of this caller.
  int max_calls;
};

// How a list is divided into messages.
struct MessageOptions {
  int max_participants = 1;
  size_t max_bytes = 0;  // of several participants; one alone may have more
  bool has_tokens = true;
};

// A list to walk. The account is one of QueryOptions.
struct ListQuery {
  const Account* account;
  const ParticipantApi* api;
  std::string url;                     // of the page to start with
  std::string first_url;               // of the list's first page; empty if unknown
  RequestedIds ids;                    // that records carry; first the conference's or room's
  std::optional<ListPosition> resume;  // where on that page, if not at its first record
  FieldSelection selection;
  int page_size;
  int64_t limit;  // 0 is none
  CallContext call;
};

// A valid request of a list: what to read, and how to write it to the caller.
struct CheckedList {
  ListQuery query;
  ResumeTokens tokens;  // of the messages
  MessageOptions messages;
};

// A participant to get.
struct GetQuery {
  const Account* account;
  const ParticipantApi* api;
  std::string url;
  RequestedIds ids;  // as in ListQuery
  FieldSelection selection;
  CallContext call;
};

// INVALID_ARGUMENT with everything that is wrong with the request, CALLER_NOT_PERMITTED if the
// caller may not make it, or RESUME_TOKEN_UNSUPPORTED.
absl::StatusOr<CheckedList> CheckRequest(const v1::ListParticipantsRequest& request,
                                         const QueryOptions& options, CallContext context);
absl::StatusOr<CheckedList> CheckRequest(const v1::ListParticipantBatchesRequest& request,
                                         const QueryOptions& options, CallContext context);
absl::StatusOr<GetQuery> CheckRequest(const v1::GetParticipantRequest& request,
                                      const QueryOptions& options, CallContext context);

}  // namespace rollcall::service
