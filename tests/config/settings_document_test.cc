// The declarations of the settings, the keys that the reader knows, and the tables of
// docs/configuration.md agree.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/config/config.h"
#include "service/config/setting.h"
#include "service/config/settings.h"
#include "tests/paths.h"

namespace rollcall::service {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// The cells of a row after the key.
struct Row {
  std::string type;
  std::string otherwise;
};
using Table = std::map<std::string, Row>;

// The tables of settings by their headings. Tables below one heading are one.
std::map<std::string, Table> ReadTables() {
  std::map<std::string, Table> tables;
  std::ifstream document(SourcePath("docs/configuration.md"));
  std::string heading;
  bool in_table = false;
  for (std::string line; std::getline(document, line);) {
    absl::string_view text = line;
    if (absl::StartsWith(text, "#")) {
      heading =
          std::string(absl::StripLeadingAsciiWhitespace(text.substr(text.find_first_not_of('#'))));
    }
    if (!absl::StartsWith(text, "|")) in_table = false;
    if (absl::StartsWith(text, "| key | type | default | example |")) in_table = true;
    if (!in_table || !absl::StartsWith(text, "| `")) continue;
    std::vector<std::string> cells = absl::StrSplit(text, " | ");
    absl::string_view key = cells.at(0);
    EXPECT_TRUE(absl::ConsumePrefix(&key, "| `") && absl::ConsumeSuffix(&key, "`")) << line;
    tables[heading][std::string(key)] = {cells.at(1), cells.at(2)};
  }
  return tables;
}

const std::map<std::string, Table>& Tables() {
  static const auto& tables = *new std::map<std::string, Table>(ReadTables());
  return tables;
}

std::string NumberText(SettingType type, std::int64_t value) {
  if (type == SettingType::kBoolean) return value != 0 ? "true" : "false";
  if (type == SettingType::kInteger) return absl::StrCat(value);
  return absl::StrCat(static_cast<double>(value) / 1000);
}

template <class Options>
std::string TypeText(const Setting<Options>& setting) {
  if (setting.type == SettingType::kBoolean) return "boolean";
  return absl::StrCat(setting.type == SettingType::kInteger ? "integer, " : "number, ",
                      NumberText(setting.type, setting.min), " to ",
                      // StrCat would write a large number of seconds with an exponent.
                      setting.type == SettingType::kSeconds ? setting.max / 1000 : setting.max);
}

template <class Options>
void ExpectDocumented(absl::string_view heading, const Setting<Options>& setting,
                      const Options& defaults = {}) {
  const Table& table = Tables().at(std::string(heading));
  const auto row = table.find(std::string(setting.key));
  ASSERT_NE(row, table.end()) << setting.key;
  EXPECT_THAT(row->second.type, StartsWith(TypeText(setting))) << setting.key;
  const std::optional<std::int64_t> value = setting.get(defaults);
  const std::string otherwise =
      value ? absl::StrCat("`", NumberText(setting.type, *value), "`") : "no limit";
  EXPECT_THAT(row->second.otherwise, StartsWith(otherwise)) << setting.key;
}

template <class Settings>
void ExpectAllDocumented(absl::string_view heading, const Settings& settings) {
  for (const auto& setting : settings) ExpectDocumented(heading, setting);
}

TEST(SettingsDocument, HasTypeBoundsAndDefaultOfEverySetting) {
  ExpectDocumented("File", kAllowPlaintextCallers);
  ExpectDocumented("File", kReflection);
  ExpectDocumented("File", kLogCalls);
  ExpectDocumented("File", kPrefetch);
  ExpectDocumented("File", kDrainTimeout);
  const std::string upstream = "An upstream: one account with one provider";
  ExpectAllDocumented(upstream, kAccountSettings);
  ExpectAllDocumented(upstream, kLimiterSettings);
  ExpectAllDocumented(upstream, kTransportSettings);
  ExpectAllDocumented("`limits`", kResponseLimitSettings);
  ExpectAllDocumented("`connections`", kConnectionSettings);
  ExpectAllDocumented("`retry`", kRetrySettings);
  ExpectAllDocumented("`circuit_breaker`", kBreakerSettings);
  ExpectAllDocumented("`deadline`", kDeadlineSettings);
  ExpectAllDocumented("`recording`", kRecordingSettings);
}

TEST(SettingsDocument, HasTypeAndBoundsOfSettingsWithADerivedDefault) {
  EXPECT_THAT(Tables().at("File").at("event_loops").type, StartsWith(TypeText(kEventLoops)));
  for (const auto& setting : kCallLimitSettings) {
    const Row& row = Tables().at("`limits`").at(std::string(setting.key));
    EXPECT_THAT(row.type, StartsWith(TypeText(setting))) << setting.key;
    if (setting.key == "max_calls_per_caller") {
      EXPECT_EQ(row.otherwise, "`max_calls`");
    } else {
      EXPECT_THAT(
          row.otherwise,
          StartsWith(absl::StrCat("`", NumberText(setting.type, *setting.get(CallLimits())), "`")));
    }
  }
}

// The keys that the reader knows in the object at `path`, from its error for an unknown one.
std::set<std::string> KnownKeys(json document, const json::json_pointer& path,
                                const std::string& name) {
  document[path / "zzzzzzzzzzzz"] = 1;
  const auto config = ParseConfig(document.dump(), [](const std::string&) { return std::nullopt; });
  const std::string start =
      absl::StrCat(name, name.empty() ? "" : ".", "zzzzzzzzzzzz: unknown key; known here: ");
  for (absl::string_view line : absl::StrSplit(config.status().message(), '\n')) {
    if (absl::ConsumePrefix(&line, start)) return absl::StrSplit(line, ", ");
  }
  ADD_FAILURE() << config.status();
  return {};
}

TEST(SettingsDocument, HasExactlyTheKeysThatTheReaderKnows) {
  const std::map<std::string, std::string> objects = {
      {"", "File"},
      {"tls", "`tls`"},
      {"limits", "`limits`"},
      {"connections", "`connections`"},
      {"retry", "`retry`"},
      {"circuit_breaker", "`circuit_breaker`"},
      {"deadline", "`deadline`"},
      {"recording", "`recording`"},
  };
  for (const auto& [object, heading] : objects) {
    json::json_pointer path;
    if (!object.empty()) path /= object;
    json document = json::object();
    document[path] = json::object();
    std::set<std::string> documented;
    for (const auto& [key, row] : Tables().at(heading)) documented.insert(key);
    ASSERT_THAT(documented, Not(IsEmpty())) << heading;
    EXPECT_EQ(documented, KnownKeys(document, path, object)) << heading;
  }
}

TEST(SettingsDocument, HasExactlyTheKeysOfAnUpstream) {
  std::set<std::string> known;
  for (const char* provider : {"twilio", "signalwire"}) {
    const json document = {{"upstreams", json::array({{{"provider", provider}}})}};
    known.merge(KnownKeys(document, json::json_pointer("/upstreams/0"), "upstreams[0]"));
  }
  std::set<std::string> documented;
  for (const auto& [key, row] : Tables().at("An upstream: one account with one provider")) {
    documented.insert(key);
  }
  EXPECT_EQ(documented, known);
}

}  // namespace
}  // namespace rollcall::service
