// Tests every field of every API, also nested ones, in every state that a provider can send: a full
// record with that one field changed must decode to the full participant with that one difference.
// The fields come from testdata/upstream_fields.json, a table of what the providers publish and of
// what was observed:
//
//   name, alias   the field's names at the provider
//   proto         its name in the message, if different
//   type          how it is written
//   values        of an enum, all values
//   known         of an open set, some values
//   fields        of an object
#include <fstream>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "service/provider/participant_api.h"
#include "tests/paths.h"
#include "tests/record/decode_record.h"
#include "tests/record/oracle.h"

namespace rollcall::service {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::util::MessageDifferencer;
using nlohmann::ordered_json;
using v1::UnrecognizedValue;

// JSON texts for a field, by the expected outcome.
struct Texts {
  std::vector<std::string> set;  // the first is a typical one
  std::vector<std::string> empty;
  std::vector<std::string> wrong;
  std::vector<std::string> unknown;
};

std::string Quoted(const std::string& text) { return ordered_json(text).dump(); }

std::string LongText() { return std::string(100 * 1024, 'x'); }

std::vector<std::string> Plus(std::vector<std::string> texts,
                              const std::vector<std::string>& more) {
  texts.insert(texts.end(), more.begin(), more.end());
  return texts;
}

// Values of each JSON type, as texts that are valid for few fields.
const std::vector<std::string> kBooleans = {"true", "false"};
const std::vector<std::string> kNumbers = {"0",     "-1",
                                           "7",     "1.5",
                                           "1e308", "9223372036854775808",
                                           "1e999", "123456789012345678901234567890"};
const std::vector<std::string> kStrings = {R"("")",     R"("text")", R"("7")",
                                           R"("true")", R"("null")", R"("\u00e9\ud83d\ude00")"};
const std::vector<std::string> kArrays = {"[]", "[ null ]", "[7]", "[\"text\"]", "[[]]", "[{}]"};
const std::vector<std::string> kObjects = {"{}", "{ \"a\" : 1.50 }", "{\"\":[{}]}"};
const std::vector<std::string> kStructures = Plus(kArrays, kObjects);

Texts TextsOf(const std::string& type) {
  Texts texts;
  if (type == "string") {
    texts.set = Plus({R"("typical text")", Quoted(LongText()), R"("\u0000")"}, kStrings);
    texts.wrong = Plus(Plus(kBooleans, kNumbers), kStructures);
  } else if (type == "enum") {
    texts.unknown = Plus({Quoted(LongText()), R"("unspecified")", R"("\u0000")"}, kStrings);
    texts.wrong = Plus(Plus(kBooleans, kNumbers), kStructures);
  } else if (type == "boolean") {
    texts.set = kBooleans;
    texts.wrong = Plus(Plus(kNumbers, kStrings), kStructures);
  } else if (type == "integer") {
    texts.set = {"65",
                 "0",
                 "-0",
                 "-1",
                 "65.0",
                 "6.5e1",
                 "2147483648",
                 "9007199254740993",
                 "9223372036854775807",
                 "-9223372036854775808"};
    texts.wrong = Plus(Plus({"1.5", "9223372036854775808", "-9223372036854775809",
                             "18446744073709551615", "1e308", "1e999", "9007199254740993.0"},
                            Plus(kBooleans, kStrings)),
                       kStructures);
  } else if (type == "number") {
    texts.set = {"4.4", "0", "0.0", "-0.0", "7", "-1", "1e308", "5e-324", "9007199254740991"};
    texts.wrong = Plus(Plus({"9007199254740993", "-9007199254740993", "9223372036854775807",
                             "18446744073709551615", "1e999", "123456789012345678901234567890"},
                            Plus(kBooleans, kStrings)),
                       kStructures);
  } else if (type == "seconds") {
    texts.set = {"65", "0", "-1", "65.0", "50000000", "315576000000", "-315576000000"};
    texts.wrong =
        Plus(Plus({"65.5", "315576000001", "-315576000001", "9223372036854775807", "1e999"},
                  Plus(kBooleans, kStrings)),
             kStructures);
  } else if (type == "milliseconds text") {
    texts.set = {R"("1500")", R"("0")", R"("-1")", R"("7")", R"("315576000000999")"};
    texts.wrong = Plus(Plus({R"("")", R"("1.5")", R"(" 7")", R"("7 ms")", R"("+7")", R"("1e3")",
                             R"("315576000001000")", R"("9223372036854775808")", R"("\u0000")"},
                            Plus(kBooleans, kNumbers)),
                       kStructures);
  } else if (type == "time") {
    texts.set = {R"("2021-10-08T02:58:51Z")",
                 R"("2021-10-08T02:58:51+00:00")",
                 R"("2021-10-08T02:58:51.000Z")",
                 R"("2021-10-08T02:58:51.123456789-11:30")",
                 R"("0001-01-01T00:00:00Z")",
                 R"("9999-12-31T23:59:59.999999999Z")",
                 R"("Sat, 19 Feb 2011 21:07:19 +0000")",
                 R"("Mon, 24 Sept 2018 21:00:00 +0000")",
                 R"("\u0032021-10-08T02:58:51Z")"};
    texts.wrong = Plus(Plus({R"("2021-13-08T02:58:51Z")", R"("2021-10-08T02:58:51")",
                             R"("2021-10-08")", R"("yesterday")", "1633661931", Quoted(LongText())},
                            Plus(kStrings, Plus(kBooleans, kNumbers))),
                       kStructures);
  } else if (type == "strings") {
    texts.set = {R"(["a","b"])", R"([""])", R"(["a","a"])", "[" + Quoted(LongText()) + "]"};
    texts.empty = {"[]", "[ ]", "[\n]"};
    texts.wrong = Plus(Plus({"[null]", R"(["a",1])", R"(["a",[]])", "[{}]", "[1e999]", "[true]"},
                            Plus(kBooleans, kNumbers)),
                       Plus(kStrings, kObjects));
  } else if (type == "event times") {
    texts.set = {R"({"mute":[1633705131000]})", R"({"mute":[]})",
                 R"({"mute":[0,-1,1],"":[-62135596800000],"a.b":[253402300799999,5.0]})"};
    texts.empty = {"{}", "{ }"};
    texts.wrong =
        Plus(Plus({R"({"mute":null})", R"({"mute":1})", R"({"mute":"https://x"})", R"({"mute":{}})",
                   R"({"mute":[null]})", R"({"mute":["1"]})", R"({"mute":[1.5]})",
                   R"({"mute":[[]]})", R"({"mute":[1e999]})", R"({"mute":1e999})",
                   R"({"mute":[253402300800000]})", R"({"mute":[-62135596800001]})",
                   R"({"mute":[1],"mute":[2]})", R"({"mute":[1],"hold":[1,true]})"},
                  Plus(kBooleans, kNumbers)),
             Plus(kStrings, kArrays));
  } else if (type == "object") {
    texts.wrong = Plus(Plus(kBooleans, kNumbers), Plus(kStrings, kArrays));
  } else {
    ADD_FAILURE() << "unknown type in upstream_fields.json: " << type;
  }
  return texts;
}

// A field of the table, with everything needed to test it.
struct Field {
  std::string name;
  std::string alias;  // empty if there is none
  std::string proto;
  std::vector<std::string> object;        // the enclosing objects, in the provider's names
  std::vector<std::string> proto_object;  // and in our names
  std::vector<std::string> below;         // the provider's names of the fields within it
  Texts texts;

