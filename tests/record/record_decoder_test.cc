#include "service/record/record_decoder.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "service/error/error.h"
#include "service/provider/participant_api.h"
#include "tests/record/decode_record.h"

namespace rollcall::service {
namespace {

using google::protobuf::util::MessageDifferencer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using v1::UnrecognizedValue;

const RecordSchema& Conference() { return TwilioVoiceInsights().record_schema(); }
const RecordSchema& Room() { return TwilioVideoInsights().record_schema(); }
const RecordSchema& Live() { return TwilioCore().record_schema(); }

v1::Participant Decode(const RecordSchema& schema, absl::string_view json,
                       const std::vector<std::string>& mask = {}) {
  absl::StatusOr<v1::Participant> participant = DecodeRecord(schema, json, mask);
  EXPECT_TRUE(participant.ok()) << participant.status() << "\n" << json;
  return participant.ok() ? *std::move(participant) : v1::Participant();
}

MATCHER_P3(IsUnrecognized, kind, path, json, "") {
  return arg.kind() == kind && arg.path() == path && arg.json() == json;
}
auto Unknown(const std::string& path, const std::string& json) {
  return IsUnrecognized(UnrecognizedValue::KIND_UNKNOWN_FIELD, path, json);
}
auto WrongType(const std::string& path, const std::string& json) {
  return IsUnrecognized(UnrecognizedValue::KIND_WRONG_TYPE, path, json);
}
auto UnknownValue(const std::string& path, const std::string& json) {
  return IsUnrecognized(UnrecognizedValue::KIND_UNKNOWN_ENUM_VALUE, path, json);
}
auto Duplicate(const std::string& path, const std::string& json) {
  return IsUnrecognized(UnrecognizedValue::KIND_DUPLICATE_FIELD, path, json);
}

TEST(RecordDecoderTest, EmptyObjectIsAnEmptyRecord) {
  for (const char* json : {"{}", " {} ", "{\n\t\r}"}) {
    const v1::Participant participant = Decode(Conference(), json);
    EXPECT_TRUE(participant.has_conference_participant_summary());
    EXPECT_EQ(participant.conference_participant_summary().ByteSizeLong(), 0);
    EXPECT_FALSE(participant.has_null_fields());
    EXPECT_FALSE(participant.has_empty_fields());
    EXPECT_THAT(participant.unrecognized(), IsEmpty());
  }
}

TEST(RecordDecoderTest, DeliversAnythingButAJsonObjectAsOneUnrecognizedValue) {
  for (const std::string& json : {
           std::string(),
           std::string(" "),
           std::string("null"),
           std::string("[]"),
           std::string("[{}]"),
           std::string("\"{}\""),
           std::string("1"),
           std::string("1e999"),
           std::string("{"),
           std::string("}"),
           std::string("{}}"),
           std::string("{}{}"),
           std::string("{\"label\"}"),
           std::string("{\"label\":}"),
           std::string("{\"\xff\":}"),
           std::string("{\"\xff\"}"),
           std::string("{\"label\":1,}"),
           std::string("{label:1}"),
           std::string("{'label':1}"),
           std::string("{\"label\":\"}"),
           std::string("{\"label\":\"x\\\"}"),
           std::string("{\"label\":[}]"),
           std::string("{\"label\":1 2}"),
           std::string("{\"label\":a:b}"),
           std::string("{\"label\":a\"b\"}"),
           std::string("{\"label\"\0:1}", 11),
           std::string("{}\0", 3),
           std::string("{\"x\":\"\"1e999}"),
           std::string("{\"x\":1e999"),
       }) {
    const v1::Participant participant = Decode(Conference(), json);
    EXPECT_TRUE(participant.has_conference_participant_summary());
    EXPECT_EQ(participant.conference_participant_summary().ByteSizeLong(), 0);
    ASSERT_EQ(participant.unrecognized_size(), 1) << json;
    const UnrecognizedValue& value = participant.unrecognized(0);
    EXPECT_EQ(value.kind(), UnrecognizedValue::KIND_UNPARSABLE_RECORD) << json;
    EXPECT_EQ(value.path(), "");
    EXPECT_EQ(value.json().empty() ? value.raw_json() : value.json(), json);
  }
  EXPECT_THAT(Decode(Conference(), "{nope}", {"label"}).unrecognized(),
              ElementsAre(IsUnrecognized(UnrecognizedValue::KIND_UNPARSABLE_RECORD, "", "")));
  EXPECT_EQ(ReasonOf(DecodeRecord(Conference(), "{nope}", {}, true).status()),
            v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE);
}

// Numbers and literals that JSON's grammar does not allow, and strings with invalid or missing
// escapes.
TEST(RecordDecoderTest, ValuesThatAreNotJsonAreUnrecognized) {
  for (const std::string& value :
       {std::string("nul"),         std::string("NaN"),     std::string("Infinity"),
        std::string("-"),           std::string("+1"),      std::string("01"),
        std::string("1."),          std::string(".5"),      std::string("1e"),
        std::string("1.5.3"),       std::string("1-2"),     std::string("0x10"),
        std::string("1e999e1"),     std::string("01e999"),  std::string("+1e999"),
        std::string("tru1e999"),    std::string("\v1"),     std::string("\"\n\""),
        std::string("\"a\0b\"", 5), std::string("\"\\x\""), std::string("\"\\u12\"")}) {
    const v1::Participant participant =
        Decode(Conference(), absl::StrCat("{\"url\": ", value, " ,\"x\":[", value,
                                          "],\"label\":\"l\",\"queue_time\":1e999}"));
    EXPECT_EQ(participant.conference_participant_summary().label(), "l");
    EXPECT_THAT(participant.unrecognized(),
                ElementsAre(WrongType("url", value), Unknown("x", absl::StrCat("[", value, "]")),
                            Unknown("queue_time", "1e999")));
  }
}

TEST(RecordDecoderTest, InvalidUnicodeIsUnrecognizedEverywhere) {
  for (const std::string text :
       {"\xff", "\x80", "\xc0\xaf", "\xc3", "\xe2\x82", "\xed\xa0\x80", "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80", "\\ud800", "\\udc00", "\\ud800\\u0041", "\\ud800\\ud800",
        "\\udc00\\ud800", "\\ud83d", "\\uD83Dx\\uDE00"}) {
    const std::string quoted = absl::StrCat("\"", text, "\"");
    const std::pair<std::string, std::string> members[] = {
        {"label", quoted},
        {"unknown", quoted},
        {"coached_participants", absl::StrCat("[\"a\",", quoted, "]")},
        {"events", absl::StrCat("{", quoted, ":[1]}")},
        {"events", absl::StrCat("{\"a\":[1],", quoted, ":[]}")},
        {"call_status", quoted},
        {"is_coach", absl::StrCat("[{\"x\":", quoted, "}]")},
    };
    for (const auto& [name, value] : members) {
      const v1::Participant participant =
          Decode(Conference(),
                 absl::StrCat("{\"url\":\"u\",\"", name, "\":", value, ",\"properties\":null}"));
      const auto& summary = participant.conference_participant_summary();
      EXPECT_EQ(summary.url(), "u");
      ASSERT_EQ(participant.unrecognized_size(), 1) << value;
      const UnrecognizedValue& unrecognized = participant.unrecognized(0);
      EXPECT_EQ(unrecognized.path(), name);
      EXPECT_EQ(unrecognized.kind(), name == "unknown" ? UnrecognizedValue::KIND_UNKNOWN_FIELD
                                                       : UnrecognizedValue::KIND_WRONG_TYPE);
      // A protobuf string holds valid UTF-8 only.
      const bool is_utf8 = text[0] == '\\';
      EXPECT_EQ(unrecognized.json(), is_utf8 ? value : "");
      EXPECT_EQ(unrecognized.raw_json(), is_utf8 ? "" : value);
    }
    const v1::Participant participant =
        Decode(Conference(), absl::StrCat("{\"a", text, "\" : {\"b\":[1]} ,\"label\":\"l\"}"));
    EXPECT_EQ(participant.conference_participant_summary().label(), "l");
    ASSERT_EQ(participant.unrecognized_size(), 1);
    EXPECT_EQ(participant.unrecognized(0).kind(), UnrecognizedValue::KIND_UNKNOWN_FIELD);
    EXPECT_THAT(participant.unrecognized(0).path(), HasSubstr("\uFFFD"));
    EXPECT_EQ(participant.unrecognized(0).json(), "{\"b\":[1]}");
  }
}

TEST(RecordDecoderTest, StringsKeepEveryCharacter) {
  const v1::Participant participant = Decode(
      Conference(),
      R"({"label":"\u0000a\u0000","from":"\ud83d\ude00\u00e9\"\\\/\b\f\n\r\t","to":"😀é€","url":""})");
  const auto& summary = participant.conference_participant_summary();
  EXPECT_EQ(summary.label(), std::string("\0a\0", 3));
  EXPECT_EQ(summary.from_address(), "\xF0\x9F\x98\x80\xC3\xA9\"\\/\b\f\n\r\t");
  EXPECT_EQ(summary.to_address(), "\xF0\x9F\x98\x80\xC3\xA9\xE2\x82\xAC");
  EXPECT_TRUE(summary.has_url());
  EXPECT_EQ(summary.url(), "");
}

TEST(RecordDecoderTest, NamesAreComparedUnescaped) {
  const v1::Participant participant = Decode(
      Conference(), R"({"\u006cabel":"a","call\u005fsid":"b","label\u0000":1,"Label":2,"labe":3})");
  const auto& summary = participant.conference_participant_summary();
  EXPECT_EQ(summary.label(), "a");
  EXPECT_EQ(summary.call_sid(), "b");
  EXPECT_THAT(participant.unrecognized(), ElementsAre(Unknown(std::string("['label\0']", 10), "1"),
                                                      Unknown("Label", "2"), Unknown("labe", "3")));
}

TEST(RecordDecoderTest, UnrecognizedPathsUseProviderNamesAndAreUnambiguous) {
  const v1::Participant participant =
      Decode(Conference(),
             R"({"a.b":1,"a'b":2,"a\\b":3,"":4,"é":5,"a b":6,"A_1":7,
          "metrics":{"a.b":8,"inbound":{"x":9,"['y']":10,"jitter":{"":11}}},"from":12})");
  EXPECT_THAT(
      participant.unrecognized(),
      ElementsAre(Unknown("['a.b']", "1"), Unknown("['a\\'b']", "2"), Unknown("['a\\\\b']", "3"),
                  Unknown("['']", "4"), Unknown("['é']", "5"), Unknown("['a b']", "6"),
                  Unknown("A_1", "7"), Unknown("metrics['a.b']", "8"),
                  Unknown("metrics.inbound.x", "9"), Unknown("metrics.inbound['[\\'y\\']']", "10"),
                  Unknown("metrics.inbound.jitter['']", "11"), WrongType("from", "12")));
}

