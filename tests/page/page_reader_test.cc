// The page reader must give the same records and envelope for every split of a page into chunks,
// each record as soon as its last byte arrives, and must reject everything that is not a page.
#include "service/page/page_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "tests/paths.h"

namespace rollcall::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The result of reading a page, with the number of bytes appended when the reader returned each
// record.
struct Reading {
  std::vector<std::string> records;
  std::vector<size_t> record_out_at;
  std::vector<std::string> envelope;
  absl::Status status;

  bool operator==(const Reading& other) const {
    return records == other.records && envelope == other.envelope &&
           ReasonOf(status) == ReasonOf(other.status);
  }
};

// Reads until the reader needs input. False after an error.
bool Drain(PageReader& reader, Reading& reading) {
  while (true) {
    const auto event = reader.Next();
    if (!event.ok()) {
      reading.status = event.status();
      return false;
    }
    switch (*event) {
      case PageReader::Event::kRecord:
        reading.records.emplace_back(reader.record());
        reading.record_out_at.push_back(reader.bytes_appended());
        break;
      case PageReader::Event::kEnvelopeMember:
        reading.envelope.push_back(
            absl::StrCat(reader.envelope_key(), "=", reader.envelope_value()));
        break;
      case PageReader::Event::kNeedInput:
      case PageReader::Event::kEnd:
        return true;
    }
  }
}

Reading ReadInPieces(const std::vector<absl::string_view>& pieces, const PageLimits& limits = {}) {
  PageReader reader("participants", limits);
  Reading reading;
  for (const absl::string_view piece : pieces) {
    reader.Append(piece);
    if (!Drain(reader, reading)) return reading;
  }
  reading.status = reader.Finish();
  return reading;
}

Reading ReadWhole(absl::string_view page, const PageLimits& limits = {}) {
  return ReadInPieces({page}, limits);
}

Reading ReadByteByByte(absl::string_view page) {
  std::vector<absl::string_view> bytes;
  for (size_t i = 0; i < page.size(); ++i) bytes.push_back(page.substr(i, 1));
  return ReadInPieces(bytes);
}

