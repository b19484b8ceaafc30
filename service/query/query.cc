#include "service/query/query.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall {
namespace {

constexpr int kMaxPageSize = 1000;  // every provider's

// The upstream and the API that serve `wanted`, which is the case of the request's oneof.
struct Target {
  const UpstreamConfig* upstream = nullptr;
  const ParticipantApi* api = nullptr;
};

std::string Quoted(const std::vector<std::string>& names) {
  return absl::StrCat("\"", absl::StrJoin(names, "\", \""), "\"");
}

// Null, with violations, where there is none or more than one.
template <class Case>
Target FindTarget(const std::string& name, Case wanted, const Config& config,
                  RequestViolations& violations) {
  std::vector<Target> serving;
  std::vector<std::string> serving_names;
  const UpstreamConfig* named = nullptr;
  for (const UpstreamConfig& upstream : config.upstreams) {
    if (!name.empty() && upstream.name != name) continue;
    named = &upstream;
    if (const ParticipantApi* api = FindApi(upstream.provider, wanted)) {
      serving.push_back({&upstream, api});
      serving_names.push_back(upstream.name);
    }
  }
  if (serving.size() == 1) return serving.front();
  if (serving.size() > 1) {
    violations.Add("upstream", absl::StrCat("is required, since more than one serves this: ",
                                            Quoted(serving_names)));
  } else if (name.empty()) {
    violations.Add("upstream", "none is configured that serves this kind of list");
  } else if (named != nullptr) {
    violations.Add("upstream", "does not serve this kind of list");
  } else {
    violations.Add("upstream",
                   "is not configured; leave it empty or ask the operator for its name");
  }
  return {};
}

FieldSelection Select(const google::protobuf::FieldMask& mask, const ParticipantApi& api,
                      RequestViolations& violations) {
  std::vector<std::string> unknown;
  FieldSelection selection = FieldSelection::FromMask(mask, api.record_schema().object, unknown);
  for (const std::string& path : unknown) {
    violations.Add("read_mask", absl::StrCat("the record has no field \"", path, "\""));
  }
  return selection;
}

void AppendPage(std::string& target, const v1::ListParticipantsRequest& request,
                const UpstreamConfig& upstream, RequestViolations& violations) {
  if (request.page_size() < 0) violations.Add("page_size", "must not be negative");
  const int page_size = request.page_size() == 0 ? upstream.default_page_size : request.page_size();
  // A list that is shorter than a page needs no more than it.
  const int64_t useful =
      request.limit() > 0 ? std::min<int64_t>(page_size, request.limit()) : page_size;
  AppendQuery(target, "PageSize", absl::StrCat(std::min<int64_t>(useful, kMaxPageSize)));
  if (request.has_provider_page()) {
    const v1::ProviderPage& page = request.provider_page();
    if (page.page() < 0) violations.Add("provider_page.page", "must not be negative");
    if (page.page() > 0 && page.page_token().empty()) {
      violations.Add("provider_page.page_token",
                     "is required where page is over 0: providers refuse a page without it");
    }
    AppendQuery(target, "Page", absl::StrCat(page.page()));
    if (!page.page_token().empty()) AppendQuery(target, "PageToken", page.page_token());
  }
}

}  // namespace

absl::StatusOr<ListQuery> CheckRequest(const v1::ListParticipantsRequest& request,
                                       const Config& config) {
  RequestViolations violations;
  if (request.limit() < 0) violations.Add("limit", "must not be negative");
  if (request.has_resume_token()) {
    violations.Add("resume_token", "is not one that this service has given out");
  }
  if (request.query_case() == v1::ListParticipantsRequest::QUERY_NOT_SET) {
    violations.Add("query",
                   "is required: one of conference_summaries, room_participants, "
                   "live_participants");
    return violations.ToStatus();
  }
  const Target target = FindTarget(request.upstream(), request.query_case(), config, violations);
  if (target.api == nullptr) return violations.ToStatus();

  std::string path = target.api->ListTarget(*target.upstream, request, violations);
  AppendPage(path, request, *target.upstream, violations);
  FieldSelection selection = Select(request.read_mask(), *target.api, violations);
  if (absl::Status status = violations.ToStatus(); !status.ok()) return status;
  return ListQuery{target.upstream, target.api, target.api->base_url(*target.upstream).Join(path),
                   std::move(selection), request.limit()};
}

absl::StatusOr<GetQuery> CheckRequest(const v1::GetParticipantRequest& request,
                                      const Config& config) {
  RequestViolations violations;
  if (request.participant_case() == v1::GetParticipantRequest::PARTICIPANT_NOT_SET) {
    violations.Add("participant",
                   "is required: one of conference_summary, room_participant, live_participant");
    return violations.ToStatus();
  }
  const Target target =
      FindTarget(request.upstream(), request.participant_case(), config, violations);
  if (target.api == nullptr) return violations.ToStatus();

  const std::string path = target.api->GetTarget(*target.upstream, request, violations);
  FieldSelection selection = Select(request.read_mask(), *target.api, violations);
  if (absl::Status status = violations.ToStatus(); !status.ok()) return status;
  return GetQuery{target.upstream, target.api, target.api->base_url(*target.upstream).Join(path),
                  std::move(selection)};
}

}  // namespace rollcall