TEST(RecordDecoderTest, NullAndEmptyPathsUseMessageNames) {
  const v1::Participant participant =
      Decode(Conference(),
             R"({"from":null,"duration_seconds":null,"properties":{"early_media":null},"events":{},
          "coached_participants":[],"metrics":{"inbound":null,"outbound":{"tags":[ ],"mos":null}}})");
  EXPECT_THAT(participant.null_fields().paths(),
              ElementsAre("from_address", "duration", "properties.play_early_media",
                          "metrics.inbound", "metrics.outbound.mos"));
  EXPECT_THAT(participant.empty_fields().paths(),
              ElementsAre("events", "coached_participants", "metrics.outbound.tags"));
  EXPECT_THAT(participant.unrecognized(), IsEmpty());
  const auto& summary = participant.conference_participant_summary();
  EXPECT_TRUE(summary.has_properties());
  EXPECT_FALSE(summary.metrics().has_inbound());
  EXPECT_TRUE(summary.metrics().has_outbound());
}

TEST(RecordDecoderTest, UnrecognizedValuesAreVerbatim) {
  const std::string values[] = {"0",
                                "-0",
                                "1.50",
                                "1E+2",
                                "100000000000000000000",
                                "1e999",
                                "-1e-9",
                                "0.1e0999",
                                "\"\\u00e9\"",
                                "\"\\/ \\ud83d\\ude00\"",
                                "[ ]",
                                "{ }",
                                "[1 , 2\n]",
                                "{\"b\":1,\"a\" : 2,\"b\":3}",
                                "true",
                                "null",
                                "[\"}\",\"]\"]",
                                "18446744073709551615"};
  for (const std::string& value : values) {
    for (const std::string& json :
         {absl::StrCat("{\"new\":", value, "}"),
          absl::StrCat("{ \"label\" : \"a\" ,\"new\" :\t", value, " , \"url\":\"u\" }"),
          // A second member that the parser rejects must not change the first.
          absl::StrCat("{\"label\":\"a\",\"new\":", value, ",\"url\":\"u\",\"big\":1e400}")}) {
      const v1::Participant participant = Decode(Conference(), json);
      ASSERT_GE(participant.unrecognized_size(), 1) << json;
      EXPECT_THAT(participant.unrecognized(0), Unknown("new", value)) << json;
    }
  }
}

