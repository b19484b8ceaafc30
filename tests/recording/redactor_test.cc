#include "service/recording/redactor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "service/page/page_reader.h"
#include "service/record/record_schema.h"
#include "tests/record/decode_record.h"
#include "tests/simulator/participants.h"
#include "tests/simulator/provider_apis.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kConference[] = "CF0123456789abcdef0123456789abcdef";
constexpr char kUuid[] = "b3877c40-da60-4998-90ad-b792e98472cf";

Account UpstreamAt(absl::string_view url) {
  const BaseUrl base = *BaseUrl::Parse(url);
  return {.name = "name",
          .provider = ProviderType::kTwilio,
          .account_sid = "AC0123456789abcdef0123456789abcdef",
          .username = "user",
          .password = CurrentSecret(Secret("password")),
          .api = base,
          .insights = base};
}

class RedactorTest : public ::testing::Test {
 protected:
  std::string Redact(absl::string_view body, size_t cut = std::string::npos) {
    return Redact(TwilioVoiceInsights(), body, true, cut);
  }

  // `cut` is where the body is split into two pieces; 0 splits it into bytes.
  std::string Redact(const ParticipantApi& api, absl::string_view body, bool is_document = true,
                     size_t cut = std::string::npos) {
    TextRedactor text(fakes_, api, upstream_);
    Redactor redactor(text, api, is_document);
    std::string out;
    if (cut == 0) {
      for (const char c : body) redactor.Append(std::string(1, c), out);
    } else {
      redactor.Append(body.substr(0, cut), out);
      if (cut < body.size()) redactor.Append(body.substr(cut), out);
    }
    redactor.Finish(out);
    return out;
  }

  // The redacted value of this field of a record.
  std::string Field(absl::string_view name, absl::string_view value) {
    const std::string before = absl::StrCat(R"({"participants": [{")", name, R"(": )");
    const std::string after = "}]}";
    const std::string out = Redact(absl::StrCat(before, value, after));
    EXPECT_THAT(out, StartsWith(before));
    EXPECT_TRUE(absl::EndsWith(out, after)) << out;
    return out.substr(before.size(), out.size() - before.size() - after.size());
  }

  std::string Link(const ParticipantApi& api, absl::string_view link) {
    TextRedactor text(fakes_, api, upstream_);
    std::string out;
    text.Read(link, true);
    text.Link(out);
    return out;
  }

  const Fakes fakes_{Fakes::Key{1, 2, 3}};
  const Account upstream_ = UpstreamAt("https://insights.example.com");
};

TEST_F(RedactorTest, KeepsWhatIsNotPersonal) {
  const std::string record =
      R"({ "join_time":"2021-10-08T02:58:51Z" ,"duration_seconds" :  65, "call_type": "carrier",)"
      "\n\t"
      R"("is_moderator":true,"metrics":{"inbound":{"mos":4.4,"tags":["silent"], "jitter":null}},)"
      R"("events":{"mute":[1633705131000]},"properties":{},"coached_participants":[],)"
      R"("outbound_queue_length":1e400, "outbound_queue_length":-0.50})";
  const std::string page =
      absl::StrCat(R"({"meta": {"page": 0, "page_size": 1000, "next_page_url": null},)",
                   R"("participants": [)", record, ", ", record, "]}");
  EXPECT_EQ(Redact(page), page);
}

TEST_F(RedactorTest, KeepsValuesOfTheFieldsFormOnly) {
  for (const char* field : {"conference_sid", "call_type", "join_time", "country_code", "url"}) {
    for (const char* text : {R"("+15551234567")", R"("ada@example.com")", R"("sip:ada%40e.org")"}) {
      const std::string out = Field(field, text);
      EXPECT_EQ(out.size(), std::string(text).size()) << field;
      EXPECT_THAT(out, Not(HasSubstr("5551234567"))) << field;
      EXPECT_THAT(out, Not(HasSubstr("ada"))) << field;
    }
  }
  EXPECT_EQ(Field("call_type", R"("a_new_one")"), R"("a_new_one")");
  EXPECT_THAT(Field("call_type", R"("Ada Lovelace")"), Not(HasSubstr("Lovelace")));
  EXPECT_EQ(Field("join_time", R"("2021-10-08T02:58:51.123Z")"), R"("2021-10-08T02:58:51.123Z")");
  EXPECT_THAT(Field("join_time", R"("yesterday")"), Not(HasSubstr("yesterday")));
}

