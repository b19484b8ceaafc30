#include "service/record/json_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace rollcall::service {
namespace {

// JSON whitespace: a subset of what isspace() accepts.
bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

bool IsStructural(char c) {
  return c == ',' || c == ':' || c == '{' || c == '}' || c == '[' || c == ']';
}

// The Skip functions return the position after the token at `position`, or the end of the text.
size_t SkipString(absl::string_view json, size_t position) {
  for (++position; position < json.size(); ++position) {
    if (json[position] == '\\') {
      ++position;
    } else if (json[position] == '"') {
      return position + 1;
    }
  }
  return json.size();
}

size_t SkipSpace(absl::string_view json, size_t position) {
  while (position < json.size() && IsSpace(json[position])) ++position;
  return position;
}

// Skips a number, a literal or any other token without quotes.
size_t SkipScalar(absl::string_view json, size_t position) {
  while (position < json.size() && !IsSpace(json[position]) && !IsStructural(json[position]) &&
         json[position] != '"') {
    ++position;
  }
  return position;
}

size_t SkipValue(absl::string_view json, size_t position) {
  int depth = 0;
  while (position < json.size()) {
    const char c = json[position];
    if (c == '"') {
      position = SkipString(json, position);
      if (depth == 0) return position;
      continue;
    }
    if (c == '}' || c == ']') {
      if (depth == 0) return position;  // after a number or a literal
      if (--depth == 0) return position + 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || IsSpace(c))) {
      return position;
    }
    ++position;
  }
  return position;
}

// Quickly finds most of the scalars that every parser accepts.
bool IsPlain(absl::string_view scalar) {
  if (scalar.front() == '"') {
    return scalar.size() >= 2 && scalar.back() == '"' &&
           std::all_of(scalar.begin() + 1, scalar.end() - 1, [](char c) {
             return absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '\\';
           });
  }
  constexpr size_t kMaxDigits = 18;  // as many fit into an int64
  const bool has_digits_only = std::all_of(scalar.begin(), scalar.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  return has_digits_only && scalar.size() <= kMaxDigits &&
         (scalar.front() != '0' || scalar.size() == 1);
}

// nlohmann's parser accepts a zero byte as the end of the text, and skips a byte order mark.
bool HasZeroOrMark(absl::string_view text) {
  return absl::StrContains(text, '\0') || absl::StartsWith(text, "\xEF\xBB\xBF");
}

// Whether a strict parser accepts this string, number or literal: its grammar, its Unicode and the
// range of the number.
bool IsReadable(absl::string_view scalar) {
  if (IsPlain(scalar)) return true;
  if (HasZeroOrMark(scalar)) return false;
  const auto value = nlohmann::json::parse(scalar.begin(), scalar.end(), nullptr, false);
  if (value.is_discarded()) return false;
  // The parser returns an integer as a double only if it is too large for any integer type.
  const bool is_integer = scalar.find_first_of(".eE") == absl::string_view::npos;
  return !(value.is_number_float() && is_integer);
}

// A valid replacement for a member name that a strict parser rejects.
std::string ReadableName(absl::string_view quoted) {
  std::string name = "\"";
  for (const char c : quoted.substr(1, quoted.size() - 2)) {
    const bool is_plain =
        absl::ascii_isprint(static_cast<unsigned char>(c)) && c != '"' && c != '\\';
    if (is_plain) {
      name.push_back(c);
    } else {
      name.append("\uFFFD");
    }
  }
  return name.append("\"");
}

}  // namespace

MemberReader::MemberReader(absl::string_view object)
    : object_(object), position_(SkipSpace(object, 0) + 1) {}

absl::string_view MemberReader::Value(size_t index) {
  for (; members_read_ <= index && position_ < object_.size(); ++members_read_) {
    position_ = SkipString(object_, SkipSpace(object_, position_));     // the name
    position_ = SkipSpace(object_, SkipSpace(object_, position_) + 1);  // the colon
    const size_t end = SkipValue(object_, position_);
    value_ = object_.substr(position_, end - position_);
    position_ = SkipSpace(object_, end) + 1;  // the comma
  }
  return value_;
}

int NestingOf(absl::string_view json) {
  int depth = 0;
  int deepest = 0;
  for (size_t position = 0; position < json.size();) {
    const char c = json[position];
    if (c == '"') {
      position = SkipString(json, position);
      continue;
    }
    if (c == '{' || c == '[') deepest = std::max(deepest, ++depth);
    if (c == '}' || c == ']') --depth;
    ++position;
  }
  return deepest;
}

std::string ReplaceUnreadableValues(absl::string_view json, size_t padding) {
  std::string replaced;
  replaced.reserve(json.size() + 64 + padding);
  int unreadable = 0;
  for (size_t position = 0; position < json.size();) {
    const char c = json[position];
    if (IsSpace(c) || IsStructural(c)) {
      replaced.push_back(c);
      ++position;
      continue;
    }
    const size_t end = c == '"' ? SkipString(json, position) : SkipScalar(json, position);
    const absl::string_view scalar = json.substr(position, end - position);
    position = end;
    if (unreadable == kMaxUnreadableValues || IsReadable(scalar)) {
      replaced.append(scalar.data(), scalar.size());
      continue;
    }
    ++unreadable;
    const size_t colon = SkipSpace(json, end);
    if (c == '"' && colon < json.size() && json[colon] == ':') {
      absl::StrAppend(&replaced, ReadableName(scalar), ":");
      const size_t value = SkipSpace(json, colon + 1);
      position = SkipValue(json, value);
      if (position == value) continue;  // the value is missing
    }
    replaced.append("[[]]");
  }
  replaced.append(padding, '\0');
  return replaced;
}

std::string ReadableJson(absl::string_view json) {
  const bool is_readable = !HasZeroOrMark(json) && nlohmann::json::accept(json.begin(), json.end());
  return is_readable ? std::string(json) : ReplaceUnreadableValues(json, 0);
}

}  // namespace rollcall::service
