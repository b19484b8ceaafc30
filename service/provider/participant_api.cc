#include "service/provider/participant_api.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "service/record/json_text.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

template <class Case>
const ParticipantApi* Find(ProviderType provider, Case request) {
  const std::array<const ParticipantApi*, 4> apis = {&TwilioVoiceInsights(), &TwilioVideoInsights(),
                                                     &TwilioCore(), &SignalWire()};
  for (const ParticipantApi* api : apis) {
    if (api->Serves(provider, request)) return api;
  }
  return nullptr;
}

// The parent of a list of participants: "Conferences" and the sid in
// ".../Conferences/CF.../Participants".
struct Container {
  absl::string_view kind;
  absl::string_view id;
};

std::optional<Container> FindContainer(absl::string_view url) {
  const std::vector<absl::string_view> segments = absl::StrSplit(url.substr(0, url.find('?')), '/');
  if (segments.size() < 3) return std::nullopt;
  const auto last = segments.rbegin();
  if (absl::StripSuffix(last[0], ".json") != "Participants") return std::nullopt;
  return Container{last[2], last[1]};
}

}  // namespace

const ParticipantApi* FindApi(ProviderType provider, v1::ListParticipantsRequest::QueryCase query) {
  return Find(provider, query);
}

const ParticipantApi* FindApi(ProviderType provider,
                              v1::GetParticipantRequest::ParticipantCase participant) {
  return Find(provider, participant);
}

std::vector<const ParticipantApi*> ApisOf(ProviderType provider) {
  using List = v1::ListParticipantsRequest;
  std::vector<const ParticipantApi*> apis;
  const auto* const queries = List::descriptor()->FindOneofByName("query");
  for (int i = 0; i < queries->field_count(); ++i) {
    const auto query = static_cast<List::QueryCase>(queries->field(i)->number());
    if (const ParticipantApi* api = FindApi(provider, query)) apis.push_back(api);
  }
  return apis;
}

absl::StatusOr<std::string> ReadNextLink(const PageLayout& layout, absl::string_view member) {
  const auto malformed = [&](absl::string_view what) {
    const absl::string_view dot = layout.link_key.empty() ? "" : ".";
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
        absl::StrCat("the provider's page ", what, " \"", layout.link_member, dot, layout.link_key,
                     "\", so it does not say whether the list is complete"));
  };
  int links = 0;
  // The parsed object keeps only one member of each name, so count them while parsing.
  const auto count_links = [&](int depth, json::parse_event_t event, const json& value) {
    if (depth == 1 && event == json::parse_event_t::key &&
        value.get_ref<const std::string&>() == layout.link_key) {
      ++links;
    }
    return true;
  };
  json link = json::parse(ReadableJson(member), count_links, false);
  if (!layout.link_key.empty()) {
    if (!link.is_object() || links == 0) return malformed("has no");
    if (links > 1) return malformed("has more than one");
    link = link.at(std::string(layout.link_key));
  }
  if (link.is_null()) return "";
  if (!link.is_string()) return malformed("has no readable");
  return link.get<std::string>();
}

bool LeadsToAnotherList(absl::string_view link, absl::string_view list,
                        const RequestedId& container) {
  const auto of_link = FindContainer(link);
  if (!of_link) return false;
  const auto of_list = FindContainer(list);
  return (of_list && of_link->kind != of_list->kind) || container.IsContradictedBy(of_link->id);
}

}  // namespace rollcall::service