TEST_F(RedactorTest, ReplacesPersonalAndUnknownFields) {
  EXPECT_THAT(Field("label", R"("Ada Lovelace-7")"),
              MatchesRegex(R"("[A-Z][a-z][a-z] [A-Z][a-z]{7}-[0-9]")"));
  EXPECT_THAT(Field("from", R"("+15551234567")"), MatchesRegex(R"("\+[0-9]{11}")"));
  EXPECT_THAT(Field("from", R"("+15551234567")"), Not(HasSubstr("5551234567")));
  EXPECT_THAT(Field("nickname", R"({"bob": ["Ada", 1234567890, true, {"x": null}]})"),
              MatchesRegex(R"(\{"[a-z]{3}": \["[A-Z][a-z][a-z]", [1-9][0-9]{9}, true, )"
                           R"(\{"[a-z]": null\}\]\})"));
  EXPECT_THAT(Field("nickname", "1234567890"), Not("1234567890"));
  EXPECT_THAT(Field("nickname", "0"), "0");
  EXPECT_THAT(Field("nickname", "-10.25e-10"),
              MatchesRegex(R"(-[1-9][0-9]\.[0-9][0-9]e-[0-9][0-9])"));
}

TEST_F(RedactorTest, KeepsValuesOfTheirFieldsTypeOnly) {
  EXPECT_NE(Field("duration_seconds", R"("secret")"), R"("secret")");
  EXPECT_NE(Field("is_moderator", R"("secret")"), R"("secret")");
  EXPECT_NE(Field("join_time", "1234567890"), "1234567890");
  EXPECT_THAT(Field("join_time", R"({"secret": "secret"})"), Not(HasSubstr("secret")));
  EXPECT_THAT(Field("tags", R"(["secret"])"), Not(HasSubstr("secret")));
  EXPECT_THAT(Field("coached_participants", R"([["secret"], {"secret": 1}])"),
              Not(HasSubstr("secret")));
  EXPECT_THAT(Field("events", R"({"mute": ["secret", {"secret": 1}], "Ada Lovelace": [12]})"),
              MatchesRegex(R"(\{"mute": \["[a-z]{6}", \{"[a-z]{6}": [1-9]\}\], )"
                           R"("[A-Z][a-z]{2} [A-Z][a-z]{7}": \[12\]\})"));
}

TEST_F(RedactorTest, KeepsNamesInPersonalObjects) {
  const std::string out =
      Redact(TwilioVideoInsights(),
             R"({"participants": [{"publisher_info": {"name": "secret", "secret": "secret"}}]})");
  EXPECT_THAT(out, MatchesRegex(R"(\{"participants": \[\{"publisher_info": \{"name": )"
                                R"("[a-z]{6}", "[a-z]{6}": "[a-z]{6}"\}\}\]\})"));
  EXPECT_THAT(out, Not(HasSubstr("secret")));
}

TEST_F(RedactorTest, KeepsNamesThatLookLikeNames) {
  const std::string out =
      Redact(R"({"participants": [{"new_field2": "", "Ada Lovelace": 1}], "new" : 0,)"
             R"( "p5551234567":  1, "ada@example.com": 1})");
  EXPECT_THAT(out, Not(HasSubstr("5551234567")));
  EXPECT_THAT(out,
              MatchesRegex(R"(\{"participants": \[\{"new_field2": "", )"
                           R"("[A-Z][a-z]{2} [A-Z][a-z]{7}": [1-9]\}\], "new" : 0, )"
                           R"("[a-z][0-9]{10}":  [1-9], "[a-z]{3}@[a-z]{7}\.[a-z]{3}": [1-9]\})"));
}

