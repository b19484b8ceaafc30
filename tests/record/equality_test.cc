// Random records from a seed: decoder and oracle must agree on each of them.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "service/provider/participant_api.h"
#include "tests/record/decode_record.h"
#include "tests/record/oracle.h"

namespace rollcall::service {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

struct Kind {
  const ParticipantApi& api;
  v1::Participant::RecordCase record;
};

const std::array<Kind, 4>& Kinds() {
  static const std::array<Kind, 4> kKinds = {{
      {TwilioVoiceInsights(), v1::Participant::kConferenceParticipantSummary},
      {TwilioVideoInsights(), v1::Participant::kRoomParticipantSummary},
      {SignalWire(), v1::Participant::kLiveParticipant},
      {TwilioCore(), v1::Participant::kLiveParticipant},
  }};
  return kKinds;
}

// Generates records. All choices come from the seed.
class RecordWriter {
 public:
  explicit RecordWriter(uint64_t seed) : random_(seed), spacious_(OneIn(3)) {}

  std::string Record(const Descriptor& message) {
    return absl::StrCat(Space(), Object(message), Space());
  }

  // Some paths of fields, in the message or in one of its objects.
  std::vector<std::string> Mask(const Descriptor& message) {
    std::vector<std::string> mask;
    for (size_t count = 1 + Below(4); count > 0; --count) {
      const Descriptor* at = &message;
      std::string path;
      do {
        const FieldDescriptor& field = *at->field(static_cast<int>(Below(at->field_count())));
        absl::StrAppend(&path, path.empty() ? "" : ".", field.name());
        at = IsTable(field) ? field.message_type() : nullptr;
      } while (at != nullptr && !OneIn(3));
      mask.push_back(path);
    }
    return mask;
  }

  // `json` with a few bytes changed, inserted and removed.
  std::string Damaged(std::string json) {
    static const std::string kBytes("{}[]\",:\\/ue01-+.tfn \n\0\x80\xC3\xFF", 25);
    for (size_t changes = 1 + Below(3); changes > 0 && !json.empty(); --changes) {
      const size_t position = Below(json.size());
      const char byte = kBytes[Below(kBytes.size())];
      if (OneIn(3)) {
        json[position] = byte;
      } else if (OneIn(2)) {
        json.insert(position, 1, byte);
      } else {
        json.erase(position, 1 + Below(4));
      }
    }
    return json;
  }

 private:
  size_t Below(size_t end) { return static_cast<size_t>(random_() % end); }
  size_t Below(int end) { return Below(static_cast<size_t>(end)); }
  bool OneIn(size_t count) { return Below(count) == 0; }

  template <size_t kCount>
  const char* OneOf(const char* const (&texts)[kCount]) {
    return texts[Below(kCount)];
  }

  static bool IsTable(const FieldDescriptor& field) {
    return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !field.is_map() &&
           field.message_type()->file()->package() == "rollcall.v1";
  }

  std::string Space() {
    std::string space;
    while (spacious_ && OneIn(3)) space.push_back(" \n\t\r"[Below(4)]);
    return space;
  }

