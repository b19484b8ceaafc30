#include "service/page/page_reader.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"

namespace rollcall {
namespace {

// Objects that a record or a member of the envelope stands in: the page itself, and for a record
// the array.
constexpr int kDepthOfMember = 1;
constexpr int kDepthOfRecord = 2;

bool IsWhitespace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether a number or a literal ends before `c`.
bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsWhitespace(c); }

// The bytes that matter inside an object or array but outside a string.
constexpr std::array<bool, 256> kStructural = [] {
  std::array<bool, 256> table{};
  for (unsigned char c : {'"', '{', '}', '[', ']'}) table[c] = true;
  return table;
}();

const char* FindStructural(const char* begin, const char* end) {
  while (begin != end && !kStructural[static_cast<unsigned char>(*begin)]) ++begin;
  return begin;
}

// Whether any byte of `word` is zero; exact for the lowest one, which is all that is asked here.
constexpr uint64_t kOnes = 0x0101010101010101;
uint64_t HasZeroByte(uint64_t word) { return (word - kOnes) & ~word & (kOnes << 7); }

// The first quote or backslash. Strings are most of a page, so they are passed over eight bytes at
// a time.
const char* FindQuoteOrBackslash(const char* begin, const char* end) {
  for (; end - begin >= 8; begin += 8) {
    uint64_t word;
    std::memcpy(&word, begin, sizeof(word));
    if (HasZeroByte(word ^ (kOnes * '"')) | HasZeroByte(word ^ (kOnes * '\\'))) break;
  }
  while (begin != end && *begin != '"' && *begin != '\\') ++begin;
  return begin;
}

}  // namespace

PageReader::PageReader(absl::string_view records_key, const PageLimits& limits)
    : records_key_(records_key), limits_(limits), buffer_(kPadding) {}

void PageReader::Reset() {
  consumed_ = position_ = end_ = bytes_appended_ = 0;
  state_ = State::kStart;
  records_seen_ = false;
  depth_ = deepest_ = 0;
}

void PageReader::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  if (consumed_ > 0) {
    // What is left is at most a value whose end has not arrived, and it moves to the front once a
    // chunk.
    std::memmove(buffer_.data(), buffer_.data() + consumed_, end_ - consumed_);
    position_ -= consumed_;
    end_ -= consumed_;
    value_begin_ = value_begin_ >= consumed_ ? value_begin_ - consumed_ : 0;
    consumed_ = 0;
  }
  if (buffer_.size() < end_ + bytes.size() + kPadding) {
    buffer_.resize(std::max(end_ + bytes.size() + kPadding, buffer_.size() * 3 / 2));
  }
  std::memcpy(buffer_.data() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
  bytes_appended_ += bytes.size();
}

absl::StatusOr<PageReader::Event> PageReader::Next() {
  if (bytes_appended_ > limits_.max_page_bytes) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("a page of the provider is over ", limits_.max_page_bytes,
                                  " bytes (limits.max_page_bytes)"));
  }
  // The value given out last is dealt with.
  if (state_ != State::kInKey && state_ != State::kInMemberValue && state_ != State::kInRecord) {
    consumed_ = position_;
  }
  while (true) {
    // Inside a key or a value every byte counts; between them white space does not.
    if (state_ == State::kInKey) {
      const Progress progress = SkipString();
      if (auto status = CheckValue(); !status.ok()) return status;
      if (progress == Progress::kMore) return Event::kNeedInput;
      if (auto status = TakeKey(); !status.ok()) return status;
      state_ = State::kColon;
    } else if (state_ == State::kInMemberValue || state_ == State::kInRecord) {
      const Progress progress = SkipValue();
      if (auto status = CheckValue(); !status.ok()) return status;
      if (progress == Progress::kMore) return Event::kNeedInput;
      const bool is_record = state_ == State::kInRecord;
      state_ = is_record ? State::kAfterRecord : State::kAfterMember;
      return is_record ? Event::kRecord : Event::kEnvelopeMember;
    }

    if (!SkipWhitespace()) {
      consumed_ = position_;
      return state_ == State::kEnd ? Event::kEnd : Event::kNeedInput;
    }
    const char c = buffer_[position_];
    switch (state_) {
      case State::kStart:
        if (c != '{') return Malformed("a JSON object was expected");
        ++position_;
        state_ = State::kFirstKeyOrEnd;
        break;
      case State::kFirstKeyOrEnd:
      case State::kKey:
        if (c == '}' && state_ == State::kFirstKeyOrEnd) {
          ++position_;
          state_ = State::kEnd;
        } else if (c == '"') {
          BeginValue(State::kInKey);
          ++position_;
        } else {
          return Malformed("the name of a member was expected");
        }
        break;
      case State::kColon:
        if (c != ':') return Malformed("a colon was expected");
        ++position_;
        state_ = State::kMemberValue;
        break;
      case State::kMemberValue:
        if (EndsScalar(c)) return Malformed("the value of a member was expected");
        if (key_ != records_key_) {
          BeginValue(State::kInMemberValue);
          deepest_ = depth_ = kDepthOfMember;
        } else if (c != '[' || records_seen_) {
          return Malformed(absl::StrCat("one array was expected under \"", records_key_, "\""));
        } else {
          ++position_;
          records_seen_ = true;
          state_ = State::kFirstRecordOrEnd;
        }
        break;
      case State::kFirstRecordOrEnd:
      case State::kRecord:
        if (c == ']' && state_ == State::kFirstRecordOrEnd) {
          ++position_;
          state_ = State::kAfterMember;
        } else if (c == '{') {
          BeginValue(State::kInRecord);
          deepest_ = depth_ = kDepthOfRecord;
        } else {
          return Malformed("a record, which is a JSON object, was expected");
        }
        break;
      case State::kAfterMember:
      case State::kAfterRecord: {
        const bool in_array = state_ == State::kAfterRecord;
        if (c == ',') {
          state_ = in_array ? State::kRecord : State::kKey;
        } else if (c == (in_array ? ']' : '}')) {
          state_ = in_array ? State::kAfterMember : State::kEnd;
        } else {
          return Malformed("a comma or the end of the list was expected");
        }
        ++position_;
        break;
      }
      case State::kEnd:
        return Malformed("nothing was expected behind the page");
      case State::kInKey:
      case State::kInMemberValue:
      case State::kInRecord:
        break;  // dealt with above
    }
    if (state_ == State::kEnd && !records_seen_) {
      return Malformed(absl::StrCat("the page has no member \"", records_key_, "\""));
    }
  }
}

