#include "tests/simulator/provider_apis.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"
#include "tests/simulator/seeds.h"

namespace rollcall::simulator {
namespace {

constexpr int64_t kDefaultPageSize = 50;
constexpr int64_t kMaxPageSize = 1000;

bool IsInsights(Api api) { return api == Api::kVoiceInsights || api == Api::kVideoInsights; }

std::string PercentDecode(absl::string_view text, bool plus_is_space) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const char* const digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(digits, digits + 2, byte, 16).ptr == digits + 2) {
      out += static_cast<char>(byte);
      i += 2;
    } else {
      out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

std::string PercentEncode(absl::string_view text) {
  std::string out;
  for (const char c : text) {
    if (absl::ascii_isalnum(c) || absl::StrContains("-._~", absl::string_view(&c, 1))) {
      out += c;
    } else {
      absl::StrAppendFormat(&out, "%%%02X", static_cast<unsigned char>(c));
    }
  }
  return out;
}

// FNV-1a. Page tokens only need to detect changes; they need not be secret.
uint64_t Fingerprint(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return hash;
}

bool IsSid(absl::string_view prefix, absl::string_view sid) {
  return sid.size() == prefix.size() + 32 && absl::ConsumePrefix(&sid, prefix) &&
         std::all_of(sid.begin(), sid.end(), [](char c) { return absl::ascii_isxdigit(c); });
}

Answer Json(int status, std::string body) {
  return Answer{status, {{"Content-Type", "application/json; charset=utf-8"}}, std::move(body)};
}

Answer Xml(int status, absl::string_view content) {
  return Answer{status,
                {{"Content-Type", "application/xml"}},
                absl::StrCat("<?xml version='1.0' encoding='UTF-8'?>\n<TwilioResponse>", content,
                             "</TwilioResponse>")};
}

// A list of participants from any source. The functions take an index below `size`.
struct Source {
  int64_t size = 0;
  std::function<bool(int64_t, const Filter&)> matches;
  std::function<void(int64_t, std::string*)> append;
};

// A published example: the whole document, and the text of each of its records.
struct Seed {
  explicit Seed(absl::string_view whole) : document(whole) {
    const nlohmann::json parsed = nlohmann::json::parse(std::string(whole));
    const auto& participants = parsed.at("participants");
    // Strings in the examples contain no braces, so nesting depth alone delimits the records.
    size_t begin = 0;
    int depth = 0;
    for (size_t i = whole.find("\"participants\": ["); i < whole.size(); ++i) {
      if (whole[i] == '{' && depth++ == 0) {
        begin = i;
      } else if (whole[i] == '}' && --depth == 0) {
        const nlohmann::json& fields = participants.at(records.size());
        records.push_back({whole.substr(begin, i + 1 - begin), fields});
        if (records.size() == participants.size()) {
          break;
        }
      }
    }
  }

  struct Record {
    absl::string_view text;
    nlohmann::json fields;
  };

  absl::string_view document;
  std::vector<Record> records;
};

bool Matches(const nlohmann::json& fields, const Filter& filter) {
  const auto is = [&fields](const char* name, const auto& wanted) {
    return !wanted || (fields.contains(name) && fields[name] == *wanted);
  };
  return is("participant_sid", filter.participant_sid) && is("label", filter.label) &&
         is("muted", filter.muted) && is("hold", filter.hold) && is("coaching", filter.coaching) &&
         (!filter.event || (fields.contains("events") && fields["events"].is_object() &&
                            fields["events"].contains(*filter.event)));
}

// The example served for this sid; nullptr for any other sid.
const Seed* FindSeed(Api api, absl::string_view list_sid) {
  static const Seed kVoice(kVoiceInsightsSeed);
  static const Seed kVideo(kVideoInsightsSeed);
  static const Seed kEmptyVideo(kVideoInsightsEmptySeed);
  static const Seed kSignalWire(kSignalWireSeed);
  if (api == Api::kVoiceInsights && list_sid == kSeedConferenceSid) return &kVoice;
  if (api == Api::kVideoInsights && list_sid == kSeedRoomSid) return &kVideo;
  if (api == Api::kVideoInsights && list_sid == kSeedEmptyRoomSid) return &kEmptyVideo;
  if (api == Api::kSignalWire && list_sid == kSeedSignalWireConferenceSid) return &kSignalWire;
  return nullptr;
}

Source SourceOf(const Seed* seed) {
  return Source{
      static_cast<int64_t>(seed->records.size()),
      [seed](int64_t i, const Filter& filter) { return Matches(seed->records[i].fields, filter); },
      [seed](int64_t i, std::string* out) {
        const absl::string_view text = seed->records[i].text;
        out->append(text.data(), text.size());
      }};
}

Source SourceOf(const List& list) {
  return Source{
      list.size,
      [list](int64_t i, const Filter& filter) { return Matches(list, i, filter); },
      [list](int64_t i, std::string* out) { AppendParticipantJson(list, i, out); },
  };
}

// Up to `limit` matching indices from `begin` on, and the index after the last of them.
std::vector<int64_t> Take(const Source& source, const Filter& filter, int64_t begin, int64_t limit,
                          int64_t* end) {
  std::vector<int64_t> taken;
  int64_t i = begin;
  for (; i < source.size && static_cast<int64_t>(taken.size()) < limit; ++i) {
    if (filter.empty() || source.matches(i, filter)) {
      taken.push_back(i);
    }
  }
  // Advance to the next match: without one, this is the last page.
  while (i < source.size && !filter.empty() && !source.matches(i, filter)) {
    ++i;
  }
  *end = i;
  return taken;
}

// Start of the page before the one at `begin`.
int64_t Before(const Source& source, const Filter& filter, int64_t begin, int64_t limit) {
  int64_t i = begin;
  for (int64_t found = 0; i > 0 && found < limit;) {
    --i;
    found += filter.empty() || source.matches(i, filter) ? 1 : 0;
  }
  return i;
}

void AppendRecords(const Source& source, const std::vector<int64_t>& taken, std::string* out) {
  absl::StrAppend(out, "\"participants\": [");
  for (size_t i = 0; i < taken.size(); ++i) {
    out->append(i == 0 ? "" : ", ");
    source.append(taken[i], out);
  }
  out->push_back(']');
}

// A link as a JSON value: a string that needs no escapes, or null.
std::string Quoted(const std::optional<std::string>& link) {
  return link ? absl::StrCat("\"", *link, "\"") : "null";
}

}  // namespace

// A request whose path is a known route.
struct ProviderApis::Request {
  Api api = Api::kVoiceInsights;
  // As sent, because links repeat it.
  std::string path;
  std::string origin;
  // Empty for the Insights APIs, whose paths have no account.
  std::string account_sid;
  std::string list_sid;
  // Set if the request is for one participant.
  std::optional<std::string> participant;
  bool xml = false;
  std::vector<std::pair<std::string, std::string>> query;

