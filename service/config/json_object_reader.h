// Reads the keys of one JSON object that the operator wrote, and keeps a list of everything that is
// wrong.
//
// Used by those who read the configuration and the policy. A reader knows its path in the document
// and remembers which keys it was asked for, so that Finish() can report those that nobody knows.
// Each value comes back checked, or not at all after a problem was noted under the key's path;
// reading goes on, so that one run finds all problems.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall {

// What is wrong with a configuration, in the order in which it was found.
class Problems {
 public:
  void Add(absl::string_view path, absl::string_view text);
  bool empty() const { return lines_.empty(); }
  // INVALID_ARGUMENT with one problem a line, and of many the first 50. There must be one.
  absl::Status ToStatus() const;

 private:
  std::vector<std::string> lines_;
};

// Parses a document. The error is a syntax error with its line and column; keys that occur twice in
// one object, of which JSON parsers keep only one, are noted as problems.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, Problems& problems);

class JsonObjectReader {
 public:
  // `value` need not be an object: that is a problem, noted here, and all its keys then count as
  // absent. `path` is empty for the document itself. Both arguments and `problems` must outlive the
  // reader.
  JsonObjectReader(const nlohmann::json& value, std::string path, Problems& problems);

  bool is_object() const { return value_.is_object(); }
  bool Has(absl::string_view key) const;
  std::string PathOf(absl::string_view key) const;

  // Notes a problem of the key, present or not.
  void Problem(absl::string_view key, absl::string_view text);

  // The value of any type, or nullptr where the key is absent.
  const nlohmann::json* Find(absl::string_view key);

  // nullopt, noted unless the key is absent. `expected` describes a value that is accepted.
  std::optional<std::string> String(absl::string_view key, absl::string_view expected,
                                    bool (*accepts)(absl::string_view));
  // The same, but an absent key is noted too.
  std::optional<std::string> RequiredString(absl::string_view key, absl::string_view expected,
                                            bool (*accepts)(absl::string_view));

  // These give `otherwise` where the key is absent or wrong.
  bool Bool(absl::string_view key, bool otherwise);
  std::int64_t Integer(absl::string_view key, std::int64_t otherwise, std::int64_t min,
                       std::int64_t max);
  // A number of seconds, fractions allowed, of which milliseconds are kept.
  std::chrono::milliseconds Seconds(absl::string_view key, std::chrono::milliseconds otherwise,
                                    std::chrono::milliseconds min, std::chrono::milliseconds max);

  // Counts keys as known without reading them.
  void Ignore(std::initializer_list<absl::string_view> keys);

  // Notes the keys that were never asked for.
  void Finish();

 private:
  const nlohmann::json& value_;
  const std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace rollcall
