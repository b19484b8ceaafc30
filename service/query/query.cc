#include "service/query/query.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "service/access/authorization.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

using std::chrono::milliseconds;

// The longest time before its caller's deadline that a call ends.
constexpr milliseconds kMaxNotice{100};

// The same for all providers.
constexpr int kMaxPageSize = 1000;
constexpr int kDefaultPageSize = 50;

// The longest path with query, and the longest page token. Servers refuse longer URLs, and a resume
// token must hold it.
constexpr size_t kMaxTarget = size_t{4} << 10;

constexpr int kDefaultBatchSize = 100;
constexpr int kMaxBatchSize = ResumeTokens::kMaxBatch;
// Reached only if `limits.send_queue_bytes` is large. gRPC's clients reject messages over 4 MiB.
constexpr size_t kMaxBatchBytes = size_t{1} << 20;

// The account and the API that serve a request.
struct Target {
  const Account* account = nullptr;
  const ParticipantApi* api = nullptr;
};

std::string Quoted(const std::vector<std::string>& names) {
  return absl::StrCat("\"", absl::StrJoin(names, "\", \""), "\"");
}

// Null, with violations, if there is none or more than one. Upstreams that the caller may not use
// are treated as if they were not configured.
template <class Case>
Target FindTarget(const std::string& name, Case wanted, const QueryOptions& options,
                  const Authorization& authorization, RequestViolations& violations) {
  std::vector<Target> serving;
  std::vector<std::string> serving_names;
  const Account* named = nullptr;
  for (const Account& account : options.accounts) {
    if (!name.empty() && account.name != name) continue;
    if (!authorization.MayUse(account.name)) continue;
    named = &account;
    if (const ParticipantApi* api = FindApi(account.provider, wanted)) {
      serving.push_back({&account, api});
      serving_names.push_back(account.name);
    }
  }
  if (serving.size() == 1) return serving.front();
  if (serving.size() > 1) {
    violations.Add("upstream", absl::StrCat("is required, because more than one serves this: ",
                                            Quoted(serving_names)));
  } else if (name.empty()) {
    violations.Add("upstream", "none is configured that serves this kind of participant");
  } else if (named != nullptr) {
    violations.Add("upstream", "does not serve this kind of participant");
  } else {
    violations.Add("upstream",
                   "is not configured; leave it empty or ask the operator for its name");
  }
  return {};
}

FieldSelection Select(const google::protobuf::FieldMask& mask, const ParticipantApi& api,
                      const Authorization& authorization, RequestViolations& violations) {
  std::vector<std::string> unknown;
  FieldSelection selection = FieldSelection::FromMask(mask, api.record_schema().object, unknown);
  for (const std::string& path : unknown) {
    violations.Add("read_mask", absl::StrCat("the record has no field \"", path, "\""));
  }
  authorization.Restrict(selection, api);
  return selection;
}

// `asked` is the number of the request's field that the target was built from.
void CheckLength(absl::string_view target, const google::protobuf::Message& request, int asked,
                 RequestViolations& violations) {
  if (target.size() <= kMaxTarget) return;
  violations.Add(request.GetDescriptor()->FindFieldByNumber(asked)->name(),
                 "is too long for a request to the provider");
}

int PageSizeOf(const v1::ListParticipantsRequest& request, const Account& account,
               RequestViolations& violations) {
  if (request.page_size() < 0) violations.Add("page_size", "must not be negative");
  const int wanted =
      request.page_size() == 0 ? account.options.default_page_size : request.page_size();
  // A small limit needs no large page. But a resumed list keeps its page size, so do not go below
  // the providers' own default.
  const int64_t useful =
      request.limit() > 0 && request.limit() < wanted
          ? std::min<int64_t>(wanted, std::max<int64_t>(request.limit(), kDefaultPageSize))
          : wanted;
  return static_cast<int>(std::min<int64_t>(useful, kMaxPageSize));
}

void AppendProviderPage(std::string& target, const v1::ProviderPage& page,
                        RequestViolations& violations) {
  if (page.page() < 0) violations.Add("provider_page.page", "must not be negative");
  if (page.page() > 0 && page.page_token().empty()) {
    violations.Add("provider_page.page_token",
                   "is required if page is over 0: providers refuse a page without it");
  }
  if (page.page_token().size() > kMaxTarget) {
    violations.Add("provider_page.page_token", "is too long for a request to the provider");
  }
  AppendQuery(target, "Page", absl::StrCat(page.page()));
  if (!page.page_token().empty()) AppendQuery(target, "PageToken", page.page_token());
}

