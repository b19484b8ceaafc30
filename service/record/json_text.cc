#include "service/record/json_text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

namespace rollcall {
namespace {

// Behind the string that begins at `position`, or at the end of the text.
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

// At the next byte that is not white space.
size_t SkipSpace(absl::string_view json, size_t position) {
  while (position < json.size() &&
         absl::ascii_isspace(static_cast<unsigned char>(json[position]))) {
    ++position;
  }
  return position;
}

// Behind the value that begins at `position`.
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
      if (depth == 0) return position;  // behind a number or a literal
      if (--depth == 0) return position + 1;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth == 0 && (c == ',' || absl::ascii_isspace(static_cast<unsigned char>(c)))) {
      return position;
    }
    ++position;
  }
  return position;
}

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool IsNumberByte(char c) {
  return IsDigit(c) || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

// Whether `text` is a number by JSON's grammar, which is narrower than what conversions accept.
bool IsNumber(absl::string_view text) {
  const auto take_digits = [&] {
    const size_t before = text.size();
    while (!text.empty() && IsDigit(text.front())) text.remove_prefix(1);
    return text.size() < before;
  };
  absl::ConsumePrefix(&text, "-");
  if (!absl::ConsumePrefix(&text, "0") && !take_digits()) return false;
  if (absl::ConsumePrefix(&text, ".") && !take_digits()) return false;
  if (absl::ConsumePrefix(&text, "e") || absl::ConsumePrefix(&text, "E")) {
    if (!absl::ConsumePrefix(&text, "-")) absl::ConsumePrefix(&text, "+");
    if (!take_digits()) return false;
  }
  return text.empty();
}

// Whether the parser refuses `number` for its size alone.
bool IsHuge(absl::string_view number) {
  if (!IsNumber(number)) return false;
  if (number.find_first_of(".eE") != absl::string_view::npos) {
    double value;
    return absl::SimpleAtod(number, &value) && std::isinf(value);
  }
  int64_t integer;
  uint64_t natural;
  return !absl::SimpleAtoi(number, &integer) && !absl::SimpleAtoi(number, &natural);
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

std::string ReplaceHugeNumbers(absl::string_view json, size_t padding) {
  std::string replaced;
  replaced.reserve(json.size() + 64 + padding);
  size_t position = 0;
  while (position < json.size()) {
    const char c = json[position];
    size_t end = position + 1;
    bool huge = false;
    if (c == '"') {
      end = SkipString(json, position);
    } else if (c == '-' || IsDigit(c)) {
      while (end < json.size() && IsNumberByte(json[end])) ++end;
      huge = IsHuge(json.substr(position, end - position));
    }
    if (huge) {
      replaced.append("[[]]");
    } else {
      replaced.append(json.data() + position, end - position);
    }
    position = end;
  }
  replaced.append(padding, '\0');
  return replaced;
}

}  // namespace rollcall
