// Functions on raw JSON text, for callers that need a value's exact text, or that must repair or
// check the text before parsing it.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall::service {

// Finds the text of an object's members, front to back. Any number of lookups reads the object's
// text only once.
class MemberReader {
 public:
  // `object` must be valid JSON, and its text must outlive the reader.
  explicit MemberReader(absl::string_view object);

  // The text of the value of the member with this index. The index must exist. From call to call it
  // may stay the same or increase, but not decrease.
  absl::string_view Value(size_t index);

 private:
  absl::string_view object_;
  absl::string_view value_;  // of the last member that was read
  size_t position_;          // after the brace or comma that precedes the next member
  size_t members_read_ = 0;
};

// Returns `json` with each value that a strict parser rejects replaced by [[]], so that the parser
// accepts the rest. Replaced are strings that are not valid Unicode, numbers that fit neither
// int64, uint64 nor double, and scalars that are not JSON, such as NaN.
//
// A member whose name is not valid gets a name with U+FFFD in it, and [[]] as its value. No field
// accepts [[]], not even an array or a map, so the decoder reports it as unrecognized. `json` need
// not be valid: wrong brackets, commas and colons are kept. Appends `padding` zero bytes.
//
// Replaces no more than kMaxUnreadableValues: nlohmann's parser composes an error for each value
// that it rejects, which is slow. Text with more stays unreadable.
inline constexpr int kMaxUnreadableValues = 256;
std::string ReplaceUnreadableValues(absl::string_view json, size_t padding);

// Returns `json` unchanged if nlohmann::json accepts it, else after ReplaceUnreadableValues().
std::string ReadableJson(absl::string_view json);

// The maximum nesting depth of objects and arrays, counted by the brackets outside strings. `json`
// need not be valid.
int NestingOf(absl::string_view json);

}  // namespace rollcall::service