TEST(RecordDecoderTest, KeepsTheOrderOfUnrecognizedValuesAcrossNestedObjects) {
  constexpr int kValues = 60;
  static_assert(4 * kValues + 4 <= RecordDecoder::kMaxUnrecognizedValues);
  std::string values;
  for (int i = 0; i < kValues; ++i) absl::StrAppend(&values, "\"n\":", i, ",");
  const v1::Participant participant =
      Decode(Conference(), absl::StrCat("{", values, "\"metrics\":{", values, "\"inbound\":{",
                                        values, "\"n\":-1}, \"outbound\":{", values,
                                        "\"n\":-2},\"n\":-3},", "\"n\":-4}"));
  ASSERT_EQ(participant.unrecognized_size(), 4 * kValues + 4);
  const std::string paths[] = {"n", "metrics.n", "metrics.inbound.n", "metrics.outbound.n"};
  int next = 0;
  for (const std::string& path : paths) {
    for (int i = 0; i < kValues; ++i) {
      ASSERT_THAT(participant.unrecognized(next++), Unknown(path, absl::StrCat(i)));
    }
    if (path == paths[2]) {
      ASSERT_THAT(participant.unrecognized(next++), Unknown(path, "-1"));
    }
  }
  EXPECT_THAT(participant.unrecognized(next++), Unknown("metrics.outbound.n", "-2"));
  EXPECT_THAT(participant.unrecognized(next++), Unknown("metrics.n", "-3"));
  EXPECT_THAT(participant.unrecognized(next++), Unknown("n", "-4"));
}

