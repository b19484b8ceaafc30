// Finds the records of a page in the bytes of its HTTP body as they arrive, in whatever chunks, and
// gives out each one as soon as its own last byte is there. A page is a JSON object with one array
// of records and an envelope around it, in any order:
//
//   {"meta": {"next_page_url": ...}, "participants": [{...}, {...}]}
//
// A page whose array is null has no records.
//
// It checks the page's outline only: what is inside a record or an envelope member is passed on as
// text for others to parse. Used by the pager, on the thread of its event loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall {

// What a page may hold at the most. Over these, reading ends with UPSTREAM_LIMIT_EXCEEDED.
struct PageLimits {
  size_t max_record_bytes = size_t{1} << 20;  // a record, or a member of the envelope
  size_t max_page_bytes = size_t{256} << 20;
  int max_depth = 64;  // objects and arrays inside one another, those of the outline included
};

// Not thread-safe.
class PageReader {
 public:
  enum class Event {
    kNeedInput,       // all that is there is read: append more, or finish
    kRecord,          // record() is the next record
    kEnvelopeMember,  // envelope_key() and envelope_value() are a member beside the array
    kEnd,             // the page is complete
  };

  // Bytes that may be read (not written) behind record(), as parsers with wide loads want it.
  static constexpr size_t kPadding = 64;

  PageReader(absl::string_view records_key, const PageLimits& limits);

  // Begins another page.
  void Reset();

  // Takes the next bytes of the body. They are copied.
  void Append(absl::string_view bytes);

  // Reads on to the next event. An error is final: the page is not one, or is over a limit.
  absl::StatusOr<Event> Next();

  // Says that the body is over, after Next() has answered kNeedInput or kEnd: an error where the
  // page is not complete.
  absl::Status Finish() const;

  // JSON text of an object. Valid until the next call of any other member.
  absl::string_view record() const { return Text(value_begin_, position_); }

  // Name (without escapes, if it is valid Unicode) and JSON text. Valid as record() is.
  absl::string_view envelope_key() const { return key_; }
  absl::string_view envelope_value() const { return Text(value_begin_, position_); }

  // Bytes of the body appended so far.
  size_t bytes_appended() const { return bytes_appended_; }

 private:
  // Where in the outline the next byte belongs.
  enum class State {
    kStart,
    kFirstKeyOrEnd,
    kKey,
    kInKey,
    kColon,
    kMemberValue,
    kInMemberValue,
    kInRecordsLiteral,  // of the member that is to hold the array
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

  // The bytes not dealt with yet are [consumed_, end_); kPadding more are always allocated behind
  // them.
  std::vector<char> buffer_;
  size_t consumed_ = 0;
  size_t position_ = 0;
  size_t end_ = 0;
  size_t bytes_appended_ = 0;

  State state_ = State::kStart;
  bool records_seen_ = false;
  std::string key_;

  // Of the value, or key, that position_ is in.
  size_t value_begin_ = 0;
  int depth_ = 0;
  int deepest_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
};

}  // namespace rollcall