std::string Seed(const std::string& name) {
  std::ifstream file(SourcePath(absl::StrCat("tests/testdata/seeds/", name)));
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// A page with brackets, quotes and escapes in misleading places.
constexpr absl::string_view kTricky =
    " {\"a\": [1, {\"participants\": [{}]}], \"\\u0070articipants_\" : \"}]\\\"{\", \"n\":null,\r\n"
    "\"participants\":[ {\"label\":\"brace } quote \\\" backslash \\\\\"} ,\n"
    "{\"nested\":{\"a\":[[],{\"b\":\"]\"}]},\"\\\\\\\"\":\"\\\\\"},{}\t], \"page\" :0 ,"
    "\"meta\":{\"next_page_url\":\"https:\\/\\/h\\/p?a=1\\u0026b=2\"}, \"last\":-1.5e3} \n";

TEST(PageReader, FindsRecordsAndEnvelope) {
  const Reading reading = ReadWhole(kTricky);
  EXPECT_TRUE(reading.status.ok()) << reading.status;
  EXPECT_THAT(reading.records,
              ElementsAre("{\"label\":\"brace } quote \\\" backslash \\\\\"}",
                          "{\"nested\":{\"a\":[[],{\"b\":\"]\"}]},\"\\\\\\\"\":\"\\\\\"}", "{}"));
  EXPECT_THAT(reading.envelope,
              ElementsAre("a=[1, {\"participants\": [{}]}]", "participants_=\"}]\\\"{\"", "n=null",
                          "page=0", "meta={\"next_page_url\":\"https:\\/\\/h\\/p?a=1\\u0026b=2\"}",
                          "last=-1.5e3"));
}

TEST(PageReader, AcceptsKeysInAnyOrder) {
  for (const absl::string_view page :
       {R"({"participants":[{"i":1}],"meta":{"next_page_url":null}})",
        R"({"meta":{"next_page_url":null},"participants":[{"i":1}]})",
        R"({"page":0,"participants":[{"i":1}],"next_page_uri":"/x"})"}) {
    EXPECT_THAT(ReadWhole(page).records, ElementsAre(R"({"i":1})")) << page;
  }
}

TEST(PageReader, RecognizesEscapedRecordsKey) {
  EXPECT_THAT(ReadWhole(R"({"part\u0069cipants":[{"i":1}]})").records, ElementsAre(R"({"i":1})"));
}

class EverySplit : public ::testing::TestWithParam<std::string> {};

TEST_P(EverySplit, AnyTwoPiecesGiveTheSameResult) {
  const std::string page = GetParam() == "tricky" ? std::string(kTricky) : Seed(GetParam());
  const Reading whole = ReadWhole(page);
  ASSERT_TRUE(whole.status.ok()) << whole.status;
  for (size_t cut = 0; cut <= page.size(); ++cut) {
    const absl::string_view text = page;
    ASSERT_EQ(ReadInPieces({text.substr(0, cut), text.substr(cut)}), whole) << "cut at " << cut;
  }
}

TEST_P(EverySplit, ByteByByteReturnsEachRecordAtItsLastByte) {
  const std::string page = GetParam() == "tricky" ? std::string(kTricky) : Seed(GetParam());
  const Reading reading = ReadByteByByte(page);
  ASSERT_EQ(reading, ReadWhole(page));
  size_t from = 0;
  for (size_t i = 0; i < reading.records.size(); ++i) {
    const size_t begin = page.find(reading.records[i], from);
    ASSERT_NE(begin, std::string::npos);
    from = begin + reading.records[i].size();
    // In the tricky page the envelope has an equal text before the record; all other records are
    // unique.
    if (GetParam() != "tricky") {
      EXPECT_EQ(reading.record_out_at[i], from);
    }
  }
}

TEST_P(EverySplit, EveryPrefixIsRejectedAsIncomplete) {
  const std::string page = GetParam() == "tricky" ? std::string(kTricky) : Seed(GetParam());
  const size_t last_brace = page.rfind('}');
  for (size_t size = 0; size <= last_brace; ++size) {
    const Reading reading = ReadWhole(absl::string_view(page).substr(0, size));
    ASSERT_EQ(ReasonOf(reading.status), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Pages, EverySplit,
    ::testing::Values("tricky", "voice_insights.json", "voice_insights_label_client.json",
                      "video_insights.json", "video_insights_empty.json", "signalwire.json"),
    [](const auto& param_info) { return param_info.param.substr(0, param_info.param.find('.')); });

TEST(PageReader, SeedRecordsMatchAJsonParser) {
  for (const char* name : {"voice_insights.json", "voice_insights_label_client.json",
                           "video_insights.json", "video_insights_empty.json", "signalwire.json"}) {
    const std::string page = Seed(name);
    const auto expected = nlohmann::json::parse(page).at("participants");
    const Reading reading = ReadWhole(page);
    ASSERT_EQ(reading.records.size(), expected.size()) << name;
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(nlohmann::json::parse(reading.records[i]), expected[i]) << name << ' ' << i;
    }
  }
}

// Quotes, backslashes and brackets at every position of the reader's blocks.
TEST(PageReader, RandomRecordsMatchAJsonParser) {
  std::mt19937_64 random(1);
  constexpr absl::string_view kText = "\\\\\\\"{}[],:a \n";
  const auto text = [&] {
    std::string made(random() % 90, ' ');
    for (char& c : made) c = kText[random() % kText.size()];
    return made;
  };
  for (int i = 0; i < 3000; ++i) {
    nlohmann::json records = nlohmann::json::array();
    for (size_t count = random() % 5; records.size() < count;) {
      nlohmann::json value = text();
      for (size_t depth = random() % 4; depth > 0; --depth) {
        if (random() % 2 == 0) {
          value = nlohmann::json::array({text(), value, text()});
        } else {
          value = nlohmann::json{{text(), value}};
        }
      }
      records.push_back({{text(), value}});
    }
    const std::string page = nlohmann::json{{"meta", text()}, {"participants", records}}.dump();
    const size_t cut = random() % page.size();
    const Reading reading =
        ReadInPieces({absl::string_view(page).substr(0, cut), absl::string_view(page).substr(cut)});
    ASSERT_TRUE(reading.status.ok()) << reading.status << '\n' << page;
    ASSERT_EQ(reading.records.size(), records.size()) << page;
    for (size_t j = 0; j < records.size(); ++j) ASSERT_EQ(reading.records[j], records[j].dump());
  }
}

TEST(PageReader, ReturnsRecordsBeforeThePageIsComplete) {
  PageReader reader("participants", {});
  Reading reading;
  reader.Append(R"({"participants":[{"i":1},{"i":2},{"i")");
  ASSERT_TRUE(Drain(reader, reading));
  EXPECT_THAT(reading.records, ElementsAre(R"({"i":1})", R"({"i":2})"));
}

TEST(PageReader, ReadsSeveralPagesInTurn) {
  PageReader reader("participants", {});
  for (int i = 0; i < 3; ++i) {
    Reading reading;
    reader.Reset();
    reader.Append(absl::StrCat(R"({"participants":[{"i":)", i, "}]}"));
    ASSERT_TRUE(Drain(reader, reading));
    EXPECT_TRUE(reader.Finish().ok());
    EXPECT_THAT(reading.records, ElementsAre(absl::StrCat(R"({"i":)", i, "}")));
  }
}

TEST(PageReader, PaddingAfterARecordIsReadable) {
  PageReader reader("participants", {});
  reader.Append(R"({"participants":[{"i":1})");
  ASSERT_EQ(*reader.Next(), PageReader::Event::kRecord);
  const absl::string_view record = reader.record();
  char sum = 0;  // a sanitizer would report an invalid read
  for (size_t i = 0; i < PageReader::kPadding; ++i) sum ^= record.data()[record.size() + i];
  static_cast<void>(sum);
}

TEST(PageReader, RejectsTextThatIsNotAPage) {
  for (const absl::string_view text : {"<html><body>502 Bad Gateway</body></html>",
                                       "[]",
                                       "null",
                                       "\"participants\"",
                                       "{]",
                                       "{,}",
                                       "{\"a\"}",
                                       "{\"a\" 1}",
                                       "{\"a\":}",
                                       "{\"a\":,}",
                                       "{\"a\":1 \"b\":2}",
                                       "{\"a\":1,}",
                                       "{a:1}",
                                       "{\"participants\":{}}",
                                       "{\"participants\":nul}",
                                       "{\"participants\":nulls}",
                                       "{\"participants\":NULL}",
                                       "{\"participants\":n",
                                       "{\"participants\":null",
                                       "{\"participants\":null,\"participants\":[]}",
                                       "{\"participants\":[],\"participants\":null}",
                                       "{\"participants\":null{}}",
                                       "{\"participants\":true}",
                                       "{\"participants\":\"null\"}",
                                       "{\"participants\":[1]}",
                                       "{\"participants\":[{},]}",
                                       "{\"participants\":[{} {}]}",
                                       "{\"participants\":[null]}",
                                       "{\"participants\":[{}],\"participants\":[{}]}",
                                       "{\"participants\":[]}x",
                                       "{\"participants\":[]}{}",
                                       "{}",
                                       "{\"meta\":{}}",
                                       "\xEF\xBB\xBF{\"participants\":[]}"}) {
    const Reading reading = ReadWhole(text);
    EXPECT_EQ(ReasonOf(reading.status), v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) << text;
    EXPECT_EQ(ReadByteByByte(text), reading) << text;
  }
}

TEST(PageReader, NullInsteadOfTheArrayIsAnEmptyPage) {
  for (const absl::string_view text :
       {R"({"participants":null})", R"({"a":1, "participants" : null , "b":2})",
        "{\"participants\":null\n}"}) {
    const Reading reading = ReadWhole(text);
    EXPECT_TRUE(reading.status.ok()) << text << reading.status;
    EXPECT_TRUE(reading.records.empty());
    EXPECT_EQ(ReadByteByByte(text), reading) << text;
  }
}

TEST(PageReader, ErrorsGiveThePositionButNotTheText) {
  const Reading reading = ReadWhole("{\"participants\":[{\"label\":\"secret\"},secret]}");
  EXPECT_THAT(std::string(reading.status.message()), HasSubstr("at byte 36"));
  EXPECT_EQ(reading.status.message().find("secret"), absl::string_view::npos);
  EXPECT_EQ(reading.records.size(), 1u);
}

TEST(PageReader, RejectsPagesOverALimit) {
  PageLimits limits;
  limits.max_record_bytes = 100;
  const std::string small = absl::StrCat("{\"l\":\"", std::string(80, 'x'), "\"}");
  const std::string large = absl::StrCat("{\"l\":\"", std::string(100, 'x'), "\"}");
  const auto page = [](const std::string& record) {
    return absl::StrCat("{\"participants\":[", record, "]}");
  };
  EXPECT_TRUE(ReadWhole(page(small), limits).status.ok());
  EXPECT_EQ(ReasonOf(ReadWhole(page(large), limits).status),
            v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
  // A record, envelope member or name that never ends exceeds its limit while it grows.
  for (const absl::string_view endless :
       {"{\"participants\":[{\"l\":\"", "{\"meta\":\"", "{\"meta\":1", "{\""}) {
    EXPECT_EQ(
        ReasonOf(
            ReadInPieces({endless, std::string(60, '1'), std::string(60, '1')}, limits).status),
        v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED)
        << endless;
  }

  limits = {};
  limits.max_page_bytes = 50;
  EXPECT_TRUE(ReadWhole(page("{}"), limits).status.ok());
  EXPECT_EQ(ReasonOf(ReadWhole(page(small), limits).status),
            v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);

  limits = {};
  limits.max_depth = 5;  // the page, the array, the record and two more
  EXPECT_TRUE(ReadWhole(page("{\"a\":{\"b\":[]}}"), limits).status.ok());
  EXPECT_EQ(ReasonOf(ReadWhole(page("{\"a\":{\"b\":[[]]}}"), limits).status),
            v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
  std::string members = "\"participants\":[]";
  for (int i = 1; i < PageReader::kMaxMembers; ++i) members += ",\"\\n\":1";
  EXPECT_TRUE(ReadWhole(absl::StrCat("{", members, "}")).status.ok());
  EXPECT_EQ(ReasonOf(ReadWhole(absl::StrCat("{", members, ",\"a\":1}")).status),
            v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
  const std::string deep = absl::StrCat("{\"meta\":", std::string(100000, '['));
  EXPECT_EQ(ReasonOf(ReadWhole(deep).status), v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED);
}

}  // namespace
}  // namespace rollcall::service
