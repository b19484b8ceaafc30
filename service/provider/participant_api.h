// What knows a provider: one class an API, each in a file of its own, and nothing about a provider
// elsewhere. To add one: write such a file with its field table, and name it in participant_api.cc.
// The objects are constant and shared by all threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/config/config.h"
#include "service/error/error.h"
#include "service/http/base_url.h"
#include "service/record/record_schema.h"
#include "service/record/requested_ids.h"

namespace rollcall {

// Where a page keeps its records and the link to the next page.
struct PageLayout {
  absl::string_view records_key;
  absl::string_view link_member;  // the member of the envelope that is the link, or holds it
  absl::string_view link_key;     // the link's name in there; empty where the member is the link
};

// One API of one provider: a list of participants and the way to get one of them.
class ParticipantApi {
 public:
  using ListRequest = v1::ListParticipantsRequest;
  using GetRequest = v1::GetParticipantRequest;

  virtual ~ParticipantApi() = default;

  // What people call it.
  virtual absl::string_view name() const = 0;

  // Whether the API serves an upstream of this type, and what the request asks for.
  virtual bool Serves(ProviderType provider, ListRequest::QueryCase query) const = 0;
  virtual bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const = 0;

  virtual const BaseUrl& base_url(const UpstreamConfig& upstream) const = 0;

  // The path and filters to ask for. What is wrong with the request is added to `violations`; the
  // result is then of no use.
  virtual std::string ListTarget(const UpstreamConfig& upstream, const ListRequest& request,
                                 RequestViolations& violations) const = 0;
  virtual std::string GetTarget(const UpstreamConfig& upstream, const GetRequest& request,
                                RequestViolations& violations) const = 0;

  // The ids in the request that the records of its response carry as well: of the conference or
  // room first.
  virtual RequestedIds IdsOf(const ListRequest& request) const = 0;
  virtual RequestedIds IdsOf(const GetRequest& request) const = 0;

  // The path of a list that there is none of, by an id that has the right form: whoever is told
  // that it does not exist may ask for those that do.
  virtual std::string ProbeTarget(const UpstreamConfig& upstream) const = 0;

  // The request's field that asks by what is or may be personal data, so that the answer tells of
  // it even where no record shows it. Empty where there is none.
  virtual absl::string_view PersonalFilter(const ListRequest& /*request*/) const { return ""; }
  virtual absl::string_view PersonalFilter(const GetRequest& /*request*/) const { return ""; }

  virtual PageLayout page_layout() const = 0;
  virtual const RecordSchema& record_schema() const = 0;

  // The link to the next page as it is to be resolved against base_url(): providers are not always
  // exact.
  virtual std::string AdjustLink(std::string link) const { return link; }
};

// The API for a request; null where no API of the upstream's provider serves it.
const ParticipantApi* FindApi(ProviderType provider, v1::ListParticipantsRequest::QueryCase query);
const ParticipantApi* FindApi(ProviderType provider,
                              v1::GetParticipantRequest::ParticipantCase participant);

// All APIs of a provider.
std::vector<const ParticipantApi*> ApisOf(ProviderType provider);

// Reads the link to the next page out of the text of the layout's link member. Null and "" both
// mean that there is no next page, and are "" here. A page that does not say so in one place is
// UPSTREAM_MALFORMED_RESPONSE: it cannot be told from one that was cut or is another document.
absl::StatusOr<std::string> ReadNextLink(const PageLayout& layout, absl::string_view member);

// Whether a link leads to the participants of another conference or room than `list`, the URL of
// one of the list's pages, and `container`, the first of the request's ids. A page with such a link
// belongs to another list. A link of another form says nothing.
bool LeadsToAnotherList(absl::string_view link, absl::string_view list,
                        const RequestedId& container);

// The APIs.
const ParticipantApi& TwilioVoiceInsights();
const ParticipantApi& TwilioVideoInsights();
const ParticipantApi& TwilioCore();
const ParticipantApi& SignalWire();

}  // namespace rollcall