  std::optional<std::string> Query(absl::string_view name) const {
    for (const auto& [key, value] : query) {
      if (key == name) return value;
    }
    return std::nullopt;
  }

  Answer Error(int status, int code, absl::string_view message) const {
    const std::string more_info = absl::StrCat(
        api == Api::kSignalWire ? "https://developer.signalwire.com/compatibility-api/errors/"
                                : "https://www.twilio.com/docs/errors/",
        code);
    if (xml) {
      return Xml(status,
                 absl::StrFormat("<RestException><Code>%d</Code><Message>%s</Message><MoreInfo>%s"
                                 "</MoreInfo><Status>%d</Status></RestException>",
                                 code, message, more_info, status));
    }
    if (api == Api::kSignalWire && status == 401) {
      // SignalWire's other error format, with the code as text.
      return Json(status,
                  absl::StrFormat(R"({"errors":[{"code":"%d","message":"%s"}]})", code, message));
    }
    return Json(status,
                absl::StrFormat(R"({"code":%d,"message":"%s","more_info":"%s","status":%d})", code,
                                message, more_info, status));
  }

  Answer NotFound() const { return Error(404, 20404, "The requested resource was not found"); }

  Answer BadQuery(absl::string_view message) const {
    return Error(400, api == Api::kSignalWire ? 54453 : 20001, message);
  }

  // The filters as links carry them: "Label=client&", or empty.
  std::string filters_in_link;
  Filter filter;

