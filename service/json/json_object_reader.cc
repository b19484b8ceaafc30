#include "service/json/json_object_reader.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

// The deepest value of a valid configuration is a secret of an upstream, at depth 4.
constexpr int kMaxDepth = 8;

// The path of a key of the object at `path`. Quotes and escapes a key that would be ambiguous in a
// path or break the line.
std::string PathOfKey(absl::string_view path, absl::string_view key) {
  const bool plain = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '$';
  });
  if (plain) return absl::StrCat(path, path.empty() ? "" : ".", key);
  const std::string quoted =
      json(std::string(key)).dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  return absl::StrCat(path, "[", quoted, "]");
}

// Adds a problem for each key that occurs twice in an object. The parser calls it as it reads.
class DuplicateKeyFinder {
 public:
  explicit DuplicateKeyFinder(Problems& problems) : problems_(problems) {}

  // Returns false for values that are too deep to be valid; the parser then drops them.
  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kMaxDepth) return false;
    switch (event) {
      case json::parse_event_t::key:
        OnKey(parsed.get_ref<const std::string&>());
        break;
      case json::parse_event_t::value:
        NextElement();
        break;
      case json::parse_event_t::object_start:
      case json::parse_event_t::array_start: {
        NextElement();
        const std::string path = open_.empty() ? "" : open_.back().value_path;
        open_.push_back({path, path, event == json::parse_event_t::array_start, 0, {}});
        break;
      }
      case json::parse_event_t::object_end:
      case json::parse_event_t::array_end:
        open_.pop_back();
        break;
    }
    return true;
  }

 private:
  // An object or array that has not ended yet.
  struct Open {
    std::string path;
    std::string value_path;  // of the value that is being read
    bool is_array;
    std::size_t next_index;
    std::set<std::string> keys;
  };

  void OnKey(const std::string& key) {
    Open& object = open_.back();
    object.value_path = PathOfKey(object.path, key);
    if (!object.keys.insert(key).second) {
      problems_.Add(object.value_path, "the key occurs more than once");
    }
  }

  void NextElement() {
    if (open_.empty() || !open_.back().is_array) return;
    Open& array = open_.back();
    array.value_path = absl::StrCat(array.path, "[", array.next_index++, "]");
  }

  Problems& problems_;
  std::vector<Open> open_;
};

absl::string_view TypeName(const json& value) {
  if (value.is_null()) return "null";
  if (value.is_boolean()) return "a boolean";
  if (value.is_number()) return "a number";
  if (value.is_string()) return "a string";
  if (value.is_array()) return "an array";
  return "an object";
}

std::string Expected(absl::string_view expected, const json& found) {
  return absl::StrCat("expected ", expected, ", not ", TypeName(found));
}

// The number of characters to insert, delete or replace to turn one text into the other.
std::size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

// The name that was probably meant, or nullptr.
const std::string* MostSimilar(absl::string_view key, const std::vector<std::string>& names) {
  const std::string* nearest = nullptr;
  std::size_t least = 0;
  for (const std::string& name : names) {
    // Up to a third of the letters wrong is a typing error; more is another word.
    const std::size_t most = std::max<std::size_t>(1, name.size() / 3);
    if (key.size() > name.size() + most) continue;
    const std::size_t distance = EditDistance(key, name);
    if (distance > most || (nearest != nullptr && distance >= least)) continue;
    nearest = &name;
    least = distance;
  }
  return nearest;
}

}  // namespace

void Problems::Add(absl::string_view path, absl::string_view text) {
  lines_.push_back(path.empty() ? std::string(text) : absl::StrCat(path, ": ", text));
}

absl::Status Problems::ToStatus() const {
  constexpr std::size_t kMaxLines = 50;
  if (lines_.size() <= kMaxLines) return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  return absl::InvalidArgumentError(
      absl::StrCat(absl::StrJoin(lines_.begin(), lines_.begin() + kMaxLines, "\n"), "\nand ",
                   lines_.size() - kMaxLines, " more"));
}

absl::StatusOr<json> ParseJson(absl::string_view text, Problems& problems) {
  // The parser would stop at the NUL.
  if (absl::StrContains(text, '\0')) return absl::InvalidArgumentError("contains a NUL character");
  try {
    return json::parse(text.begin(), text.end(), DuplicateKeyFinder(problems));
  } catch (const json::parse_error& error) {
    // The parser's own message quotes what it read, which may be a secret.
    const std::size_t offset = std::min(text.size(), error.byte == 0 ? 0 : error.byte - 1);
    const absl::string_view before = text.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0
    return absl::InvalidArgumentError(
        absl::StrCat("line ", std::count(before.begin(), before.end(), '\n') + 1, ", column ",
                     offset - line_start + 1, ": not valid JSON",
                     offset == text.size() ? ": the text ends too early"
                                           : " (which has no comments and no trailing commas)"));
  } catch (const json::out_of_range&) {
    return absl::InvalidArgumentError("not valid JSON: a number is too large");
  }
}

