// Reads the keys of one JSON object that the operator wrote, and collects every problem in it.
//
// A reader knows its path in the document and records which keys it was asked for, so that Finish()
// can report unknown ones. A value is returned checked. If it is wrong, a problem is added under
// the key's path and reading continues, so that one run finds all problems.
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

namespace rollcall::service {

// The problems of a document, in the order in which they were found.
class Problems {
 public:
  void Add(absl::string_view path, absl::string_view text);
  bool empty() const { return lines_.empty(); }
  // INVALID_ARGUMENT with one problem a line, at most the first 50. There must be at least one.
  absl::Status ToStatus() const;

 private:
  std::vector<std::string> lines_;
};

// Parses a document. The error is a syntax error with its line and column. A key that occurs twice
// in one object is added to `problems`, because the parser keeps only one of the values.
absl::StatusOr<nlohmann::json> ParseJson(absl::string_view text, Problems& problems);

class JsonObjectReader {
 public:
  // If `value` is not an object, a problem is added and all keys count as absent. `path` is empty
  // for the document itself. `value` and `problems` must outlive the reader.
  JsonObjectReader(const nlohmann::json& value, std::string path, Problems& problems);

  bool is_object() const { return value_.is_object(); }
  bool Has(absl::string_view key) const;
  std::string PathOf(absl::string_view key) const;

  // Adds a problem of the key, present or not.
  void Problem(absl::string_view key, absl::string_view text);

  // The value of any type, or nullptr if the key is absent.
  const nlohmann::json* Find(absl::string_view key);

  // nullopt if the key is absent or wrong; a wrong value adds a problem. `expected` describes an
  // acceptable value.
  std::optional<std::string> String(absl::string_view key, absl::string_view expected,
                                    bool (*accepts)(absl::string_view));
  // The same, but an absent key is a problem, too.
  std::optional<std::string> RequiredString(absl::string_view key, absl::string_view expected,
                                            bool (*accepts)(absl::string_view));

  // These return `otherwise` if the key is absent or wrong.
  bool Bool(absl::string_view key, bool otherwise);
  std::int64_t Integer(absl::string_view key, std::int64_t otherwise, std::int64_t min,
                       std::int64_t max);
  // A number of seconds, rounded to milliseconds.
  std::chrono::milliseconds Seconds(absl::string_view key, std::chrono::milliseconds otherwise,
                                    std::chrono::milliseconds min, std::chrono::milliseconds max);

  // Marks keys as known without reading them.
  void Ignore(std::initializer_list<absl::string_view> keys);

  // Adds a problem for each key that was never asked for.
  void Finish();

 private:
  const nlohmann::json& value_;
  const std::string path_;
  Problems& problems_;
  std::vector<std::string> known_;
};

}  // namespace rollcall::service
