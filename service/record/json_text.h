// Works on the text of JSON, where a parser's values are not enough because the text itself is
// wanted, or where it must not go to a parser yet.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace rollcall {

// Finds the text of members of an object, from its front to its end: however many are asked for,
// the object's text is read once.
class MemberReader {
 public:
  // `object` must be valid and outlive the reader.
  explicit MemberReader(absl::string_view object);

  // The text of the value of the member with this index, which the object must have. Indices may
  // repeat, but not decrease.
  absl::string_view Value(size_t index);

 private:
  absl::string_view object_;
  absl::string_view value_;  // of the last member that was read
  size_t position_;          // behind the brace or comma in front of the next one
  size_t members_read_ = 0;
};

// `json` with each value that a strict parser refuses replaced by [[]], so that it reads the rest:
// text that is not valid Unicode, numbers that neither int64, uint64 nor double can hold, and
// scalars that are not JSON, such as NaN. A member whose name is such text gets [[]] as its value,
// and a name with U+FFFD in it. No field takes [[]], be it an array or a map. `json` need not be
// valid; where its brackets, commas or colons are wrong, they stay so. `padding` zero bytes are
// appended.
std::string ReplaceUnreadableValues(absl::string_view json, size_t padding);

// `json`, with such values replaced if there are any.
std::string ReadableJson(absl::string_view json);

// How many objects and arrays stand inside one another at the most, by the brackets outside of
// strings. `json` need not be valid.
int NestingOf(absl::string_view json);

}  // namespace rollcall