TEST_F(RedactorTest, ReplacesIdsByIdsOfTheSameForm) {
  const std::string fake = Field("conference_sid", absl::StrCat("\"", kConference, "\""));
  EXPECT_THAT(fake, MatchesRegex("\"CF[0-9a-f]{32}\""));
  EXPECT_THAT(fake, Not(HasSubstr(kConference)));
  // Equal texts, in different places.
  const std::string sid = fake.substr(1, 34);
  EXPECT_EQ(Field("call_sid", absl::StrCat("\"x:", kConference, "\"")),
            absl::StrCat("\"x:", sid, "\""));
  EXPECT_EQ(Link(TwilioVoiceInsights(), absl::StrCat("/v1/Conferences/", kConference)),
            absl::StrCat("/v1/Conferences/", sid));
  EXPECT_THAT(Field("call_sid", absl::StrCat("\"", kUuid, "\"")),
              MatchesRegex("\"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\""));
  // Almost an id.
  EXPECT_THAT(Field("call_sid", R"("b3877c40-da60-4998-90ad-b792e98472co")"),
              Not(HasSubstr("b792e98472co")));
}

TEST_F(RedactorTest, ReplacesEqualTextsEqually) {
  const std::string out =
      Redact(R"({"participants": [{"label": "Jos\u00e9"}, {"label": "José"}, {"label": "Jose"}]})");
  const auto label = [&](size_t begin) { return out.substr(begin, 3); };
  const size_t first = out.find("label\": \"") + 9;
  const size_t second = out.find("label\": \"", first) + 9;
  const size_t third = out.find("label\": \"", second) + 9;
  EXPECT_EQ(label(first), label(second));
  EXPECT_NE(label(first), label(third));
}