  // Plain text as a JSON string; some characters are escaped.
  std::string Quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) {
      if (OneIn(40)) {
        const std::string code = absl::StrCat(absl::Hex(c, absl::kZeroPad4));
        json += "\\u" + (OneIn(2) ? code : absl::AsciiStrToUpper(code));
      } else {
        json.push_back(c);
      }
    }
    json.push_back('"');
    return json;
  }

  std::string String() {
    std::string json = "\"";
    for (size_t pieces = Below(8); pieces > 0; --pieces) {
      json += OneOf({"a",
                     "label",
                     " ",
                     "é",
                     "€",
                     "😀",
                     "\u2028",
                     "{",
                     "}",
                     "[",
                     "]",
                     ",",
                     ":",
                     "'",
                     "1e999",
                     "+15550100",
                     "\\\"",
                     "\\\\",
                     "\\/",
                     "\\b",
                     "\\f",
                     "\\n",
                     "\\r",
                     "\\t",
                     "\\u0000",
                     "\\u0041",
                     "\\u00E9",
                     "\\ud83d\\ude00",
                     "\\uD83D\\uDE00",
                     "\\uffff",
                     "\\u2028",
                     "client:x",
                     "\x7F"});
    }
    return json + "\"";
  }

  std::string Number() {
    switch (Below(5)) {
      case 0:
        return OneOf({"0",
                      "-0",
                      "0.0",
                      "-0.0",
                      "1",
                      "65",
                      "65.0",
                      "6.5e1",
                      "1E+2",
                      "1e-2",
                      "4.4",
                      "0.1",
                      "0e5",
                      "0e99999999999999999999",
                      "5e-324",
                      "1e-400",
                      "1e308",
                      "-1.7976931348623157E308",
                      "9007199254740991",
                      "9007199254740992",
                      "9007199254740993",
                      "-9007199254740991",
                      "-9007199254740993",
                      "9007199254740991.0",
                      "9007199254740993.0",
                      "9223372036854775807",
                      "9223372036854775808",
                      "-9223372036854775808",
                      "-9223372036854775809",
                      "18446744073709551615",
                      "18446744073709551616",
                      "123456789012345678901234567890",
                      "315576000000",
                      "315576000001",
                      "-315576000001",
                      "253402300799999",
                      "253402300800000",
                      "-62135596800000",
                      "-62135596800001"});
      case 1:
        return absl::StrCat(static_cast<int64_t>(random_()));
      case 2:
        return absl::StrCat(static_cast<int64_t>(random_() % 4000000000000) - 1000000000000);
      case 3: {
        const double real = std::uniform_real_distribution<double>(-1e6, 1e6)(random_);
        return OneIn(3)   ? absl::StrFormat("%.17g", real)
               : OneIn(2) ? absl::StrFormat("%.3f", real)
                          : absl::StrFormat("%e", real);
      }
      default:
        return absl::StrCat(Below(100));
    }
  }

  std::string Time() {
    const absl::Time time =
        absl::FromUnixMillis(static_cast<int64_t>(random_() % 8000000000000) - 4000000000000) +
        absl::Nanoseconds(OneIn(2) ? 0 : static_cast<int64_t>(Below(1000000)));
    const absl::TimeZone zone =
        OneIn(2) ? absl::UTCTimeZone()
                 : absl::FixedTimeZone((static_cast<int>(Below(2 * 1439)) - 1439) * 60);
    if (OneIn(6)) {
      return OneOf({"", "Mon, 24 Sept 2018 21:00:00 +0000", "2021-02-29T00:00:00Z",
                    "2021-10-08T02:58:60Z", "2021-10-08T02:58:51", "yesterday", "0",
                    "2021-10-08T02:58:51.1234567890Z", "0001-01-01T00:00:00+23:59",
                    "9999-12-31T23:59:59.999999999Z", "31 Apr 2020 00:00:00 +0000"});
    }
    return absl::FormatTime(
        OneOf({"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%E*S%Ez", "%Y-%m-%dT%H:%M:%E3S%z",
               "%a, %d %b %Y %H:%M:%S %z", "%e %B %Y %H:%M GMT", "%A, %d %b %Y %H:%M:%S UTC"}),
        time, zone);
  }

  // A member name, usually one that no message has.
  std::string Name() {
    return OneIn(4) ? String()
                    : Quoted(OneOf({"new", "from_address", "to_address", "duration", "a.b", "a'b",
                                    "Label", "label_", "", "early_media", "null_fields",
                                    "call_state", "seconds", "mute", "$ref", "0"}));
  }

  std::string List(size_t count, std::string (RecordWriter::*item)()) {
    std::string json = "[" + Space();
    for (size_t i = 0; i < count; ++i) {
      absl::StrAppend(&json, i > 0 ? "," + Space() : "", (this->*item)(), Space());
    }
    return json + "]";
  }

  std::string Members(const std::vector<std::pair<std::string, std::string>>& members) {
    std::string json = "{" + Space();
    for (size_t i = 0; i < members.size(); ++i) {
      absl::StrAppend(&json, i > 0 ? "," + Space() : "", members[i].first, Space(), ":", Space(),
                      members[i].second, Space());
    }
    return json + "}";
  }

  std::string Anything() { return AnythingWithin(3); }

  std::string AnythingWithin(size_t depth) {
    switch (Below(depth == 0 ? 5 : 7)) {
      case 0:
        return OneOf({"null", "true", "false"});
      case 1:
      case 2:
        return Number();
      case 3:
        return String();
      case 4:
        return OneOf({"[]", "{}", "[ ]", "{\n}", "[[]]", "[{}]", "{\"\":{}}"});
      case 5: {
        std::string json = "[";
        for (size_t i = 0, count = 1 + Below(3); i < count; ++i) {
          absl::StrAppend(&json, i > 0 ? "," : "", Space(), AnythingWithin(depth - 1), Space());
        }
        return json + "]";
      }
      default: {
        std::vector<std::pair<std::string, std::string>> members;
        for (size_t count = 1 + Below(3); count > 0; --count) {
          members.emplace_back(Name(), AnythingWithin(depth - 1));
        }
        return Members(members);
      }
    }
  }

  std::string Events() {
    std::vector<std::pair<std::string, std::string>> events;
    for (size_t count = Below(4); count > 0; --count) {
      const std::string name =
          OneIn(5) ? String() : Quoted(OneOf({"mute", "unmute", "hold", "coaching_stopped"}));
      events.emplace_back(name, OneIn(20) ? Anything() : List(Below(4), &RecordWriter::Moment));
    }
    return Members(events);
  }

  std::string Moment() {
    return OneIn(8) ? Number() : absl::StrCat(1633705131000 + static_cast<int64_t>(Below(100000)));
  }

  std::string Value(const FieldDescriptor& field) {
    if (OneIn(10)) return "null";
    if (OneIn(7)) return Anything();
    if (field.is_map()) return Events();
    if (field.is_repeated()) return List(Below(4), &RecordWriter::String);
    if (IsTable(field)) return Object(*field.message_type());
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        return String();
      case FieldDescriptor::CPPTYPE_BOOL:
        return OneOf({"true", "false"});
      case FieldDescriptor::CPPTYPE_ENUM: {
        const auto* const type = field.enum_type();
        return Quoted(ProviderText(*type->value(static_cast<int>(Below(type->value_count())))));
      }
      case FieldDescriptor::CPPTYPE_MESSAGE:
        if (field.message_type() == google::protobuf::Timestamp::descriptor()) {
          return Quoted(Time());
        }
        return OneIn(2) ? Number() : Quoted(Number());
      default:
        return Number();
    }
  }

  std::string Object(const Descriptor& message) {
    std::vector<std::pair<std::string, std::string>> members;
    const size_t sparse = 1 + Below(3);
    for (const std::string& name : ProviderNames(message)) {
      const FieldDescriptor* field = message.FindFieldByName(name);
      if (field == nullptr) field = FieldOf(message, name);
      if (!OneIn(sparse)) continue;
      members.emplace_back(Quoted(name), Value(*field));
    }
    while (OneIn(3)) members.emplace_back(Name(), Anything());
    if (!members.empty() && OneIn(6)) {  // a duplicate name
      const std::pair<std::string, std::string> twice = members[Below(members.size())];
      members.emplace_back(twice.first, OneIn(2) ? twice.second : Anything());
    }
    if (OneIn(2)) std::shuffle(members.begin(), members.end(), random_);
    return Members(members);
  }

  // The field for which the provider uses another name.
  static const FieldDescriptor* FieldOf(const Descriptor& message, const std::string& name) {
    return message.FindFieldByName(name == "early_media" ? "play_early_media"
                                   : name == "from"      ? "from_address"
                                   : name == "to"        ? "to_address"
                                                         : "duration");
  }

  std::mt19937_64 random_;
  const bool spacious_;
};