// The limit keeps the message from being many times larger than its record.
TEST(RecordDecoderTest, DeliversTooManyEventTimesAsText) {
  const auto record = [](int times) {
    std::string json = R"({"events":{"a":[-1)";
    for (int i = 1; i < times; ++i) json += ",-1";
    return json + "]}}";
  };
  EXPECT_EQ(Decode(Conference(), record(10000))
                .conference_participant_summary()
                .events()
                .at("a")
                .times_size(),
            10000);
  const std::string json = record(10001);
  const v1::Participant participant = Decode(Conference(), json);
  EXPECT_EQ(participant.conference_participant_summary().events_size(), 0);
  ASSERT_EQ(participant.unrecognized_size(), 1);
  EXPECT_LT(participant.ByteSizeLong(), json.size() + 100);
}

TEST(RecordDecoderTest, DeliversTooManyUnrecognizedValuesAsOne) {
  const auto record = [](int values) {
    std::string json = R"({"label":"l")";
    for (int i = 0; i < values; ++i) absl::StrAppend(&json, ",\"\":0");
    return json + "}";
  };
  constexpr int kMax = RecordDecoder::kMaxUnrecognizedValues;
  EXPECT_EQ(Decode(Conference(), record(kMax)).unrecognized_size(), kMax);
  for (const int values : {kMax + 1, 2 * kMax, 200000}) {
    const std::string json = record(values);
    const v1::Participant participant = Decode(Conference(), json);
    EXPECT_EQ(participant.conference_participant_summary().label(), "l");
    EXPECT_THAT(participant.unrecognized(),
                ElementsAre(IsUnrecognized(UnrecognizedValue::KIND_TOO_MANY_VALUES, "", json)));
    EXPECT_LT(participant.ByteSizeLong(), json.size() + 100);
  }
  // Unknown fields are not listed with a read mask; duplicates are.
  EXPECT_THAT(Decode(Conference(), record(kMax + 1), {"label"}).unrecognized(), IsEmpty());
  std::string duplicates = R"({"label":"l")";
  for (int i = 0; i <= kMax; ++i) absl::StrAppend(&duplicates, R"(,"label":1)");
  EXPECT_THAT(Decode(Conference(), duplicates + "}", {"label"}).unrecognized(),
              ElementsAre(IsUnrecognized(UnrecognizedValue::KIND_TOO_MANY_VALUES, "", "")));
  EXPECT_EQ(ReasonOf(DecodeRecord(Conference(), record(kMax + 1), {}, true).status()),
            v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE);
}