  std::string Path() const { return absl::StrJoin(Plus(object, {name}), "."); }
  std::string ProtoPath() const { return absl::StrJoin(Plus(proto_object, {proto}), "."); }
};

struct Api {
  std::string name;
  const ParticipantApi* api = nullptr;
  v1::Participant::RecordCase record = v1::Participant::RECORD_NOT_SET;
  std::vector<Field> fields;  // objects before their members
};

void AddFields(const ordered_json& table, const std::vector<std::string>& object,
               const std::vector<std::string>& proto_object, std::vector<Field>& fields) {
  for (const ordered_json& row : table) {
    Field field;
    field.name = row.at("name").get<std::string>();
    field.alias = row.value("alias", "");
    field.proto = row.value("proto", field.name);
    field.object = object;
    field.proto_object = proto_object;
    const std::string type = row.at("type").get<std::string>();
    field.texts = TextsOf(type);
    for (const ordered_json& value : row.value("values", ordered_json::array())) {
      field.texts.set.push_back(value.dump());
      field.texts.unknown.push_back(Quoted(value.get<std::string>() + " "));
      field.texts.unknown.push_back(Quoted("x" + value.get<std::string>()));
    }
    for (const ordered_json& value : row.value("known", ordered_json::array())) {
      field.texts.set.push_back(type == "strings"       ? "[" + value.dump() + "]"
                                : type == "event times" ? "{" + value.dump() + ":[1,2]}"
                                                        : value.dump());
    }
    const ordered_json below = row.value("fields", ordered_json::array());
    for (const ordered_json& inner : below) field.below.push_back(inner.at("name"));
    fields.push_back(field);
    AddFields(below, Plus(object, {field.name}), Plus(proto_object, {field.proto}), fields);
  }
}

std::vector<Api> ReadTable() {
  std::ifstream file(SourcePath("tests/testdata/upstream_fields.json"));
  const ordered_json table = ordered_json::parse(file);
  const std::map<std::string, const ParticipantApi*> apis_by_name = {
      {"twilio_voice_insights", &TwilioVoiceInsights()},
      {"twilio_video_insights", &TwilioVideoInsights()},
      {"twilio_core", &TwilioCore()},
      {"signalwire", &SignalWire()},
  };
  std::vector<Api> apis;
  for (const ordered_json& row : table.at("apis")) {
    Api api;
    api.name = row.at("api").get<std::string>();
    api.api = apis_by_name.at(api.name);
    api.record = static_cast<v1::Participant::RecordCase>(
        v1::Participant::descriptor()->FindFieldByName(row.at("record"))->number());
    AddFields(row.at("fields"), {}, {}, api.fields);
    apis.push_back(api);
  }
  return apis;
}

const std::vector<Api>& Apis() {
  static const auto* const kApis = new std::vector<Api>(ReadTable());
  return *kApis;
}

class ConformanceTest : public testing::TestWithParam<size_t> {
 protected:
  // Members to write instead of a field: names and JSON texts.
  using Members = std::vector<std::pair<std::string, std::string>>;