absl::Status PageReader::Finish() const {
  if (state_ == State::kEnd) return absl::OkStatus();
  return Malformed("the page ends before it is complete");
}

// False where nothing but white space is left.
bool PageReader::SkipWhitespace() {
  while (position_ < end_ && IsWhitespace(buffer_[position_])) ++position_;
  return position_ < end_;
}

void PageReader::BeginValue(State state) {
  consumed_ = value_begin_ = position_;
  in_string_ = escaped_ = false;
  state_ = state;
}

// Moves behind the value that begins at value_begin_. `depth_` counts what is open; whether
// brackets match their kind is left to the parser of the value.
PageReader::Progress PageReader::SkipValue() {
  const int outside = state_ == State::kInRecord ? kDepthOfRecord : kDepthOfMember;
  const char* const data = buffer_.data();
  if (depth_ == outside && !in_string_) {
    const char first = data[value_begin_];
    if (first != '{' && first != '[' && first != '"') {
      while (position_ < end_ && !EndsScalar(data[position_])) ++position_;
      return position_ < end_ ? Progress::kComplete : Progress::kMore;
    }
  }
  while (position_ < end_) {
    if (in_string_) {
      if (SkipString() == Progress::kMore) return Progress::kMore;
      in_string_ = false;
      if (depth_ == outside) return Progress::kComplete;
    }
    position_ = static_cast<size_t>(FindStructural(data + position_, data + end_) - data);
    if (position_ == end_) return Progress::kMore;
    switch (data[position_++]) {
      case '"':
        in_string_ = true;
        break;
      case '{':
      case '[':
        deepest_ = std::max(deepest_, ++depth_);
        break;
      default:
        if (--depth_ == outside) return Progress::kComplete;
    }
  }
  return Progress::kMore;
}

// Moves behind the closing quote of the string that position_ is in.
PageReader::Progress PageReader::SkipString() {
  const char* const data = buffer_.data();
  while (position_ < end_) {
    if (escaped_) {
      escaped_ = false;
      ++position_;
      continue;
    }
    position_ = static_cast<size_t>(FindQuoteOrBackslash(data + position_, data + end_) - data);
    if (position_ == end_) break;
    if (data[position_++] == '"') return Progress::kComplete;
    escaped_ = true;
  }
  return Progress::kMore;
}

absl::Status PageReader::TakeKey() {
  const absl::string_view quoted = Text(value_begin_, position_);
  if (quoted.find('\\') == absl::string_view::npos) {
    key_.assign(quoted.data() + 1, quoted.size() - 2);
    return absl::OkStatus();
  }
  const auto parsed = nlohmann::json::parse(quoted.begin(), quoted.end(), nullptr, false);
  if (!parsed.is_string()) return Malformed("the name of a member is not a JSON string");
  key_ = parsed.get<std::string>();
  return absl::OkStatus();
}

// Of a value that is complete or still growing.
absl::Status PageReader::CheckValue() const {
  if (position_ - value_begin_ > limits_.max_record_bytes) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("a record of the provider is over ", limits_.max_record_bytes,
                                  " bytes (limits.max_record_bytes)"));
  }
  if (deepest_ > limits_.max_depth) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("a page of the provider is nested deeper than ",
                                  limits_.max_depth, " (limits.max_json_depth)"));
  }
  return absl::OkStatus();
}

// Says where, but not what stands there: it may be personal data.
absl::Status PageReader::Malformed(absl::string_view what) const {
  return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                   absl::StrCat("the provider's page is not as promised: ", what, " at byte ",
                                bytes_appended_ - (end_ - position_)));
}

}  // namespace rollcall
