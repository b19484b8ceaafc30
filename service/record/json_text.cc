#include "service/record/json_text.h"

#include <charconv>
#include <cmath>
#include <cstdint>

#include "absl/strings/ascii.h"

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
  while (position < json.size() && absl::ascii_isspace(static_cast<unsigned char>(json[position]))) {
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

bool IsNumberByte(char c) {
  return absl::ascii_isdigit(static_cast<unsigned char>(c)) || c == '-' || c == '+' || c == '.' ||
         c == 'e' || c == 'E';
}

template <class T>
bool Fits(absl::string_view number) {
  T value;
  const char* const end = number.data() + number.size();
  const auto result = std::from_chars(number.data(), end, value);
  return result.ec == std::errc() && result.ptr == end;
}

bool IsHuge(absl::string_view number) {
  const bool integer = number.find_first_of(".eE") == absl::string_view::npos;
  if (integer) return !Fits<int64_t>(number) && !Fits<uint64_t>(number);
  return !Fits<double>(number);
}

}  // namespace

absl::string_view MemberText(absl::string_view json, absl::Span<const size_t> indices) {
  absl::string_view value = json;
  for (const size_t index : indices) {
    size_t position = SkipSpace(value, 0) + 1;  // behind the brace
    for (size_t member = 0;; ++member) {
      position = SkipString(value, SkipSpace(value, position));  // the name
      position = SkipSpace(value, position) + 1;                 // the colon
      position = SkipSpace(value, position);
      const size_t end = SkipValue(value, position);
      if (member == index) {
        value = value.substr(position, end - position);
        break;
      }
      position = SkipSpace(value, end) + 1;  // the comma
      if (position >= value.size()) return {};
    }
  }
  return value;
}

std::string QuoteHugeNumbers(absl::string_view json, size_t padding) {
  std::string quoted;
  quoted.reserve(json.size() + 64 + padding);
  size_t position = 0;
  while (position < json.size()) {
    const char c = json[position];
    size_t end = position + 1;
    bool huge = false;
    if (c == '"') {
      end = SkipString(json, position);
    } else if (c == '-' || absl::ascii_isdigit(static_cast<unsigned char>(c))) {
      while (end < json.size() && IsNumberByte(json[end])) ++end;
      huge = IsHuge(json.substr(position, end - position));
    }
    if (huge) quoted.push_back('"');
    quoted.append(json.data() + position, end - position);
    if (huge) quoted.push_back('"');
    position = end;
  }
  quoted.append(padding, '\0');
  return quoted;
}

}  // namespace rollcall