  const Api& api() const { return Apis()[GetParam()]; }

  // A record that has every field, with these members instead of `field` and of everything inside
  // it.
  std::string Record(const Field& field, const Members& members) const {
    return Object({}, field, members);
  }

  // The participant of a record that has every field but this one.
  v1::Participant Without(const Field& field) const { return ByOracle(Record(field, {})); }

  v1::Participant ByOracle(const std::string& json) const {
    const std::optional<v1::Participant> participant = DecodeByOracle(json, api().record);
    EXPECT_TRUE(participant.has_value()) << json;
    return participant.value_or(v1::Participant());
  }

  // Expects the record to decode to this participant.
  void Expect(const v1::Participant& participant, const std::string& json) const {
    const absl::StatusOr<v1::Participant> decoded = DecodeRecord(api().api->record_schema(), json);
    ASSERT_TRUE(decoded.ok()) << decoded.status() << "\n" << json;
    std::string differences;
    MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&differences);
    EXPECT_TRUE(differencer.Compare(participant, *decoded)) << differences << "\n" << json;
  }

  void ExpectUnrecognized(const Field& field, const std::string& name, const std::string& text,
                          UnrecognizedValue::Kind kind, v1::Participant expected,
                          const std::string& json) const {
    auto* const unrecognized = expected.add_unrecognized();
    unrecognized->set_path(absl::StrJoin(Plus(field.object, {name}), "."));
    unrecognized->set_json(text);
    unrecognized->set_kind(kind);
    Expect(expected, json);
  }

  void ForEachField(const std::function<void(const Field&)>& check) const {
    for (const Field& field : api().fields) {
      SCOPED_TRACE(field.Path());
      check(field);
      if (HasFatalFailure()) return;
    }
  }

 private:
  std::string Object(const std::vector<std::string>& object, const Field& changed,
                     const Members& members) const {
    std::vector<std::string> texts;
    for (const Field& field : api().fields) {
      if (field.object != object) continue;
      if (&field == &changed) {
        for (const auto& [name, text] : members) {
          texts.push_back(absl::StrCat(Quoted(name), ":", text));
        }
        continue;
      }
      const std::string text = field.below.empty()
                                   ? field.texts.set.front()
                                   : Object(Plus(object, {field.name}), changed, members);
      texts.push_back(absl::StrCat(Quoted(field.name), ":", text));
    }
    return absl::StrCat("{", absl::StrJoin(texts, ","), "}");
  }
};