  // False, with `error` set, if the value of a filter is invalid.
  bool ReadFilters(Answer* error) {
    const auto text = [this](const char* name, std::optional<std::string>* value) {
      *value = Query(name);
      if (*value) absl::StrAppend(&filters_in_link, name, "=", PercentEncode(**value), "&");
    };
    bool valid = true;
    const auto truth = [&, this](const char* name, std::optional<bool>* value) {
      const std::optional<std::string> given = Query(name);
      if (!given) return;
      bool parsed;
      if (!absl::SimpleAtob(*given, &parsed)) {
        *error = BadQuery(absl::StrCat(name, " must be true or false"));
        valid = false;
        return;
      }
      *value = parsed;
      absl::StrAppend(&filters_in_link, name, "=", parsed ? "true" : "false", "&");
    };
    switch (api) {
      case Api::kVoiceInsights:
        text("ParticipantSid", &filter.participant_sid);
        text("Label", &filter.label);
        text("Events", &filter.event);
        break;
      case Api::kVideoInsights:
        break;
      case Api::kTwilioCore:
        truth("Coaching", &filter.coaching);
        [[fallthrough]];
      case Api::kSignalWire:
        truth("Muted", &filter.muted);
        truth("Hold", &filter.hold);
        break;
    }
    return valid;
  }

  // A token contains the start index of its page and a fingerprint of its list and filters. It is
  // valid for no other list.
  std::string Token(absl::string_view direction, int64_t begin) const {
    return absl::StrFormat("%s%016x%016x", direction, begin,
                           Fingerprint(absl::StrCat(list_sid, "?", filters_in_link, begin)));
  }

  std::optional<int64_t> ReadToken(const std::string& token) const {
    uint64_t begin;
    if (token.size() != 34 || !absl::SimpleHexAtoi(token.substr(2, 16), &begin) ||
        token != Token(token[1] == 'B' ? "PB" : "PA", static_cast<int64_t>(begin))) {
      return std::nullopt;
    }
    return static_cast<int64_t>(begin);
  }