// Adds what is wrong with `request` to `violations`, which may have some already.
absl::StatusOr<CheckedList> CheckList(const v1::ListParticipantsRequest& request,
                                      const QueryOptions& options, CallContext context,
                                      RequestViolations violations) {
  if (request.limit() < 0) violations.Add("limit", "must not be negative");
  if (request.query_case() == v1::ListParticipantsRequest::QUERY_NOT_SET) {
    violations.Add(
        "query",
        "is required: one of conference_participant_summaries, room_participant_summaries, "
        "live_participants");
    return violations.ToStatus();
  }
  const Authorization authorization(context.rules.get());
  if (absl::Status status = authorization.CheckTarget(request); !status.ok()) return status;
  const Target target =
      FindTarget(request.upstream(), request.query_case(), options, authorization, violations);
  if (target.api == nullptr) return violations.ToStatus();
  if (absl::Status status = authorization.CheckPersonalData(request, *target.api); !status.ok()) {
    return status;
  }

  const Account& account = *target.account;
  std::string path = target.api->ListTarget(account, request, violations);
  CheckLength(path, request, request.query_case(), violations);
  const int page_size = PageSizeOf(request, account, violations);
  FieldSelection selection = Select(request.read_mask(), *target.api, authorization, violations);

  // Bound to the list, without page size and read mask: these may differ when it is resumed.
  ResumeTokens tokens(options.resume_key.value_or(account.password),
                      absl::StrCat(account.name, "\n", path));
  AppendQuery(path, "PageSize", absl::StrCat(page_size));
  std::string first = path;
  std::optional<ListPosition> resume;
  if (!request.resume_token().empty()) {
    resume = tokens.Open(request.resume_token());
    if (resume) {
      path = resume->page;
    } else if (ResumeTokens::HasUnsupportedVersion(request.resume_token())) {
      // To call again is no use if something else is wrong.
      if (absl::Status status = violations.ToStatus(); !status.ok()) return status;
      return MakeError(v1::ERROR_REASON_RESUME_TOKEN_UNSUPPORTED,
                       "another version of the service issued the resume token; call again on "
                       "another replica, or restart the list");
    } else {
      violations.Add("resume_token", "is not one of this list");
    }
  } else if (request.has_provider_page()) {
    AppendProviderPage(path, request.provider_page(), violations);
    first.clear();
  }
  if (absl::Status status = violations.ToStatus(); !status.ok()) return status;
  const BaseUrl& base = target.api->base_url(account);
  return CheckedList{.query = {.account = target.account,
                               .api = target.api,
                               .url = base.Join(path),
                               .first_url = first.empty() ? "" : base.Join(first),
                               .ids = target.api->IdsOf(request),
                               .resume = std::move(resume),
                               .selection = std::move(selection),
                               .page_size = page_size,
                               .limit = request.limit(),
                               .call = std::move(context)},
                     .tokens = std::move(tokens),
                     .messages = {.has_tokens = !request.omit_resume_tokens()}};
}

}  // namespace

Deadline::Deadline(std::chrono::system_clock::time_point time, const DeadlineOptions& options) {
  // gRPC has the deadline on the system clock. "Never" must not overflow.
  milliseconds left = options.otherwise;
  if (time != std::chrono::system_clock::time_point::max()) {
    left = std::chrono::duration_cast<milliseconds>(time - std::chrono::system_clock::now());
    left = std::min(left - std::min(left / 20, kMaxNotice), options.max);
  }
  time_ = std::chrono::steady_clock::now() + left;
}

milliseconds Deadline::TimeLeft(std::chrono::steady_clock::time_point now) const {
  return std::chrono::duration_cast<milliseconds>(time_ - now);
}

absl::StatusOr<CheckedList> CheckRequest(const v1::ListParticipantsRequest& request,
                                         const QueryOptions& options, CallContext context) {
  return CheckList(request, options, std::move(context), RequestViolations());
}

absl::StatusOr<CheckedList> CheckRequest(const v1::ListParticipantBatchesRequest& request,
                                         const QueryOptions& options, CallContext context) {
  RequestViolations violations;
  const int wanted = request.max_batch_size();
  if (wanted < 0) violations.Add("max_batch_size", "must not be negative");
  violations.Enter("list");
  auto list = CheckList(request.list(), options, std::move(context), std::move(violations));
  if (!list.ok()) return list.status();
  list->messages.max_participants =
      wanted == 0 ? kDefaultBatchSize : std::min(wanted, kMaxBatchSize);
  list->messages.max_bytes = kMaxBatchBytes;
  return list;
}

absl::StatusOr<GetQuery> CheckRequest(const v1::GetParticipantRequest& request,
                                      const QueryOptions& options, CallContext context) {
  RequestViolations violations;
  if (request.participant_case() == v1::GetParticipantRequest::PARTICIPANT_NOT_SET) {
    violations.Add("participant",
                   "is required: one of conference_participant_summary, room_participant_summary, "
                   "live_participant");
    return violations.ToStatus();
  }
  const Authorization authorization(context.rules.get());
  if (absl::Status status = authorization.CheckTarget(request); !status.ok()) return status;
  const Target target = FindTarget(request.upstream(), request.participant_case(), options,
                                   authorization, violations);
  if (target.api == nullptr) return violations.ToStatus();
  if (absl::Status status = authorization.CheckPersonalData(request, *target.api); !status.ok()) {
    return status;
  }

  const std::string path = target.api->GetTarget(*target.account, request, violations);
  CheckLength(path, request, request.participant_case(), violations);
  FieldSelection selection = Select(request.read_mask(), *target.api, authorization, violations);
  if (absl::Status status = violations.ToStatus(); !status.ok()) return status;
  return GetQuery{.account = target.account,
                  .api = target.api,
                  .url = target.api->base_url(*target.account).Join(path),
                  .ids = target.api->IdsOf(request),
                  .selection = std::move(selection),
                  .call = std::move(context)};
}

}  // namespace rollcall::service