TEST_F(RedactorTest, KeepsKindsOfEscapesAndBytes) {
  EXPECT_THAT(
      Field("label", R"("a\"\\\/\b\f\n\r\t\u0041\u0000\u00fc\u4e2d\ud83d\ude42\ud83d")"),
      MatchesRegex(R"re("[a-z]\\"\\\\\\/\\b\\f\\n\\r\\t\\u00[45][0-9a-f]\\u0000)re"
                   R"re(\\u00[c-f][0-9a-f]\\u4e[0-9a-f]{2}\\ud83d\\ude[0-3][0-9a-f]\\ud83d")re"));
  EXPECT_THAT(Field("label", "\"é中🙂\""),
              MatchesRegex("\"\xC3.\xE4[\xB8-\xBB].\xF0\x9F\x98.\""));
  // Invalid escapes stay invalid.
  EXPECT_EQ(Field("label", R"("\q\u12G4\u\u1-")").substr(0, 8), R"("\x\uxxx)");
  EXPECT_EQ(Field("label", "\"\x80\xC3\xC3\xA9\xED\xA0\x80\xF5\"").substr(0, 3), "\"\xFF\xFF");
}

TEST_F(RedactorTest, PointsLinksAtReplayOrigin) {
  const ParticipantApi& api = TwilioVoiceInsights();
  const std::string fake = Link(
      api, absl::StrCat("https://insights.example.com/v1/Conferences/", kConference,
                        "/Participants?Label=Ada%20L%C3%B6&PageSize=50&Page=1&PageToken=PA12ab"));
  EXPECT_THAT(fake, MatchesRegex(R"(http://replay\.invalid/v1/Conferences/CF[0-9a-f]{32})"
                                 R"(/Participants\?Label=[A-Z][a-z]{2}%20[A-Z][a-z]{6})"
                                 R"(&PageSize=50&Page=1&PageToken=[A-Z]{2}[0-9]{2}[a-z]{2})"));
  EXPECT_THAT(Link(api, "https://insights.example.com:443"), "http://replay.invalid");
  EXPECT_THAT(Link(api, "https://insights.example.com.evil.org/v1/ada?ada=ada&ada"),
              MatchesRegex(R"(https://[a-z]{8}\.[a-z]{7}\.[a-z]{3}\.[a-z]{4}\.[a-z]{3}/v1/)"
                           R"([a-z]{3}\?ada=[a-z]{3}&[a-z]{3})"));
  EXPECT_THAT(Link(api, "https://user:secret@insights.example.com/"), Not(HasSubstr("secret")));
  EXPECT_THAT(Link(api, "/secret/../secret#secret"),
              MatchesRegex("/[a-z]{6}/../[a-z]{6}#[a-z]{6}"));
  EXPECT_THAT(Link(api, "secret"), Not("secret"));
  // A filter that the service adds, which the replayed request contains again.
  EXPECT_THAT(
      Link(TwilioCore(), "/2010-04-01/Accounts/AC/Conferences/CF/Participants.json?Muted=true"),
      MatchesRegex("/2010-04-01/Accounts/../Conferences/../Participants.json[?]Muted=true"));
  // A participant by label.
  EXPECT_THAT(Link(TwilioCore(), "/2010-04-01/Accounts/A/Conferences/C/Participants/Ada%20L.json"),
              MatchesRegex(".*/Participants/[A-Z][a-z]{2}%20[A-Z].json"));
}

TEST_F(RedactorTest, RedactsLinksEquallyEverywhere) {
  for (const ParticipantApi* api : {&SignalWire(), &TwilioCore()}) {
    EXPECT_THAT(
        Redact(*api, R"({"next_page_uri": "/2010-04-01/Accounts/Ada?Page=1"})"),
        MatchesRegex(R"(\{"next_page_uri": "/2010-04-01/Accounts/[A-Z][a-z]{2}\?Page=1"\})"));
  }
}

// The request for a link must have the link's recorded target.
TEST_F(RedactorTest, RedactsLinksLikeRequestTargets) {
  const std::string link =
      "https://insights.example.com/v1/Conferences/CF1/Participants?Page=1&PageToken=PT1/2";
  const std::string fake = Link(TwilioVoiceInsights(), link);
  const auto in_page = [&](const std::string& text) {
    const std::string out =
        Redact(absl::StrCat(R"({"meta": {"next_page_url": ")", text, R"("}, "participants": []})"));
    return out.substr(28, out.find("\"}") - 28);
  };
  EXPECT_EQ(in_page(link), fake);
  EXPECT_EQ(
      absl::StrReplaceAll(in_page(absl::StrReplaceAll(link, {{"/", "\\/"}, {"&", "\\u0026"}})),
                          {{"\\/", "/"}, {"\\u0026", "&"}}),
      fake);
}

TEST_F(RedactorTest, RemovesPathPrefixOfBaseUrl) {
  const Account upstream = UpstreamAt("https://gateway.example.com/secret/twilio");
  TextRedactor text(fakes_, TwilioCore(), upstream);
  for (const char* link : {"https://gateway.example.com/secret/twilio/2010-04-01/Accounts",
                           "/secret/twilio/2010-04-01/Accounts", "/2010-04-01/Accounts"}) {
    std::string out;
    text.Read(link, true);
    text.Link(out);
    EXPECT_EQ(
        out, link[0] == '/' ? "/2010-04-01/Accounts" : "http://replay.invalid/2010-04-01/Accounts");
  }
}

TEST_F(RedactorTest, KeepsErrorCodes) {
  const std::string out =
      Redact(TwilioVoiceInsights(),
             R"({"code": 20404, "message": "no secret", "more_info": "https://e.org/secret/20404",)"
             R"( "status": 404, "errors": [{"code": "20003", "secret": {"secret": 5551234567}}]})",
             false);
  EXPECT_THAT(out, StartsWith(R"({"code": 20404, "message": ")"));
  EXPECT_THAT(out, HasSubstr(R"("status": 404, "errors": [{"code": "20003", "secret": {")"));
  EXPECT_THAT(out, Not(HasSubstr("no secret")));
  EXPECT_THAT(out, Not(HasSubstr("/secret")));
  EXPECT_THAT(out, Not(HasSubstr("5551234567")));
}

TEST_F(RedactorTest, RevealsNothingOfMalformedJson) {
  EXPECT_EQ(Redact("<p class=\"secret\">Ada 42 \xFF</p>").find("Ada"), std::string::npos);
  EXPECT_THAT(Redact("<p>Ada</p>"), "<x>xxx</x>");
  for (const char* body :
       {"secret", "\"secret\"", "[\"secret\"]", "[{\"call_type\": \"secret\"}]",
        R"({"participants": "secret"})", R"({"participants": ["secret", ["secret"]]})",
        R"({"participants": [{"join_time": "2021-secret)",     // cut
        R"({"participants": [{"call_sid": "CA0secret)",        // cut
        R"({"participants": [{"join_time" "secret"}]})",       // no colon
        R"({"participants": [{"join_time": "1" "secret"}]})",  // no comma
        R"({"participants": [{"label": "a", "secret" }]})",    // no value
        R"({"participants": [}, {"call_type": "secret"}]})",   // no record
        R"({"participants": [{"call_type": ["secret"]}]})",    // no text
        R"({"participants": []} {"call_type": "secret"})",     // a second document
        R"({"participants": [{"from": [}, "call_type": "secret"}]})"}) {
    EXPECT_THAT(Redact(body), Not(HasSubstr("secret"))) << body;
    EXPECT_EQ(Redact(body).size(), absl::string_view(body).size());
  }
}

TEST_F(RedactorTest, ContinuesWherePageReaderDoes) {
  EXPECT_THAT(Redact(R"({"other": {"a" "secret" [}}, "participants": [{"from" 1}, )"
                     R"({"call_type": "carrier"}]})"),
              MatchesRegex(R"(\{"other": .*, "participants": \[\{"[a-z]{4}" [1-9]\}, )"
                           R"(\{"call_type": "carrier"\}\]\})"));
}

TEST_F(RedactorTest, ReplacesDeepAndLongBodies) {
  constexpr size_t kDeep = 100000;
  std::string deep =
      absl::StrCat(R"({"participants": [{"nickname": )", std::string(kDeep, '['), "\"secret\"",
                   std::string(kDeep, ']'), R"(}, {"call_type": "carrier"}]})");
  EXPECT_THAT(Redact(deep), Not(HasSubstr("secret")));
  EXPECT_THAT(Redact(deep), HasSubstr(R"({"call_type": "carrier"})"));

  std::string text;
  while (text.size() < 5 * Redactor::kMaxText) text += R"(secret é\u00e9\ud83d\ude42)";
  const std::string body = absl::StrCat(R"({"participants": [{"call_type": ")", text, "\"}]}");
  const std::string whole = Redact(body);
  EXPECT_EQ(whole.size(), body.size());
  EXPECT_THAT(whole, Not(HasSubstr("secret")));
  EXPECT_EQ(Redact(TwilioVoiceInsights(), body, true, 0), whole);
  const std::string digits = absl::StrCat("[", std::string(5 * Redactor::kMaxText, '5'), "]");
  EXPECT_EQ(Redact(digits).size(), digits.size());
  EXPECT_THAT(Redact(digits), Not(HasSubstr("55555555")));
}