JsonObjectReader::JsonObjectReader(const json& value, std::string path, Problems& problems)
    : value_(value), path_(std::move(path)), problems_(problems) {
  if (!value_.is_object()) problems_.Add(path_, Expected("an object", value_));
}

bool JsonObjectReader::Has(absl::string_view key) const {
  return value_.is_object() && value_.contains(std::string(key));
}

std::string JsonObjectReader::PathOf(absl::string_view key) const { return PathOfKey(path_, key); }

void JsonObjectReader::Problem(absl::string_view key, absl::string_view text) {
  problems_.Add(PathOf(key), text);
}

const json* JsonObjectReader::Find(absl::string_view key) {
  known_.emplace_back(key);
  if (!value_.is_object()) return nullptr;
  const auto found = value_.find(std::string(key));
  return found == value_.end() ? nullptr : &*found;
}

std::optional<std::string> JsonObjectReader::String(absl::string_view key,
                                                    absl::string_view expected,
                                                    bool (*accepts)(absl::string_view)) {
  const json* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    Problem(key, Expected(expected, *value));
    return std::nullopt;
  }
  const std::string& text = value->get_ref<const std::string&>();
  if (!accepts(text)) {
    Problem(key, absl::StrCat("expected ", expected));
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> JsonObjectReader::RequiredString(absl::string_view key,
                                                            absl::string_view expected,
                                                            bool (*accepts)(absl::string_view)) {
  if (is_object() && !Has(key)) Problem(key, absl::StrCat("missing; expected ", expected));
  return String(key, expected, accepts);
}

bool JsonObjectReader::Bool(absl::string_view key, bool otherwise) {
  const json* value = Find(key);
  if (value == nullptr) return otherwise;
  if (!value->is_boolean()) {
    Problem(key, Expected("true or false", *value));
    return otherwise;
  }
  return value->get<bool>();
}

std::int64_t JsonObjectReader::Integer(absl::string_view key, std::int64_t otherwise,
                                       std::int64_t min, std::int64_t max) {
  const json* value = Find(key);
  if (value == nullptr) return otherwise;
  const std::string expected = absl::StrCat("a whole number from ", min, " to ", max);
  if (!value->is_number()) {
    Problem(key, Expected(expected, *value));
    return otherwise;
  }
  // get<int64_t> would wrap an unsigned number over INT64_MAX around.
  const bool fits = value->is_number_integer() &&
                    !(value->is_number_unsigned() && value->get<std::uint64_t>() > INT64_MAX);
  if (!fits || value->get<std::int64_t>() < min || value->get<std::int64_t>() > max) {
    Problem(key, absl::StrCat("expected ", expected));
    return otherwise;
  }
  return value->get<std::int64_t>();
}

std::chrono::milliseconds JsonObjectReader::Seconds(absl::string_view key,
                                                    std::chrono::milliseconds otherwise,
                                                    std::chrono::milliseconds min,
                                                    std::chrono::milliseconds max) {
  const json* value = Find(key);
  if (value == nullptr) return otherwise;
  using FloatSeconds = std::chrono::duration<double>;
  const double least = FloatSeconds(min).count();
  const double most = FloatSeconds(max).count();
  const std::string expected =
      absl::StrFormat("a number of seconds from %g to %d", least, static_cast<int>(most));
  if (!value->is_number()) {
    Problem(key, Expected(expected, *value));
    return otherwise;
  }
  const double seconds = value->get<double>();
  if (!(seconds >= least && seconds <= most)) {
    Problem(key, absl::StrCat("expected ", expected));
    return otherwise;
  }
  return std::chrono::milliseconds(std::llround(seconds * 1000));
}

void JsonObjectReader::Ignore(std::initializer_list<absl::string_view> keys) {
  for (const absl::string_view key : keys) known_.emplace_back(key);
}

void JsonObjectReader::Finish() {
  if (!value_.is_object()) return;
  for (const auto& item : value_.items()) {
    const std::string& key = item.key();
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string* meant = MostSimilar(key, known_);
    Problem(key, meant != nullptr
                     ? absl::StrCat("unknown key; did you mean ", *meant, "?")
                     : absl::StrCat("unknown key; known here: ", absl::StrJoin(known_, ", ")));
  }
}

}  // namespace rollcall::service