  std::string Link(int64_t page, int64_t page_size, absl::string_view token) const {
    const std::string relative =
        absl::StrCat(path, "?", filters_in_link, "PageSize=", page_size, "&Page=", page,
                     token.empty() ? "" : "&PageToken=", token);
    return IsInsights(api) ? absl::StrCat(origin, relative) : relative;
  }
};

ProviderApis::ProviderApis(Accounts accounts) : accounts_(std::move(accounts)) {}

bool ProviderApis::Authorized(Api api, absl::string_view authorization) const {
  const bool signalwire = api == Api::kSignalWire;
  return authorization ==
         absl::StrCat(
             "Basic ",
             absl::Base64Escape(absl::StrCat(
                 signalwire ? accounts_.signalwire_project : accounts_.twilio_username, ":",
                 signalwire ? accounts_.signalwire_token : accounts_.twilio_password)));
}

Answer ProviderApis::Serve(absl::string_view method, absl::string_view target,
                           absl::string_view authorization, absl::string_view origin) const {
  Request request;
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(target, absl::MaxSplits('?', 1));
  request.path = std::string(parts.first);
  request.origin = std::string(origin);
  for (absl::string_view parameter : absl::StrSplit(parts.second, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    request.query.emplace_back(PercentDecode(pair.first, true), PercentDecode(pair.second, true));
  }

  std::vector<std::string> path;
  for (absl::string_view segment : absl::StrSplit(parts.first, '/')) {
    path.push_back(PercentDecode(segment, false));
  }
  const auto starts_with = [&path](std::initializer_list<absl::string_view> prefix) {
    if (path.size() < prefix.size() || !std::equal(prefix.begin(), prefix.end(), path.begin())) {
      return false;
    }
    path.erase(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(prefix.size()));
    return true;
  };
  bool has_account = false;
  if (starts_with({"", "v1", "Conferences"})) {
    request.api = Api::kVoiceInsights;
  } else if (starts_with({"", "v1", "Video", "Rooms"})) {
    request.api = Api::kVideoInsights;
  } else if (starts_with({"", "api", "laml", "2010-04-01", "Accounts"})) {
    request.api = Api::kSignalWire;
    has_account = true;
  } else if (starts_with({"", "2010-04-01", "Accounts"})) {
    request.api = Api::kTwilioCore;
    has_account = true;
  } else if (absl::StartsWith(request.path, "/api/laml")) {
    return Answer{404, {{"Content-Type", "text/html"}}, "<html><body>Not Found</body></html>"};
  } else {
    request.api = Api::kVoiceInsights;
    return request.NotFound();
  }

  if (path.empty()) {
    return request.NotFound();
  }
  const bool suffixed = !IsInsights(request.api) && absl::EndsWith(path.back(), ".json");
  if (suffixed) {
    path.back() = std::string(absl::StripSuffix(path.back(), ".json"));
  }
  request.xml = request.api == Api::kTwilioCore && !suffixed;

  if (!Authorized(request.api, authorization)) {
    Answer answer = request.Error(401, 20003, "Authenticate");
    answer.headers.emplace_back("WWW-Authenticate", request.api == Api::kSignalWire
                                                        ? "Basic realm=\"SignalWire\""
                                                        : "Basic realm=\"Twilio API\"");
    return answer;
  }
  if (method != "GET" && method != "HEAD") {
    return request.Error(405, 20004, "Method not allowed");
  }
  if (has_account) {
    request.account_sid = path.front();
    path.erase(path.begin());
    if (request.account_sid != (request.api == Api::kSignalWire ? accounts_.signalwire_project
                                                                : accounts_.twilio_account_sid) ||
        !starts_with({"Conferences"})) {
      return request.NotFound();
    }
  }
  if (path.size() < 2 || path.size() > 3 || path[1] != "Participants") {
    return request.NotFound();
  }
  request.list_sid = path[0];
  if (request.api == Api::kTwilioCore && !IsSid("CF", request.list_sid)) {
    return request.Error(405, 20004, "Method not allowed: malformed conference sid");
  }
  if (path.size() == 3) {
    request.participant = path[2];
    return ServeParticipant(request);
  }
  Answer error;
  return request.ReadFilters(&error) ? ServeList(request) : error;
}

Answer ProviderApis::ServeList(const Request& request) const {
  const Seed* seed = FindSeed(request.api, request.list_sid);
  const std::optional<int64_t> generated = ListSize(request.api, request.list_sid);
  if (seed == nullptr && !generated) {
    return request.NotFound();
  }

  int64_t page_size = kDefaultPageSize;
  if (const auto given = request.Query("PageSize");
      given &&
      (!absl::SimpleAtoi(*given, &page_size) || page_size < 1 || page_size > kMaxPageSize)) {
    return request.BadQuery("PageSize must be between 1 and 1000");
  }
  int64_t page = 0;
  if (const auto given = request.Query("Page");
      given && (!absl::SimpleAtoi(*given, &page) || page < 0)) {
    return request.BadQuery("Page must not be negative");
  }
  const std::optional<std::string> token = request.Query("PageToken");
  if (page > 0 && !token) {
    return request.BadQuery("PageToken is required if Page is not 0");
  }

  if (seed != nullptr && !request.Query("Page") && !token) {
    if (request.filter.empty()) {
      return Json(200, std::string(seed->document));
    }
    if (seed->document.data() == kVoiceInsightsSeed.data() && request.filter.label == "client" &&
        !request.filter.participant_sid && !request.filter.event) {
      return Json(200, std::string(kVoiceInsightsLabelClientSeed));
    }
  }

  const List list = request.account_sid.empty()
                        ? List(request.api, generated.value_or(0), accounts_.twilio_account_sid)
                        : List(request.api, generated.value_or(0), request.account_sid);
  const Source source = seed != nullptr ? SourceOf(seed) : SourceOf(list);
  int64_t begin = 0;
  if (token) {
    // SignalWire's example links to a second page that is not published. The simulator serves it
    // empty, as the last page.
    const bool seed_token = request.api == Api::kSignalWire && seed != nullptr;
    if (seed_token && *token == "PA1234") {
      return Json(200, std::string(seed->document));
    }
    const std::optional<int64_t> read =
        seed_token && *token == "PA5678" ? source.size : request.ReadToken(*token);
    if (!read || *read > source.size) {
      return request.BadQuery("PageToken is not valid");
    }
    begin = *read;
  }

  int64_t end;
  const std::vector<int64_t> taken = Take(source, request.filter, begin, page_size, &end);
  const std::string first = request.Link(0, page_size, "");
  const std::string self = token ? request.Link(page, page_size, *token) : first;
  std::optional<std::string> next;
  if (end < source.size) {
    next = request.Link(page + 1, page_size, request.Token("PA", end));
  }
  std::optional<std::string> previous;
  if (begin > 0 && page > 0) {
    previous = request.Link(page - 1, page_size,
                            request.Token("PB", Before(source, request.filter, begin, page_size)));
  }

  if (request.xml) {
    std::string records;
    for (const int64_t i : taken) {
      AppendParticipantXml(list, i, &records);
    }
    return Xml(200, absl::StrCat("<Participants page=\"", page, "\" pagesize=\"", page_size, "\">",
                                 records, "</Participants>"));
  }

  std::string body;
  body.reserve(1024 + taken.size() * (request.api == Api::kVoiceInsights ? 1600 : 900));
  switch (request.api) {
    case Api::kVoiceInsights:
    case Api::kVideoInsights:
      absl::StrAppend(&body, "{\"meta\": {\"page\": ", page, ", \"page_size\": ", page_size,
                      ", \"first_page_url\": ", Quoted(first),
                      ", \"previous_page_url\": ", Quoted(previous), ", \"url\": ", Quoted(self),
                      ", \"next_page_url\": ", Quoted(next), ", \"key\": \"participants\"}, ");
      AppendRecords(source, taken, &body);
      break;
    case Api::kSignalWire:
      absl::StrAppend(&body, "{\"uri\": ", Quoted(self), ", \"first_page_uri\": ", Quoted(first),
                      ", \"next_page_uri\": ", Quoted(next),
                      ", \"previous_page_uri\": ", Quoted(previous), ", \"page\": ", page,
                      ", \"page_size\": ", page_size, ", ");
      AppendRecords(source, taken, &body);
      break;
    case Api::kTwilioCore:
      body.push_back('{');
      AppendRecords(source, taken, &body);
      absl::StrAppend(
          &body, ", \"first_page_uri\": ", Quoted(first), ", \"end\": ",
          page * page_size + std::max<int64_t>(static_cast<int64_t>(taken.size()) - 1, 0),
          ", \"previous_page_uri\": ", Quoted(previous), ", \"uri\": ", Quoted(self),
          ", \"page_size\": ", page_size, ", \"start\": ", page * page_size);
      absl::StrAppend(&body, ", \"next_page_uri\": ", Quoted(next), ", \"page\": ", page);
      break;
  }
  body.push_back('}');
  return Json(200, std::move(body));
}

Answer ProviderApis::ServeParticipant(const Request& request) const {
  if (const Seed* seed = FindSeed(request.api, request.list_sid)) {
    const char* key = IsInsights(request.api) ? "participant_sid" : "call_sid";
    for (const Seed::Record& record : seed->records) {
      if (record.fields[key] == *request.participant) {
        return Json(200, std::string(record.text));
      }
    }
    return request.NotFound();
  }
  const std::optional<int64_t> size = ListSize(request.api, request.list_sid);
  if (!size) {
    return request.NotFound();
  }
  const List list(request.api, *size,
                  request.account_sid.empty() ? accounts_.twilio_account_sid : request.account_sid);
  std::optional<int64_t> index = FindParticipant(list, *request.participant);
  if (!index && request.api == Api::kTwilioCore) {
    for (int64_t i = 0; i < *size && !index; ++i) {
      if (ParticipantLabel(list, i) == request.participant) index = i;
    }
  }
  if (!index) {
    return request.NotFound();
  }
  if (request.xml) {
    std::string record;
    AppendParticipantXml(list, *index, &record);
    return Xml(200, record);
  }
  return Json(200, ParticipantJson(list, *index));
}

std::pair<std::string, std::string> RequestIdHeader(uint64_t number) {
  return {"Twilio-Request-Id",
          absl::StrFormat("RQ%016x%016x", Fingerprint(absl::StrCat(number)), number)};
}

}  // namespace rollcall::simulator