// A valid JSON value for a field.
std::string SampleOf(const FieldSchema& field) {
  if (field.store == &StoreString) return R"("some text")";
  if (field.store == &StoreEnum) return "\"" + std::string(field.texts.front().text) + "\"";
  if (field.store == &StoreTime) return R"("2021-10-08T02:58:51Z")";
  if (field.store == &StoreMillisecondsText) return R"("1500")";
  if (field.store == &StoreBoolean) return "true";
  if (field.store == &StoreStrings) return R"(["one", "two"])";
  if (field.store == &StoreEvents) return R"({"mute": [1633705131000]})";
  return "65";
}

// Each field of a table and of its nested tables, as the path to it.
struct FieldPath {
  std::vector<absl::string_view> objects;
  const FieldSchema* field;
  bool is_personal;

  // A record with only this field.
  std::string Record(absl::string_view value) const {
    std::string record = absl::StrCat("{\"", field->name, "\": ", value, "}");
    for (auto object = objects.rbegin(); object != objects.rend(); ++object) {
      record = absl::StrCat("{\"", *object, "\": ", record, "}");
    }
    return record;
  }
};

void AddFieldPaths(const ObjectSchema& table, const FieldPath& above,
                   std::vector<FieldPath>& paths) {
  for (const FieldSchema& field : table.fields) {
    FieldPath path = above;
    path.field = &field;
    path.is_personal |= field.is_personal;
    if (field.object == nullptr) {
      paths.push_back(path);
    } else {
      path.objects.push_back(field.name);
      AddFieldPaths(*field.object, path, paths);
    }
  }
}