TEST(RecordDecoderTest, HugeNumbersAreUnrecognized) {
  for (const std::string number :
       {"1e999", "-1e999", "18446744073709551616", "-9223372036854775809",
        "123456789012345678901234567890", "1.7976931348623159e308"}) {
    for (const std::string name :
         {"label", "call_status", "is_coach", "join_time", "duration_seconds",
          "outbound_queue_length", "coached_participants", "properties", "events"}) {
      const v1::Participant participant =
          Decode(Conference(), absl::StrCat("{\"", name, "\": ", number, "}"));
      EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType(name, number)));
      EXPECT_EQ(participant.conference_participant_summary().ByteSizeLong(), 0) << name;
    }
    EXPECT_THAT(Decode(Live(), absl::StrCat("{\"queue_time\":", number, "}")).unrecognized(),
                ElementsAre(WrongType("queue_time", number)));
    for (const std::string& json :
         {absl::StrCat("{\"mute\":", number, "}"), absl::StrCat("{\"mute\":[1,", number, "]}")}) {
      EXPECT_THAT(Decode(Conference(), absl::StrCat("{\"events\":", json, "}")).unrecognized(),
                  ElementsAre(WrongType("events", json)));
    }
    const std::string json = absl::StrCat("[\"a\",", number, "]");
    EXPECT_THAT(
        Decode(Conference(), absl::StrCat("{\"coached_participants\":", json, "}")).unrecognized(),
        ElementsAre(WrongType("coached_participants", json)));
  }
}

TEST(RecordDecoderTest, HugeNumberLeavesOtherFieldsUnchanged) {
  const std::string record =
      R"("label":"1e999","url":"\"1e999\"","metrics":{"inbound":{"mos":1e-400,"total_packets_lost":-0,
          "jitter":{"avg":18446744073709551615,"max":5e-324}}},"events":{"1e999":[1]},"x":1e308)";
  v1::Participant expected = Decode(Conference(), absl::StrCat("{", record, "}"));
  v1::Participant actual = Decode(Conference(), absl::StrCat("{", record, ",\"big\":1e999}"));
  EXPECT_EQ(expected.conference_participant_summary().metrics().inbound().mos(), 0);
  ASSERT_THAT(*actual.unrecognized().rbegin(), Unknown("big", "1e999"));
  actual.mutable_unrecognized()->RemoveLast();
  EXPECT_TRUE(MessageDifferencer::Equals(expected, actual)) << actual.DebugString();
}

TEST(RecordDecoderTest, IntegerFieldsAreExactOrUnrecognized) {
  const std::pair<const char*, int64_t> taken[] = {
      {"0", 0},
      {"-0", 0},
      {"65.0", 65},
      {"6.5e1", 65},
      {"650e-1", 65},
      {"-0.0", 0},
      {"9007199254740993", 9007199254740993},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"9007199254740991.0", 9007199254740991},
  };
  for (const auto& [text, integer] : taken) {
    const v1::Participant participant = Decode(Room(), absl::StrCat("{\"error_code\":", text, "}"));
    EXPECT_TRUE(participant.room_participant_summary().has_error_code()) << text;
    EXPECT_EQ(participant.room_participant_summary().error_code(), integer) << text;
    EXPECT_THAT(participant.unrecognized(), IsEmpty());
  }
  for (const std::string text :
       {"65.5", "1e-1", "5e-324", "9223372036854775808", "18446744073709551615", "1e300", "1e19",
        // Each parses to the double 2^53, so the original number is lost.
        "9007199254740992.0", "9007199254740993.0", "-9007199254740993.0", "9007199254740992.5"}) {
    const v1::Participant participant = Decode(Room(), absl::StrCat("{\"error_code\":", text, "}"));
    EXPECT_FALSE(participant.room_participant_summary().has_error_code()) << text;
    EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType("error_code", text)));
  }
}

TEST(RecordDecoderTest, IntegersInDoubleFieldsAreExactOrUnrecognized) {
  const auto decode = [](const std::string& text) {
    return Decode(Conference(), absl::StrCat("{\"metrics\":{\"inbound\":{\"mos\":", text, "}}}"));
  };
  for (const std::string text : {"0", "4.4", "-0.0", "9007199254740991", "-9007199254740991",
                                 "1e308", "-1e308", "5e-324", "9007199254740993.0"}) {
    const v1::Participant participant = decode(text);
    EXPECT_THAT(participant.unrecognized(), IsEmpty()) << text;
    EXPECT_EQ(participant.conference_participant_summary().metrics().inbound().mos(),
              std::strtod(text.c_str(), nullptr));
  }
  for (const std::string text :
       {"9007199254740993", "-9007199254740993", "9223372036854775807", "18446744073709551615"}) {
    EXPECT_THAT(decode(text).unrecognized(), ElementsAre(WrongType("metrics.inbound.mos", text)));
  }
}

TEST(RecordDecoderTest, NegativeZeroKeepsItsSign) {
  const v1::Participant participant =
      Decode(Conference(), R"({"metrics":{"inbound":{"mos":-0.0,"packet_loss_percentage":0.0}}})");
  const auto& inbound = participant.conference_participant_summary().metrics().inbound();
  EXPECT_TRUE(std::signbit(inbound.mos()));
  EXPECT_FALSE(std::signbit(inbound.packet_loss_percentage()));
}