// Runs `check` for the seeds 1 to `count`, or only for the seed in the environment variable.
template <class Check>
void ForEachSeed(uint64_t count, const Check& check) {
  constexpr const char* kVariable = "ROLLCALL_RECORD_SEED";
  uint64_t first = 1;
  uint64_t last = count;
  if (const char* const chosen = std::getenv(kVariable); chosen != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(chosen, &first)) << kVariable << " must be a number";
    last = first;
  }
  for (uint64_t seed = first; seed <= last && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("to replay: ", kVariable, "=", seed));
    check(seed);
  }
}

const Descriptor& MessageOf(const Kind& kind) {
  return *v1::Participant::descriptor()->FindFieldByNumber(kind.record)->message_type();
}

TEST(EqualityTest, DecoderAndOracleAgreeOnRandomRecords) {
  uint64_t with_drift = 0;
  uint64_t without_drift = 0;
  ForEachSeed(20000, [&](uint64_t seed) {
    const Kind& kind = Kinds()[seed % Kinds().size()];
    RecordWriter writer(seed);
    const std::string json = writer.Record(MessageOf(kind));
    const std::optional<v1::Participant> expected = DecodeByOracle(json, kind.record);
    ASSERT_TRUE(expected.has_value()) << json;
    const absl::StatusOr<v1::Participant> actual = DecodeRecord(kind.api.record_schema(), json);
    ASSERT_TRUE(actual.ok()) << actual.status() << "\n" << json;
    EXPECT_TRUE(SameParticipant(*expected, *actual, json)) << json;
    ++(actual->unrecognized().empty() ? without_drift : with_drift);
  });
  RecordProperty("records_with_drift", static_cast<int>(with_drift));
  RecordProperty("records_without_drift", static_cast<int>(without_drift));
}

