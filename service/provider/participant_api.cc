#include "service/provider/participant_api.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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

// Finds the link in the text of the link member as it is parsed. A parsed value would take thirty
// times the text, and nlohmann's parser with a callback takes quadratic time.
class LinkFinder final : public nlohmann::json_sax<json> {
 public:
  // The link has this name in the member's object; empty if it is the member itself.
  explicit LinkFinder(absl::string_view name) : name_(name), is_link_(name.empty()) {}

  bool is_object() const { return is_object_; }
  int links() const { return links_; }
  // Nullopt unless the last link is null, which is "", or a string.
  const std::optional<std::string>& link() const { return link_; }

  bool null() override { return OnValue(""); }
  bool boolean(bool) override { return OnValue(std::nullopt); }
  bool number_integer(number_integer_t) override { return OnValue(std::nullopt); }
  bool number_unsigned(number_unsigned_t) override { return OnValue(std::nullopt); }
  bool number_float(number_float_t, const string_t&) override { return OnValue(std::nullopt); }
  bool string(string_t& value) override { return OnValue(value); }
  bool binary(binary_t&) override { return OnValue(std::nullopt); }
  bool start_object(std::size_t) override {
    is_object_ |= depth_ == 0;
    return OnStart();
  }
  bool start_array(std::size_t) override { return OnStart(); }
  bool end_object() override { return OnEnd(); }
  bool end_array() override { return OnEnd(); }
  bool key(string_t& name) override {
    is_link_ = depth_ == 1 && !name_.empty() && name == name_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool OnValue(std::optional<std::string> value) {
    if (std::exchange(is_link_, false)) {
      ++links_;
      link_ = std::move(value);
    }
    return true;
  }
  bool OnStart() {
    ++depth_;
    return OnValue(std::nullopt);
  }
  bool OnEnd() {
    --depth_;
    return true;
  }

  const std::string name_;
  bool is_link_;  // whether the next value is the link
  int depth_ = 0;
  bool is_object_ = false;
  int links_ = 0;
  std::optional<std::string> link_;
};

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
  LinkFinder finder(layout.link_key);
  const bool is_json = json::sax_parse(ReadableJson(member), &finder);
  if (!layout.link_key.empty()) {
    if (!is_json || !finder.is_object() || finder.links() == 0) return malformed("has no");
    if (finder.links() > 1) return malformed("has more than one");
  }
  if (!is_json || !finder.link()) return malformed("has no readable");
  return *finder.link();
}

bool LeadsToAnotherList(absl::string_view link, absl::string_view list,
                        const RequestedId& container) {
  const auto of_link = FindContainer(link);
  if (!of_link) return false;
  const auto of_list = FindContainer(list);
  return (of_list && of_link->kind != of_list->kind) || container.IsContradictedBy(of_link->id);
}

}  // namespace rollcall::service
