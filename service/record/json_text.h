// Works on the text of JSON that is known to be valid, where a parser's values are not enough
// because the text itself is wanted. Used by the record decoder for the rare value that is not as
// expected.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace rollcall {

// The text of the value that is reached from the object `json` by taking the members with these
// indices, one in another. `json` must be valid and have them.
absl::string_view MemberText(absl::string_view json, absl::Span<const size_t> indices);

// `json` with every number that has no int64, uint64 or finite double of its own replaced by [[]],
// so that a parser which refuses such numbers reads the rest. No field takes [[]], be it an array
// or a map. `json` need not be valid. `padding` zero bytes are appended.
std::string ReplaceHugeNumbers(absl::string_view json, size_t padding);

}  // namespace rollcall