TEST_F(RedactorTest, KeepsEachFieldsOwnValues) {
  for (const ParticipantApi* api :
       {&TwilioVoiceInsights(), &TwilioVideoInsights(), &SignalWire(), &TwilioCore()}) {
    std::vector<FieldPath> paths;
    AddFieldPaths(api->record_schema().object, {{}, nullptr, false}, paths);
    EXPECT_GT(paths.size(), 10u);
    for (const FieldPath& path : paths) {
      const auto page = [&](absl::string_view value) {
        return absl::StrCat("{\"", api->page_layout().records_key, "\": [", path.Record(value),
                            "]}");
      };
      const std::string good = page(SampleOf(*path.field));
      if (!path.is_personal) {
        EXPECT_EQ(Redact(*api, good), good);
      } else {
        EXPECT_NE(Redact(*api, good), good);
      }
      for (const char* bad :
           {"\"+15551234567\"", "{\"the secret\": [\"secret\"]}", "[[\"secret\"]]",
            "\"secret@example.com\"", "[5551234567.5551234567e5551234567]"}) {
        const std::string out = Redact(*api, page(bad));
        EXPECT_THAT(out, Not(HasSubstr("secret"))) << page(bad);
        EXPECT_THAT(out, Not(HasSubstr("5551234567"))) << page(bad);
        EXPECT_EQ(out.size(), page(bad).size());
      }
    }
  }
}

// Longer values could be phone numbers.
TEST_F(RedactorTest, KeepsShortValuesOnly) {
  const auto error = [&](absl::string_view member, absl::string_view value) {
    const std::string before = absl::StrCat("{\"", member, "\": ");
    const std::string out =
        Redact(TwilioCore(), absl::StrCat(before, value, "}"), /*is_document=*/false);
    return out.substr(before.size(), out.size() - before.size() - 1);
  };
  const std::string number(32, '7');
  EXPECT_EQ(Field("duration_seconds", number), number);
  EXPECT_NE(Field("duration_seconds", number + "7"), number + "7");
  EXPECT_EQ(error("status", number), number);
  EXPECT_EQ(error("code", "777777"), "777777");
  EXPECT_NE(error("code", "7777777"), "7777777");
  EXPECT_EQ(error("code", "\"777777\""), "\"777777\"");
  EXPECT_NE(error("code", "\"7777777\""), "\"7777777\"");

  const std::string name(60, 'n');
  EXPECT_EQ(Redact(absl::StrCat("{\"", name, "n777\": 0}")),
            absl::StrCat("{\"", name, "n777\": 0}"));
  EXPECT_THAT(Redact(absl::StrCat("{\"", name, "nn777\": 0}")), Not(HasSubstr(name)));
  EXPECT_THAT(Redact(R"({"n7777": 0})"), Not(HasSubstr("7777")));

  const auto queue_time = [&](absl::string_view digits) {
    return Redact(TwilioCore(),
                  absl::StrCat(R"({"participants": [{"queue_time": ")", digits, R"("}]})"));
  };
  EXPECT_THAT(queue_time("777777777"), HasSubstr("777777777"));
  EXPECT_THAT(queue_time("7777777777"), Not(HasSubstr("7777777777")));
  EXPECT_EQ(Field("coached_participants", R"(["no 777777"])"), R"(["no 777777"])");
  EXPECT_THAT(Field("coached_participants", R"(["7777777"])"), Not(HasSubstr("7777777")));
  EXPECT_EQ(Link(TwilioCore(), "/?Page=777777777"), "/?Page=777777777");
  EXPECT_THAT(Link(TwilioCore(), "/?Page=7777777777"), Not(HasSubstr("7777777777")));
}

// How the service reads a page: for each record its paths of null, empty and unrecognized values,
// and how the page ends.
struct Page {
  std::vector<std::string> records;
  std::string end;
  bool operator==(const Page& other) const = default;
};