TEST(RecordDecoderTest, FirstOfDuplicateNamesIsDecodedAndOthersAreUnrecognized) {
  const v1::Participant participant =
      Decode(Conference(),
             R"({"label":"a","label":"b","label":null,"\u006cabel": [ ],"new":1,"new":1,
          "call_sid":7,"call_sid":"CA","url":null,"url":"u","events":{},"events":{"mute":[1]},
          "properties":{"play_early_media":true,"early_media":false,"early_media":null},
          "properties":{"enter_muted":true}})");
  const auto& summary = participant.conference_participant_summary();
  EXPECT_EQ(summary.label(), "a");
  EXPECT_FALSE(summary.has_call_sid());
  EXPECT_FALSE(summary.has_url());
  EXPECT_THAT(summary.events(), IsEmpty());
  EXPECT_TRUE(summary.properties().play_early_media());
  EXPECT_FALSE(summary.properties().has_enter_muted());
  EXPECT_THAT(participant.null_fields().paths(), ElementsAre("url"));
  EXPECT_THAT(participant.empty_fields().paths(), ElementsAre("events"));
  EXPECT_THAT(participant.unrecognized(),
              ElementsAre(Duplicate("label", "\"b\""), Duplicate("label", "null"),
                          Duplicate("label", "[ ]"), Unknown("new", "1"), Unknown("new", "1"),
                          WrongType("call_sid", "7"), Duplicate("call_sid", "\"CA\""),
                          Duplicate("url", "\"u\""), Duplicate("events", "{\"mute\":[1]}"),
                          Duplicate("properties.early_media", "false"),
                          Duplicate("properties.early_media", "null"),
                          Duplicate("properties", "{\"enter_muted\":true}")));
}

TEST(RecordDecoderTest, DuplicateEventsAreBothKept) {
  std::string many = R"({"mute":[1])";
  for (int i = 0; i < 1000; ++i) absl::StrAppend(&many, ",\"", i, "\":[]");
  for (const std::string& events :
       {std::string(R"({"mute":[1],"mute":[2]})"), std::string(R"({"":[],"mute":[],"":[]})"),
        many + R"(,"mute":[]})"}) {
    const v1::Participant participant =
        Decode(Conference(), absl::StrCat("{\"events\":", events, "}"));
    EXPECT_THAT(participant.conference_participant_summary().events(), IsEmpty());
    EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType("events", events)));
  }
}

TEST(RecordDecoderTest, ListWithOneWrongItemIsUnrecognizedAsAWhole) {
  for (const std::string list :
       {"[\"a\",1]", "[null]", "[\"a\",[\"b\"]]", "[{}]", "[true,\"a\"]"}) {
    const v1::Participant participant = Decode(Room(), absl::StrCat("{\"codecs\":", list, "}"));
    EXPECT_THAT(participant.room_participant_summary().codecs(), IsEmpty());
    EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType("codecs", list)));
  }
}

TEST(RecordDecoderTest, EnumValuesMustMatchExactly) {
  const auto decode = [](const std::string& text) {
    return Decode(Live(), absl::StrCat("{\"status\":\"", text, "\"}"));
  };
  EXPECT_EQ(decode("in-progress").live_participant().status(),
            v1::LIVE_PARTICIPANT_STATUS_IN_PROGRESS);
  EXPECT_EQ(decode("in\\u002dprogress").live_participant().status(),
            v1::LIVE_PARTICIPANT_STATUS_IN_PROGRESS);
  for (const std::string text :
       {"", "in_progress", "In-Progress", "complet", "completedx", " failed", "unspecified",
        "LIVE_PARTICIPANT_STATUS_FAILED", "failed\\u0000"}) {
    const v1::Participant participant = decode(text);
    EXPECT_FALSE(participant.live_participant().has_status()) << text;
    EXPECT_THAT(participant.unrecognized(),
                ElementsAre(UnknownValue("status", absl::StrCat("\"", text, "\""))));
  }
}