// Whether the record has the field; for a repeated field or a map, whether it is not empty.
bool Has(const v1::Participant& participant, v1::Participant::RecordCase record,
         const Field& field) {
  const auto* const of_record = v1::Participant::descriptor()->FindFieldByNumber(record);
  const Message* message = &participant.GetReflection()->GetMessage(participant, of_record);
  for (const std::string& name : field.proto_object) {
    const FieldDescriptor* const inner = message->GetDescriptor()->FindFieldByName(name);
    message = &message->GetReflection()->GetMessage(*message, inner);
  }
  const FieldDescriptor* const last = message->GetDescriptor()->FindFieldByName(field.proto);
  return last->is_repeated() ? message->GetReflection()->FieldSize(*message, last) > 0
                             : message->GetReflection()->HasField(*message, last);
}

TEST_P(ConformanceTest, TableCoversEveryFieldOfTheMessage) {
  std::map<std::string, int> fields;
  for (const Field& field : api().fields) ++fields[absl::StrJoin(field.proto_object, ".")];
  const auto* const record = v1::Participant::descriptor()->FindFieldByNumber(api().record);
  const int missing = record->message_type()->field_count() - fields[""];
  // SignalWire's participants have neither label nor queue_time.
  EXPECT_EQ(missing, api().name == "signalwire" ? 2 : 0);
}

TEST_P(ConformanceTest, AbsentFieldLeavesNoTrace) {
  ForEachField([&](const Field& field) {
    const v1::Participant expected = Without(field);
    EXPECT_FALSE(Has(expected, api().record, field));
    EXPECT_FALSE(expected.has_null_fields());
    EXPECT_FALSE(expected.has_empty_fields());
    EXPECT_EQ(expected.unrecognized_size(), 0);
    Expect(expected, Record(field, {}));
  });
}

TEST_P(ConformanceTest, NullIsReportedInNullFields) {
  ForEachField([&](const Field& field) {
    v1::Participant expected = Without(field);
    expected.mutable_null_fields()->add_paths(field.ProtoPath());
    Expect(expected, Record(field, {{field.name, "null"}}));
    if (!field.alias.empty()) Expect(expected, Record(field, {{field.alias, "null"}}));
  });
}

TEST_P(ConformanceTest, ValueIsDecoded) {
  ForEachField([&](const Field& field) {
    for (const std::string& text : field.texts.set) {
      for (const std::string& name : {field.name, field.alias}) {
        if (name.empty()) continue;
        const std::string json = Record(field, {{name, text}});
        const v1::Participant expected = ByOracle(json);
        EXPECT_TRUE(Has(expected, api().record, field)) << text;
        EXPECT_FALSE(expected.has_null_fields());
        EXPECT_FALSE(expected.has_empty_fields());
        EXPECT_EQ(expected.unrecognized_size(), 0) << text;
        Expect(expected, json);
      }
    }
  });
}

TEST_P(ConformanceTest, EmptyObjectIsPresent) {
  ForEachField([&](const Field& field) {
    if (field.below.empty()) return;
    const std::string json = Record(field, {{field.name, "{ }"}});
    const v1::Participant expected = ByOracle(json);
    EXPECT_TRUE(Has(expected, api().record, field));
    EXPECT_FALSE(expected.has_empty_fields());
    EXPECT_EQ(expected.unrecognized_size(), 0);
    Expect(expected, json);
  });
}

TEST_P(ConformanceTest, EmptyListOrMapIsReportedInEmptyFields) {
  ForEachField([&](const Field& field) {
    v1::Participant expected = Without(field);
    expected.mutable_empty_fields()->add_paths(field.ProtoPath());
    for (const std::string& text : field.texts.empty) {
      Expect(expected, Record(field, {{field.name, text}}));
    }
  });
}

