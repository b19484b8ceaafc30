#pragma once

// Faults of whole responses (simulator.h has the most frequent ones), and changes to a page's text.
// A page is one object with an array "participants", as all four APIs send it. Any thread may call
// the functions.

#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "tests/simulator/simulator.h"

namespace rollcall::simulator {

// ---- Responses that replace the page.

// Status 200 and complete framing, but no page.
Fault EmptyDocument();
Fault HtmlDocument();

// The forms of a Retry-After header.
enum class RetryAfter {
  kSeconds,
  kRfc1123,  // "Sun, 06 Nov 1994 08:49:37 GMT"
  kRfc850,   // "Sunday, 06-Nov-94 08:49:37 GMT"
  kAsctime,  // "Sun Nov  6 08:49:37 1994"
  kGarbage,
  kHuge,  // more seconds than a 64-bit integer holds
};
inline constexpr int kRetryAfterForms = 6;

// The headers of a response that asks to wait. A date is relative to the response's Date, which is
// another day than today: clients must not compare it with their own clock.
std::vector<std::pair<std::string, std::string>> RetryAfterHeaders(RetryAfter form,
                                                                   absl::Duration wait);

// HTTP 429 with these headers.
Fault RateLimited(RetryAfter form, absl::Duration wait);

// ---- How the response is sent.

// The JSON is cut after this many bytes, but at least one byte before its end. The framing is
// complete.
Fault CutJson(size_t bytes);
// The connection ends after this many complete records of the page.
Fault BreakAfterRecords(size_t records);
// Interim responses (HTTP 1xx) before the response.
Fault WithInterimResponses(int count);
// This many header lines more than usual.
Fault WithHeaderLines(int count);

// ---- Changes to a page's text.

// Applies `edit` to the texts of the page's records. A page without the array is returned as it is.
std::string EditRecords(const std::string& page,
                        const std::function<void(std::vector<std::string>& records)>& edit);
// Where each record ends.
std::vector<size_t> RecordEnds(absl::string_view page);

// What is unusual about a record. Its brackets and strings are balanced, so that a reader knows
// where it ends.
enum class Oddity {
  // One value that strict parsers reject, in the member "odd".
  kLoneSurrogate,
  kInvalidUtf8,
  kHugeNumber,
  kNotANumber,
  // The text is not JSON.
  kNotJson,
  // More unknown members than are delivered separately.
  kManyUnknownMembers,
  // The member "label" is null.
  kNullField,
};
inline constexpr int kOddities = 7;

// `record` is the text of an object with at least one member.
std::string MakeOdd(Oddity oddity, absl::string_view record);
// A member that strict parsers reject is added to the envelope; no reader needs it.
std::string MakeEnvelopeOdd(std::string page);

}  // namespace rollcall::simulator
