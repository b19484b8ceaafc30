// Incremental parser for a provider's page. It accepts the HTTP body in chunks of any size and
// returns each record as soon as the record's last byte arrives. A page is a JSON object with one
// array of records. Its other members, the envelope, may come before or after the array:
//
//   {"meta": {"next_page_url": ...}, "participants": [{...}, {...}]}
//
// A page with null in place of the array has no records.
//
// The reader validates only the page's outer structure. It returns records and envelope members as
// unparsed text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {

// Size limits of a page. If one is exceeded, Next() returns UPSTREAM_LIMIT_EXCEEDED.
struct PageLimits {
  size_t max_record_bytes = size_t{1} << 20;  // of a record or an envelope member
  size_t max_page_bytes = size_t{256} << 20;
  int max_depth = 64;  // nested objects and arrays, counted from the page object
};

// Not thread-safe.
class PageReader {
 public:
  // Members of the page object. Over this, reading ends with UPSTREAM_LIMIT_EXCEEDED.
  static constexpr int kMaxMembers = 1000;

  enum class Event {
    kNeedInput,       // all input is consumed: call Append() or Finish()
    kRecord,          // record() returns the next record
    kEnvelopeMember,  // envelope_key() and envelope_value() return a member
    kEnd,             // the page is complete
  };

  // Readable (not writable) bytes after record(), for parsers that use wide loads.
  static constexpr size_t kPadding = 64;

  PageReader(absl::string_view records_key, const PageLimits& limits);

  // Discards all state and starts a new page.
  void Reset();

  // Appends the next bytes of the body. The reader copies them.
  void Append(absl::string_view bytes);

  // Reads up to the next event. An error is final: the page is malformed or exceeds a limit.
  absl::StatusOr<Event> Next();

  // Call at the end of the body, after Next() has returned kNeedInput or kEnd. Returns an error if
  // the page is incomplete.
  absl::Status Finish() const;

  // JSON text of an object. Valid until the next call of Next(), Append() or Reset().
  absl::string_view record() const { return Text(value_begin_, position_); }

  // Member name (unescaped if it is valid Unicode) and JSON text. Valid as long as record().
  absl::string_view envelope_key() const { return key_; }
  absl::string_view envelope_value() const { return Text(value_begin_, position_); }

  // Bytes of the current page's body that were appended so far.
  size_t bytes_appended() const { return bytes_appended_; }

 private:
  // Names what the parser expects next, or (kIn...) the value that it is inside.
  enum class State {
    kStart,
    kFirstKeyOrEnd,
    kKey,
    kInKey,
    kColon,
    kMemberValue,
    kInMemberValue,
    kInRecordsLiteral,  // null in place of the array
    kAfterMember,
    kFirstRecordOrEnd,
    kRecord,
    kInRecord,
    kAfterRecord,
    kEnd,
  };

  enum class Progress { kMore, kComplete };

  absl::string_view Text(size_t begin, size_t end) const {
    return absl::string_view(buffer_.data() + begin, end - begin);
  }
  bool SkipWhitespace();
  void BeginValue(State state);
  Progress SkipValue();
  Progress SkipObjectOrArray();
  Progress SkipString();
  void TakeKey();
  absl::Status CheckValue() const;
  absl::Status OneArrayExpected() const;
  absl::Status Malformed(absl::string_view what) const;

  const std::string records_key_;
  const PageLimits limits_;

  // The unconsumed bytes are [consumed_, end_). At least kPadding allocated bytes follow them.
  std::vector<char> buffer_;
  size_t consumed_ = 0;
  size_t position_ = 0;
  size_t end_ = 0;
  size_t bytes_appended_ = 0;

  State state_ = State::kStart;
  bool records_seen_ = false;
  int members_ = 0;
  std::string key_;

  // State of the value or key at position_.
  size_t value_begin_ = 0;
  int depth_ = 0;
  int deepest_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace rollcall::service