TEST(RecordDecoderTest, UnselectedFieldsAreNotDecoded) {
  const std::string json =
      R"({"label":"l","call_sid":7,"url":null,"new":1,"label":"again","coached_participants":[],
          "metrics":{"new":2,"inbound":{"mos":4.4,"new":3,"tags":[],"jitter":{"avg":null,"new":4}},
          "outbound":{"mos":"x"}}})";
  v1::Participant participant = Decode(Conference(), json, {"call_status"});
  EXPECT_TRUE(participant.has_conference_participant_summary());
  EXPECT_EQ(participant.conference_participant_summary().ByteSizeLong(), 0);
  EXPECT_FALSE(participant.has_null_fields());
  EXPECT_FALSE(participant.has_empty_fields());
  EXPECT_THAT(participant.unrecognized(), IsEmpty());

  participant = Decode(Conference(), json, {"label", "url"});
  EXPECT_EQ(participant.conference_participant_summary().label(), "l");
  EXPECT_FALSE(participant.conference_participant_summary().has_metrics());
  EXPECT_THAT(participant.null_fields().paths(), ElementsAre("url"));
  EXPECT_THAT(participant.unrecognized(), ElementsAre(Duplicate("label", "\"again\"")));

  participant = Decode(Conference(), json, {"metrics.inbound.mos", "metrics.inbound.jitter"});
  const auto& metrics = participant.conference_participant_summary().metrics();
  EXPECT_EQ(metrics.inbound().mos(), 4.4);
  EXPECT_FALSE(metrics.has_outbound());
  EXPECT_FALSE(participant.has_empty_fields());
  EXPECT_THAT(participant.null_fields().paths(), ElementsAre("metrics.inbound.jitter.avg"));
  EXPECT_THAT(participant.unrecognized(), ElementsAre(Unknown("metrics.inbound.jitter.new", "4")));

  participant = Decode(Conference(), json, {"metrics.outbound.mos"});
  EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType("metrics.outbound.mos", "\"x\"")));
  EXPECT_TRUE(participant.conference_participant_summary().metrics().has_outbound());
}

TEST(RecordDecoderTest, PartlySelectedObjectMayBeNullOrOfWrongType) {
  v1::Participant participant =
      Decode(Conference(), R"({"metrics":null})", {"metrics.inbound.mos"});
  EXPECT_THAT(participant.null_fields().paths(), ElementsAre("metrics"));
  participant = Decode(Conference(), R"({"metrics":[ 1]})", {"metrics.inbound.mos"});
  EXPECT_THAT(participant.unrecognized(), ElementsAre(WrongType("metrics", "[ 1]")));
  EXPECT_FALSE(participant.conference_participant_summary().has_metrics());
}

TEST(RecordDecoderTest, StrictRejectsUnrecognizedValues) {
  for (const char* json : {R"({"new":1})", R"({"label":1})", R"({"call_status":"new"})",
                           R"({"label":"a","label":"a"})", R"({"metrics":{"new":null}})"}) {
    const absl::Status status = DecodeRecord(Conference(), json, {}, true).status();
    EXPECT_EQ(ReasonOf(status), v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE) << json;
  }
  const absl::Status status =
      DecodeRecord(Conference(), R"({"from":"+1555","metrics":{"secret":"s3cr3t"}})", {}, true)
          .status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("metrics.secret"));
  EXPECT_THAT(std::string(status.message()), Not(HasSubstr("s3cr3t")));
  for (const char* json :
       {"{}", R"({"label":null,"events":{},"url":"","metrics":{},"coached_participants":[]})"}) {
    EXPECT_TRUE(DecodeRecord(Conference(), json, {}, true).ok()) << json;
  }
  // Unselected fields cannot fail the record.
  EXPECT_TRUE(DecodeRecord(Conference(), R"({"new":1,"url":1})", {"label"}, true).ok());
}

uint64_t IdentityOf(std::string json, FieldSelection selection = FieldSelection()) {
  DecoderScratch scratch;
  RecordDecoder decoder(scratch, Conference(), std::move(selection), false);
  const size_t size = json.size();
  json.append(RecordDecoder::kPadding, ' ');
  EXPECT_TRUE(decoder.Decode(absl::string_view(json).substr(0, size)).ok());
  return decoder.identity();
}

TEST(RecordDecoderTest, IdentityHashesTheSidOrElseTheWholeText) {
  // FNV-1a's published values for "a" and "foobar". The hash must never change: resume tokens
  // contain it across versions.
  EXPECT_EQ(IdentityOf(R"({"participant_sid":"a"})"), 0xaf63dc4c8601ec8c);
  EXPECT_EQ(IdentityOf(R"({"label":"x","participant_sid":"foob\u0061r"})"), 0x85944171f73967e8);
  google::protobuf::FieldMask mask;
  mask.add_paths("label");
  std::vector<std::string> unknown_paths;
  EXPECT_EQ(IdentityOf(R"({"participant_sid":"a","label":"y"})",
                       FieldSelection::FromMask(mask, Conference().object, unknown_paths)),
            0xaf63dc4c8601ec8c);

  std::set<uint64_t> identities;
  for (const char* json : {"{}", "{ }", R"({"label":"a"})", R"({"participant_sid":null})",
                           R"({"participant_sid":""})", R"({"participant_sid":7})"}) {
    EXPECT_TRUE(identities.insert(IdentityOf(json)).second) << json;
    EXPECT_EQ(identities.count(IdentityOf(json)), 1) << json;
  }
}