TEST_P(ConformanceTest, WrongTypeIsKeptAsUnrecognized) {
  ForEachField([&](const Field& field) {
    const v1::Participant without = Without(field);
    for (const std::string& text : field.texts.wrong) {
      // An empty list or map is valid for some fields.
      if (testing::Matches(testing::Contains(text))(field.texts.empty)) continue;
      // So is a list or text of the right form.
      if (testing::Matches(testing::Contains(text))(field.texts.set)) continue;
      for (const std::string& name : {field.name, field.alias}) {
        if (name.empty()) continue;
        ExpectUnrecognized(field, name, text, UnrecognizedValue::KIND_WRONG_TYPE, without,
                           Record(field, {{name, text}}));
      }
    }
  });
}

TEST_P(ConformanceTest, UnknownEnumValueIsKeptAsUnrecognized) {
  ForEachField([&](const Field& field) {
    const v1::Participant without = Without(field);
    for (const std::string& text : field.texts.unknown) {
      ExpectUnrecognized(field, field.name, text, UnrecognizedValue::KIND_UNKNOWN_ENUM_VALUE,
                         without, Record(field, {{field.name, text}}));
    }
  });
}

TEST_P(ConformanceTest, UnknownSiblingFieldIsKeptAsUnrecognized) {
  ForEachField([&](const Field& field) {
    const std::string typical = field.below.empty() ? field.texts.set.front() : "{}";
    const std::string text = R"({ "x":[1, 2.50,"\u00e9\/"] ,"x":1e999})";
    const v1::Participant expected = ByOracle(Record(field, {{field.name, typical}}));
    ExpectUnrecognized(field, "a_new_field", text, UnrecognizedValue::KIND_UNKNOWN_FIELD, expected,
                       Record(field, {{field.name, typical}, {"a_new_field", text}}));
    ExpectUnrecognized(field, "a_new_field", "null", UnrecognizedValue::KIND_UNKNOWN_FIELD,
                       expected, Record(field, {{"a_new_field", "null"}, {field.name, typical}}));
  });
}

TEST_P(ConformanceTest, DuplicateIsKeptAsUnrecognized) {
  ForEachField([&](const Field& field) {
    const std::string typical = field.below.empty() ? field.texts.set.front() : "{}";
    const v1::Participant once = ByOracle(Record(field, {{field.name, typical}}));
    v1::Participant null = Without(field);
    null.mutable_null_fields()->add_paths(field.ProtoPath());
    for (const std::string& again : {field.name, field.alias}) {
      if (again.empty()) continue;
      const auto duplicate = UnrecognizedValue::KIND_DUPLICATE_FIELD;
      ExpectUnrecognized(field, again, typical, duplicate, once,
                         Record(field, {{field.name, typical}, {again, typical}}));
      ExpectUnrecognized(field, again, "null", duplicate, once,
                         Record(field, {{field.name, typical}, {again, "null"}}));
      ExpectUnrecognized(field, again, "[1.0 ]", duplicate, once,
                         Record(field, {{field.name, typical}, {again, "[1.0 ]"}}));
      ExpectUnrecognized(field, again, typical, duplicate, null,
                         Record(field, {{field.name, "null"}, {again, typical}}));
    }
  });
}

TEST_P(ConformanceTest, ReadMaskOfOneFieldDecodesOnlyThatField) {
  ForEachField([&](const Field& field) {
    const std::string typical = field.below.empty() ? field.texts.set.front() : "{}";
    const std::string json =
        Record(field, {{"a_new_field", "1"}, {field.name, typical}, {field.name, "7"}});
    const std::optional<v1::Participant> expected =
        DecodeByOracle(json, api().record, {field.ProtoPath()});
    ASSERT_TRUE(expected.has_value());
    EXPECT_TRUE(Has(*expected, api().record, field));
    EXPECT_EQ(expected->unrecognized_size(), 1);
    const absl::StatusOr<v1::Participant> decoded =
        DecodeRecord(api().api->record_schema(), json, {field.ProtoPath()});
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_TRUE(SameParticipant(*expected, *decoded, json)) << json;
  });
}

INSTANTIATE_TEST_SUITE_P(Apis, ConformanceTest, testing::Range(size_t{0}, Apis().size()),
                         [](const auto& param) { return Apis()[param.param].name; });

}  // namespace
}  // namespace rollcall::service
