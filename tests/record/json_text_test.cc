#include "service/record/json_text.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace rollcall::service {
namespace {

TEST(MemberReaderTest, FindsMembersByIndex) {
  const std::string json =
      "  { \"a\" : 1 ,\n\"b\":\"}\\\"]{\" , \"c\" :[1, {\"x\":[]} ]\t,"
      "\"d\":{ \"e\\\\\" : -1.50E+3,\"\":null,\"f\":{\"g\":true}}  }  ";
  MemberReader reader(json);
  EXPECT_EQ(reader.Value(0), "1");
  EXPECT_EQ(reader.Value(1), "\"}\\\"]{\"");
  EXPECT_EQ(reader.Value(1), "\"}\\\"]{\"");
  EXPECT_EQ(reader.Value(3), "{ \"e\\\\\" : -1.50E+3,\"\":null,\"f\":{\"g\":true}}");
  EXPECT_EQ(reader.Value(3), "{ \"e\\\\\" : -1.50E+3,\"\":null,\"f\":{\"g\":true}}");
  EXPECT_EQ(MemberReader(json).Value(2), "[1, {\"x\":[]} ]");

  MemberReader within(reader.Value(3));
  EXPECT_EQ(within.Value(0), "-1.50E+3");
  EXPECT_EQ(within.Value(1), "null");
  EXPECT_EQ(within.Value(2), "{\"g\":true}");
  EXPECT_EQ(MemberReader(within.Value(2)).Value(0), "true");
}

TEST(MemberReaderTest, FindsEveryKindOfValueAtEveryIndex) {
  const std::vector<std::string> values = {
      "0",  "-0.0e-0", "true", "false",      "null",     R"("")",        R"("\\")",
      "[]", "{}",      "[[]]", R"({"":{}})", R"(["]"])", R"({"}":"{"})", R"("\u0022,")"};
  for (const char* space : {"", " ", "\n\t\r "}) {
    std::string json = "{";
    for (const std::string& value : values) {
      absl::StrAppend(&json, json.size() > 1 ? "," : "", space, "\"n\\\"\"", space, ":", space,
                      value, space);
    }
    json += "}";
    MemberReader reader(json);
    for (size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(reader.Value(i), values[i]);
      EXPECT_EQ(MemberReader(json).Value(i), values[i]);
    }
  }
}

TEST(NestingOfTest, CountsBracketsOutsideStrings) {
  EXPECT_EQ(NestingOf(""), 0);
  EXPECT_EQ(NestingOf("17"), 0);
  EXPECT_EQ(NestingOf("{}"), 1);
  EXPECT_EQ(NestingOf(R"({"a":[{}],"b":{}})"), 3);
  EXPECT_EQ(NestingOf(R"({"[[[[":"{{{{","b":"\"[[","c":"\\\\"})"), 1);
  EXPECT_EQ(NestingOf(std::string(100000, '[')), 100000);
  EXPECT_EQ(NestingOf("]]]]{["), 0);  // Not JSON.
  EXPECT_EQ(NestingOf(R"({"an end)"), 1);
}

TEST(ReplaceUnreadableValuesTest, ReplacesValuesThatAStrictParserRejects) {
  const std::pair<std::string, std::string> texts[] = {
      {R"({"a":1e999})", R"({"a":[[]]})"},
      {R"({"a":-1e309 })", R"({"a":[[]] })"},
      {R"({"a":1.7976931348623159e308})", R"({"a":[[]]})"},
      {R"([18446744073709551616,-9223372036854775809])", "[[[]],[[]]]"},
      {R"({"1e999":"1e999 \" 1e999"})", R"({"1e999":"1e999 \" 1e999"})"},
      {"1E+400", "[[]]"},
      {"123456789012345678901234567890", "[[]]"},
      {"[NaN,tru,-,1.5.3]", "[[[]],[[]],[[]],[[]]]"},
      {"[\"\xff\",\"\\ud800\",\"\\q\",\"\x01\"]", "[[[]],[[]],[[]],[[]]]"},
      {"{\"a\xff\" : {\"b\":\"}\"} ,\"c\":1}", "{\"a\uFFFD\":[[]] ,\"c\":1}"},
      {"{\"\\ud800\":1}", "{\"\uFFFDud800\":[[]]}"},
      {"[\"\xff\"1e999]", "[[[]][[]]]"},  // a missing comma stays missing
      {"{\"\xff\":}", "{\"\uFFFD\":}"},
      {std::string("[1\0,1e5\0x]", 10), "[[[]],[[]]]"},
      {"[\xEF\xBB\xBFtrue,\xEF\xBB\xBF 1]", "[[[]],[[]] 1]"},
      {"{\"\xEF\xBB\xBF\":1}", "{\"\xEF\xBB\xBF\":1}"},
  };
  for (const auto& [json, replaced] : texts) EXPECT_EQ(ReplaceUnreadableValues(json, 0), replaced);
}

TEST(ReplaceUnreadableValuesTest, KeepsReadableAndMalformedText) {
  for (const char* json :
       {"", "{}", "[0,-0,1.5,1e308,-1E-308]", "18446744073709551615", "-9223372036854775808",
        "1.7976931348623157e308", "5e-324", "1e-400", "0e999999999999", "1e-99999999999999999999",
        "{\"\u00e9\":\"\\ud83d\\ude00\"}", "[true,false,null]", "}]:,{["}) {
    EXPECT_EQ(ReplaceUnreadableValues(json, 0), json);
  }
}

TEST(ReplaceUnreadableValuesTest, ReplacesALimitedNumber) {
  std::string json = "[1";
  std::string replaced = "[1";
  for (int i = 0; i < kMaxUnreadableValues; ++i) {
    json += ",\xff";
    replaced += ",[[]]";
  }
  EXPECT_EQ(ReplaceUnreadableValues(json + "]", 0), replaced + "]");
  EXPECT_EQ(ReplaceUnreadableValues(json + ",\xff]", 0), replaced + ",\xff]");
}

TEST(ReplaceUnreadableValuesTest, AppendsPadding) {
  EXPECT_EQ(ReplaceUnreadableValues("1", 3), std::string("1\0\0\0", 4));
}

TEST(ReadableJsonTest, ReplacesOnlyIfTheTextIsRejected) {
  EXPECT_EQ(ReadableJson(R"({"a": 18446744073709551616})"), R"({"a": 18446744073709551616})");
  EXPECT_EQ(ReadableJson(R"({"a": 18446744073709551616,"b":1e999})"), R"({"a": [[]],"b":[[]]})");
  EXPECT_EQ(ReadableJson("{"), "{");
  EXPECT_EQ(ReadableJson(absl::string_view("null\0x", 6)), "[[]]");
  EXPECT_EQ(ReadableJson("\xEF\xBB\xBFnull"), "[[]]");
}

}  // namespace
}  // namespace rollcall::service