TEST(EqualityTest, DecoderAndOracleAgreeUnderReadMasks) {
  ForEachSeed(5000, [](uint64_t seed) {
    const Kind& kind = Kinds()[seed % Kinds().size()];
    RecordWriter writer(seed);
    const std::string json = writer.Record(MessageOf(kind));
    const std::vector<std::string> mask = writer.Mask(MessageOf(kind));
    const std::optional<v1::Participant> expected = DecodeByOracle(json, kind.record, mask);
    ASSERT_TRUE(expected.has_value()) << json;
    const absl::StatusOr<v1::Participant> actual =
        DecodeRecord(kind.api.record_schema(), json, mask);
    ASSERT_TRUE(actual.ok()) << actual.status() << "\n" << json;
    EXPECT_TRUE(SameParticipant(*expected, *actual, json)) << testing::PrintToString(mask) << "\n"
                                                           << json;
  });
}

TEST(EqualityTest, DecoderAndOracleAgreeOnDamagedRecords) {
  ForEachSeed(10000, [](uint64_t seed) {
    const Kind& kind = Kinds()[seed % Kinds().size()];
    RecordWriter writer(seed);
    const std::string json = writer.Damaged(writer.Record(MessageOf(kind)));
    const std::optional<v1::Participant> expected = DecodeByOracle(json, kind.record);
    const absl::StatusOr<v1::Participant> actual = DecodeRecord(kind.api.record_schema(), json);
    ASSERT_TRUE(actual.ok()) << actual.status() << "\n" << json;
    if (expected) {
      EXPECT_TRUE(SameParticipant(*expected, *actual, json)) << json;
    } else {
      EXPECT_GT(actual->unrecognized_size(), 0) << json;
    }
  });
}

}  // namespace
}  // namespace rollcall::service