Page Read(const ParticipantApi& api, absl::string_view body) {
  PageReader reader(api.page_layout().records_key, PageLimits());
  reader.Append(body);
  Page page;
  while (true) {
    const auto event = reader.Next();
    if (!event.ok()) {
      page.end = std::string(absl::StatusCodeToString(event.status().code()));
      return page;
    }
    if (*event == PageReader::Event::kRecord) {
      const auto record = DecodeRecord(api.record_schema(), reader.record());
      if (!record.ok()) {
        page.end = "record";
        return page;
      }
      std::string paths;
      for (const auto& path : record->null_fields().paths())
        absl::StrAppend(&paths, "null ", path, ",");
      for (const auto& path : record->empty_fields().paths())
        absl::StrAppend(&paths, "empty ", path, ",");
      for (const auto& value : record->unrecognized()) {
        absl::StrAppend(&paths, "unrecognized ", value.path(), " ", value.kind(), ",");
      }
      page.records.push_back(paths);
    } else if (*event != PageReader::Event::kEnvelopeMember) {
      page.end = reader.Finish().ok() ? "complete" : "cut";
      return page;
    }
  }
}

// A page of the simulator's records and of values that providers do not send.
std::string PageOf(simulator::Api api) {
  std::string body = R"({"meta": {"page": 0, "next_page_url": null}, "participants": [)";
  for (int64_t i = 0; i < 10; ++i) {
    simulator::AppendParticipantJson({api, 10}, i, &body);
    absl::StrAppend(&body, ",\r\n ");
  }
  return absl::StrCat(body, R"({"label": {"a": 1}, "label": null, "call_type": "satellite",
      "join_time": "yesterday", "new": [], "url": "", "properties": {"new": {}}, "events": {},
      "status": 5, "queue_time": 123456789012345678901234567890}], "next_page_uri": null})");
}

TEST_F(RedactorTest, ServiceReadsTheSameFromRedactedPage) {
  const std::pair<const ParticipantApi*, simulator::Api> apis[] = {
      {&TwilioVoiceInsights(), simulator::Api::kVoiceInsights},
      {&TwilioVideoInsights(), simulator::Api::kVideoInsights},
      {&SignalWire(), simulator::Api::kSignalWire},
      {&TwilioCore(), simulator::Api::kTwilioCore}};
  for (const auto& [api, simulated] : apis) {
    const std::string body = PageOf(simulated);
    const Page page = Read(*api, body);
    EXPECT_EQ(page.records.size(), 11u);
    EXPECT_EQ(page.end, "complete");
    EXPECT_EQ(Read(*api, Redact(*api, body)), page);
    // Also if it is truncated, or if a byte is changed.
    for (size_t at = 0; at < body.size(); at += 499) {
      const absl::string_view begin = absl::string_view(body).substr(0, at);
      EXPECT_EQ(Read(*api, Redact(*api, begin)), Read(*api, begin)) << at;
      for (const char c : absl::string_view("\"{}[],:\\x0 \xFF")) {
        std::string broken = body;
        broken[at] = c;
        const Page original = Read(*api, broken);
        const Page redacted = Read(*api, Redact(*api, broken));
        EXPECT_EQ(redacted.records.size(), original.records.size()) << at << c;
        EXPECT_EQ(redacted.end, original.end) << at << c;
      }
    }
  }
}

TEST_F(RedactorTest, DoesNotDependOnPieces) {
  const std::string bodies[] = {
      absl::StrCat(R"({"meta": {"next_page_url": "https:\/\/insights.example.com\/v1\/x?Page=1"},)",
                   R"("participants": [{"label": "J\u00f6\ud83d\ude42é🙂\q", "call_sid": ")",
                   kUuid, R"(", "new": -12.5e3, "is_coach": false}]})"),
      R"({"participants": [{"label": "a" "b"}, {"call_type": "carrier"}]} x)",
      "<html>\xC3\xA9 \"a\\\"b</html>"};
  for (const std::string& body : bodies) {
    const std::string whole = Redact(body);
    for (size_t cut = 0; cut < body.size(); ++cut) EXPECT_EQ(Redact(body, cut), whole) << cut;
  }
}

}  // namespace
}  // namespace rollcall::service
