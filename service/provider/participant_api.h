// Everything specific to a provider: one class per API, each in a file of its own. To add an API,
// write such a file with its field table and list it in participant_api.cc. The objects are
// constant and shared by all threads.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/error/error.h"
#include "service/net/base_url.h"
#include "service/provider/account.h"
#include "service/record/record_schema.h"
#include "service/record/requested_ids.h"

namespace rollcall::service {

// The JSON keys of a page's records and of its link to the next page.
struct PageLayout {
  absl::string_view records_key;
  absl::string_view link_member;  // the member of the envelope that is the link, or contains it
  absl::string_view
      link_key;  // the link's name inside that member; empty if the member is the link
};

// One API of one provider: lists participants and gets one of them.
class ParticipantApi {
 public:
  using ListRequest = v1::ListParticipantsRequest;
  using GetRequest = v1::GetParticipantRequest;

  virtual ~ParticipantApi() = default;

  // Display name, for example in the output of --check-upstreams.
  virtual absl::string_view name() const = 0;

  // Whether the API serves upstreams of this type and this kind of request.
  virtual bool Serves(ProviderType provider, ListRequest::QueryCase query) const = 0;
  virtual bool Serves(ProviderType provider, GetRequest::ParticipantCase participant) const = 0;

  virtual const BaseUrl& base_url(const Account& account) const = 0;

  // Returns the path and query to request. If the request is invalid, adds its errors to
  // `violations`, and the result is unusable.
  virtual std::string ListTarget(const Account& account, const ListRequest& request,
                                 RequestViolations& violations) const = 0;
  virtual std::string GetTarget(const Account& account, const GetRequest& request,
                                RequestViolations& violations) const = 0;

  // The ids in the request that every record of the response repeats. The id of the conference or
  // room is first.
  virtual RequestedIds IdsOf(const ListRequest& request) const = 0;
  virtual RequestedIds IdsOf(const GetRequest& request) const = 0;

  // The path of a list with a well-formed id that does not exist. If the provider responds "not
  // found", the credentials are valid for lists.
  virtual std::string ProbeTarget(const Account& account) const = 0;

  // The name of the request field that filters or looks up by personal data; empty if there is
  // none. The response confirms the data even if the records do not contain it.
  virtual absl::string_view PersonalFilter(const ListRequest& /*request*/) const { return ""; }
  virtual absl::string_view PersonalFilter(const GetRequest& /*request*/) const { return ""; }

  virtual PageLayout page_layout() const = 0;
  virtual const RecordSchema& record_schema() const = 0;

  // Corrects a link to the next page so that it resolves against base_url(). Some providers' links
  // lack a path prefix.
  virtual std::string AdjustLink(std::string link) const { return link; }
};

// The API for a request; null if no API of the upstream's provider serves it.
const ParticipantApi* FindApi(ProviderType provider, v1::ListParticipantsRequest::QueryCase query);
const ParticipantApi* FindApi(ProviderType provider,
                              v1::GetParticipantRequest::ParticipantCase participant);

// All APIs of a provider that serve a list.
std::vector<const ParticipantApi*> ApisOf(ProviderType provider);

// Parses the link to the next page from the text of the layout's link member. Null and "" mean that
// there is no next page, and return "". A missing, duplicate or unreadable link is an
// UPSTREAM_MALFORMED_RESPONSE, because the page may be truncated or the wrong document.
absl::StatusOr<std::string> ReadNextLink(const PageLayout& layout, absl::string_view member);

// Whether `link` leads to another conference or room than the one requested, so that its page
// belongs to another list. `list` is the URL of one of the list's pages, and `container` is the
// first of the request's ids. Returns false for links of an unknown form.
bool LeadsToAnotherList(absl::string_view link, absl::string_view list,
                        const RequestedId& container);

const ParticipantApi& TwilioVoiceInsights();
const ParticipantApi& TwilioVideoInsights();
const ParticipantApi& TwilioCore();
const ParticipantApi& SignalWire();

}  // namespace rollcall::service
