#include "service/provider/participant_api.h"

#include <array>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace rollcall {
namespace {

template <class Case>
const ParticipantApi* Find(ProviderType provider, Case request) {
  const std::array<const ParticipantApi*, 4> apis = {&TwilioVoiceInsights(), &TwilioVideoInsights(),
                                                     &TwilioCore(), &SignalWire()};
  for (const ParticipantApi* api : apis) {
    if (api->Serves(provider, request)) return api;
  }
  return nullptr;
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

absl::StatusOr<std::optional<std::string>> ReadNextLink(const PageLayout& layout,
                                                        absl::string_view member) {
  nlohmann::json link = nlohmann::json::parse(member.begin(), member.end(), nullptr, false);
  if (!layout.link_key.empty()) {
    if (link.is_object()) {
      link = link.value(std::string(layout.link_key), nlohmann::json());
    } else {
      link = nlohmann::json::object();  // no place for a link
    }
  }
  if (link.is_null()) return std::nullopt;
  if (!link.is_string()) {
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
        absl::StrCat("the provider's page has no readable \"", layout.link_member, "\""));
  }
  std::string text = link.get<std::string>();
  if (text.empty()) return std::nullopt;
  return text;
}

}  // namespace rollcall