TEST(RecordDecoderTest, DecoderIsReusableAfterSuccessAndError) {
  DecoderScratch scratch;
  RecordDecoder decoder(scratch, Conference(), FieldSelection(), false);
  const auto decode = [&](std::string json) {
    const size_t size = json.size();
    json.append(RecordDecoder::kPadding, ' ');
    return decoder.Decode(absl::string_view(json).substr(0, size));
  };
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(decode(R"({"label":"a","url":null,"events":{},"x":1e999,"y":[1]})").ok());
    const v1::Participant small = ParseDecoded(decoder);
    EXPECT_THAT(small.unrecognized(), ElementsAre(Unknown("x", "1e999"), Unknown("y", "[1]")));
    EXPECT_THAT(small.null_fields().paths(), ElementsAre("url"));
    EXPECT_THAT(small.empty_fields().paths(), ElementsAre("events"));

    ASSERT_TRUE(decode(R"({"x":1,"label":)").ok());
    EXPECT_EQ(ParseDecoded(decoder).unrecognized_size(), 1);

    ASSERT_TRUE(decode(absl::StrCat(R"({"label":")", std::string(100000, 'x'), "\"}")).ok());
    const v1::Participant large = ParseDecoded(decoder);
    EXPECT_EQ(large.conference_participant_summary().label().size(), 100000);
    EXPECT_FALSE(large.has_null_fields());
    EXPECT_FALSE(large.has_empty_fields());
    EXPECT_THAT(large.unrecognized(), IsEmpty());
  }
}

// The lists of an event loop share one scratch and take turns like this.
TEST(RecordDecoderTest, DecodersWithSharedScratchDoNotInterfere) {
  DecoderScratch scratch;
  RecordDecoder conference(scratch, Conference(), FieldSelection(), false);
  RecordDecoder live(scratch, Live(), FieldSelection(), true);
  const std::string padding(RecordDecoder::kPadding, ' ');
  for (int i = 0; i < 3; ++i) {
    const std::string first = R"({"label":"a","x":1})" + padding;
    ASSERT_TRUE(conference.Decode(absl::StripSuffix(first, padding)).ok());
    EXPECT_EQ(ParseDecoded(conference).conference_participant_summary().label(), "a");
    const std::string second = R"({"label":"b","x":1})" + padding;
    EXPECT_EQ(ReasonOf(live.Decode(absl::StripSuffix(second, padding))),
              v1::ERROR_REASON_UPSTREAM_UNRECOGNIZED_VALUE);
    const v1::Participant participant = ParseDecoded(live);
    EXPECT_EQ(participant.live_participant().label(), "b");
    EXPECT_THAT(participant.unrecognized(), ElementsAre(Unknown("x", "1")));
  }
}

// A length of more than one byte is inserted before bytes already written.
TEST(RecordDecoderTest, NestedMessagesOfAnyLengthAreWrittenCorrectly) {
  for (size_t length = 0; length < 40000; length += length < 300 ? 1 : 997) {
    const std::string text(length, 'x');
    const v1::Participant participant = Decode(
        Conference(), absl::StrCat(R"({"metrics":{"inbound":{"tags":[")", text,
                                   R"(","b"],"mos":1.5},"outbound":{"mos":2.5}},"events":{")", text,
                                   R"(":[1,2],"b":[]},"label":"l","url":null})"));
    const auto& summary = participant.conference_participant_summary();
    ASSERT_THAT(summary.metrics().inbound().tags(), ElementsAre(text, "b"));
    ASSERT_EQ(summary.metrics().inbound().mos(), 1.5);
    ASSERT_EQ(summary.metrics().outbound().mos(), 2.5);
    ASSERT_EQ(summary.events().at(text).times_size(), 2);
    ASSERT_EQ(summary.events().at("b").times_size(), 0);
    ASSERT_EQ(summary.label(), "l");
    ASSERT_THAT(participant.null_fields().paths(), ElementsAre("url"));
  }
}

}  // namespace
}  // namespace rollcall::service
