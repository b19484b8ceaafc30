// Fuzzes the redactor of recordings. The input's first line determines how the body, which is the
// rest, is cut into chunks.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "service/recording/redactor.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

// Too long to occur by chance, and not an id, which is replaced everywhere.
constexpr char kMark[] = "xyzzyplughquuxfrotzgnustoyoin";

// `cuts` gives the sizes of the chunks, repeatedly: '1' is one byte, 'A' is 17.
std::string Redact(const ParticipantApi& api, bool is_document, absl::string_view body,
                   absl::string_view cuts) {
  static const Fakes fakes(Fakes::Key{1});
  static const BaseUrl base = *BaseUrl::Parse("https://insights.twilio.com");
  static const Account upstream = {.name = "name",
                                   .provider = ProviderType::kTwilio,
                                   .account_sid = "AC0123456789abcdef0123456789abcdef",
                                   .username = "user",
                                   .password = CurrentSecret(Secret("password")),
                                   .api = base,
                                   .insights = base};
  TextRedactor text(fakes, api, upstream);
  Redactor redactor(text, api, is_document);
  std::string out;
  for (size_t i = 0; !body.empty(); ++i) {
    const size_t cut =
        cuts.empty() ? body.size() : static_cast<uint8_t>(cuts[i % cuts.size()] - '0');
    const absl::string_view chunk = body.substr(0, std::max<size_t>(cut, 1));
    redactor.Append(chunk, out);
    body.remove_prefix(chunk.size());
  }
  redactor.Finish(out);
  return out;
}

// The sequence of a document's JSON events; false if it is not JSON.
bool Outline(absl::string_view text, std::string& outline) {
  const json document = json::parse(
      text.begin(), text.end(),
      [&](int depth, json::parse_event_t event, const json& value) {
        const bool is_value = event == json::parse_event_t::value;
        absl::StrAppend(&outline, depth, ":", static_cast<int>(event), ":",
                        is_value ? value.type_name() : "",
                        is_value && value.is_boolean() ? value.dump() : "", " ");
        return true;
      },
      false);
  return !document.is_discarded();
}

bool HasExponent(absl::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == 'e' || text[i] == 'E') && text[i - 1] >= '0' && text[i - 1] <= '9') return true;
  }
  return false;
}

// A mark in a personal field must not appear in the output, whatever surrounds it.
void CheckMarks(const ParticipantApi& api, absl::string_view cuts, absl::string_view input) {
  std::string around(input);
  around.erase(
      std::remove_if(around.begin(), around.end(), [](char c) { return c == '"' || c == '\\'; }),
      around.end());
  const size_t half = around.size() / 2;
  const std::string marked =
      absl::StrCat("\"", around.substr(0, half), kMark, around.substr(half), "\"");
  for (const char* name : {"label", "nickname"}) {
    const std::string page = absl::StrCat("{\"participants\": [{\"", name, "\": ", marked,
                                          "}, {\"nickname\": {", marked, ": [", marked, "]}}]}");
    Require(!absl::StrContains(Redact(api, true, page, cuts), kMark),
            "pages reveal no personal data");
  }
  const std::string error = absl::StrCat("{\"message\": ", marked, "}");
  Require(!absl::StrContains(Redact(api, false, error, cuts), kMark),
          "errors reveal no personal data");
  const std::string link =
      absl::StrCat("{\"next_page_uri\": \"https://insights.twilio.com/", marked.substr(1), "}");
  Require(!absl::StrContains(Redact(api, true, link, cuts), kMark),
          "links reveal no personal data");
}

void Fuzz(absl::string_view input) {
  const size_t line_end = std::min(input.find('\n'), input.size());
  const absl::string_view cuts = input.substr(0, line_end);
  const absl::string_view body = input.substr(std::min(line_end + 1, input.size()));
  const ParticipantApi* const apis[] = {&TwilioVoiceInsights(), &TwilioVideoInsights(),
                                        &SignalWire(), &TwilioCore()};
  const ParticipantApi& api = *apis[body.size() % std::size(apis)];
  for (const bool is_document : {true, false}) {
    const std::string whole = Redact(api, is_document, body, "");
    Require(whole == Redact(api, is_document, body, cuts), "chunks do not change the replacements");
    std::string before;
    std::string after;
    // A replaced number may get an exponent outside the range of double.
    if (!Outline(body, before) || HasExponent(body)) continue;
    Require(Outline(whole, after), "a document stays JSON");
    Require(before == after, "a document keeps its outline");
  }
  CheckMarks(api, cuts, body);
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
