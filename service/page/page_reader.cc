#include "service/page/page_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/page/json_block.h"

namespace rollcall::service {
namespace {

// Nesting depth outside a value: an envelope member is inside the page object, a record also inside
// the array.
constexpr int kDepthOfMember = 1;
constexpr int kDepthOfRecord = 2;

bool IsWhitespace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// True if `c` ends the number or literal before it.
bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsWhitespace(c); }

// Returns the bytes of a block of `size` bytes that a preceding backslash escapes. On entry,
// `carry` is true if the previous block escapes this block's first byte. On return, it is true if
// this block escapes the first byte of the next one.
uint64_t EscapedBytes(uint64_t backslashes, size_t size, bool& carry) {
  uint64_t escaped = carry ? 1 : 0;
  carry = false;
  for (backslashes &= ~escaped; backslashes != 0;) {
    const int first = std::countr_zero(backslashes);
    if (static_cast<size_t>(first) + 1 == size) {
      carry = true;
      break;
    }
    escaped |= uint64_t{2} << first;
    backslashes &= ~(uint64_t{3} << first);  // an escaped backslash escapes nothing
  }
  return escaped;
}

// Sets bit i if an odd number of bits 0 to i are set. Applied to the quotes of a block, this marks
// the bytes inside strings.
uint64_t PrefixParity(uint64_t bits) {
  for (int shift = 1; shift < 64; shift *= 2) bits ^= bits << shift;
  return bits;
}

}  // namespace

PageReader::PageReader(absl::string_view records_key, const PageLimits& limits)
    : records_key_(records_key), limits_(limits), buffer_(kPadding) {}

void PageReader::Reset() {
  consumed_ = position_ = end_ = bytes_appended_ = 0;
  state_ = State::kStart;
  records_seen_ = false;
  members_ = 0;
  depth_ = deepest_ = 0;
}

void PageReader::Append(absl::string_view bytes) {
  if (bytes.empty()) return;
  if (consumed_ > 0) {
    // At most one incomplete value is left. Moving it to the front costs one copy per chunk.
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
                     absl::StrCat("provider page is too large (limits.max_page_bytes = ",
                                  limits_.max_page_bytes, ")"));
  }
  // The caller is done with the value that the previous call returned.
  if (state_ != State::kInKey && state_ != State::kInMemberValue &&
      state_ != State::kInRecordsLiteral && state_ != State::kInRecord) {
    consumed_ = position_;
  }
  while (true) {
    // Whitespace is significant inside a key or a value, and is skipped between them.
    if (state_ == State::kInKey) {
      const Progress progress = SkipString();
      if (auto status = CheckValue(); !status.ok()) return status;
      if (progress == Progress::kMore) return Event::kNeedInput;
      TakeKey();
      state_ = State::kColon;
    } else if (state_ == State::kInRecordsLiteral) {
      const Progress progress = SkipValue();
      if (auto status = CheckValue(); !status.ok()) return status;
      if (progress == Progress::kMore) return Event::kNeedInput;
      if (Text(value_begin_, position_) != "null") return OneArrayExpected();
      state_ = State::kAfterMember;
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
        if (c != '{') return Malformed("expected a JSON object");
        ++position_;
        state_ = State::kFirstKeyOrEnd;
        break;
      case State::kFirstKeyOrEnd:
      case State::kKey:
        if (c == '}' && state_ == State::kFirstKeyOrEnd) {
          ++position_;
          state_ = State::kEnd;
        } else if (c == '"') {
          if (++members_ > kMaxMembers) {
            return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                             absl::StrCat("a page has more than ", kMaxMembers, " members"));
          }
          BeginValue(State::kInKey);
          ++position_;
        } else {
          return Malformed("expected a member name");
        }
        break;
      case State::kColon:
        if (c != ':') return Malformed("expected a colon");
        ++position_;
        state_ = State::kMemberValue;
        break;
      case State::kMemberValue:
        if (EndsScalar(c)) return Malformed("expected a member value");
        if (key_ != records_key_) {
          BeginValue(State::kInMemberValue);
          deepest_ = depth_ = kDepthOfMember;
        } else if ((c != '[' && c != 'n') || records_seen_) {
          return OneArrayExpected();
        } else if (c == 'n') {
          BeginValue(State::kInRecordsLiteral);
          records_seen_ = true;
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
          return Malformed("expected a record (a JSON object)");
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
          return Malformed("expected a comma or a closing bracket");
        }
        ++position_;
        break;
      }
      case State::kEnd:
        return Malformed("unexpected data after the page");
      case State::kInKey:
      case State::kInMemberValue:
      case State::kInRecordsLiteral:
      case State::kInRecord:
        break;  // handled above
    }
    if (state_ == State::kEnd && !records_seen_) {
      return Malformed(absl::StrCat("page ends without member \"", records_key_, "\""));
    }
  }
}

absl::Status PageReader::Finish() const {
  if (state_ == State::kEnd) return absl::OkStatus();
  return Malformed("page is truncated");
}

// False if only whitespace was left.
bool PageReader::SkipWhitespace() {
  while (position_ < end_ && IsWhitespace(buffer_[position_])) ++position_;
  return position_ < end_;
}

void PageReader::BeginValue(State state) {
  consumed_ = value_begin_ = position_;
  in_string_ = escaped_ = false;
  state_ = state;
}

// Advances position_ past the value that starts at value_begin_.
PageReader::Progress PageReader::SkipValue() {
  const char first = buffer_[value_begin_];
  if (first == '{' || first == '[') return SkipObjectOrArray();
  if (first == '"') {
    if (position_ == value_begin_) ++position_;
    return SkipString();
  }
  while (position_ < end_ && !EndsScalar(buffer_[position_])) ++position_;
  return position_ < end_ ? Progress::kComplete : Progress::kMore;
}

// `depth_` counts open objects and arrays together. The parser of the value checks that each
// bracket matches its kind.
PageReader::Progress PageReader::SkipObjectOrArray() {
  const int outside = state_ == State::kInRecord ? kDepthOfRecord : kDepthOfMember;
  while (position_ < end_) {
    const size_t size = std::min(end_ - position_, JsonBlock::kSize);
    const uint64_t here = ~uint64_t{0} >> (JsonBlock::kSize - size);
    // A whole block is readable, because kPadding bytes follow the input.
    const JsonBlock block = ScanBlock(buffer_.data() + position_);
    const uint64_t quotes =
        block.quotes & here & ~EscapedBytes(block.backslashes & here, size, escaped_);
    const uint64_t strings = PrefixParity(quotes) ^ (in_string_ ? ~uint64_t{0} : 0);
    const uint64_t opens = block.opens & here & ~strings;
    const uint64_t closes = block.closes & here & ~strings;
    for (uint64_t rest = opens | closes; rest != 0; rest &= rest - 1) {
      const int at = std::countr_zero(rest);
      if ((opens >> at & 1) != 0) {
        deepest_ = std::max(deepest_, ++depth_);
      } else if (--depth_ == outside) {
        position_ += static_cast<size_t>(at) + 1;
        return Progress::kComplete;
      }
    }
    in_string_ = (strings >> (size - 1) & 1) != 0;
    position_ += size;
  }
  return Progress::kMore;
}

// Advances position_ past the closing quote of the current string.
PageReader::Progress PageReader::SkipString() {
  while (position_ < end_) {
    const char c = buffer_[position_++];
    if (escaped_) {
      escaped_ = false;
    } else if (c == '"') {
      return Progress::kComplete;
    } else {
      escaped_ = c == '\\';
    }
  }
  return Progress::kMore;
}

void PageReader::TakeKey() {
  const absl::string_view quoted = Text(value_begin_, position_);
  if (quoted.find('\\') == absl::string_view::npos) {
    key_.assign(quoted.data() + 1, quoted.size() - 2);
    return;
  }
  const auto parsed = nlohmann::json::parse(quoted.begin(), quoted.end(), nullptr, false);
  // A name that is not valid Unicode cannot equal records_key_, so the quoted text will do.
  key_ = parsed.is_string() ? parsed.get<std::string>() : std::string(quoted);
}

// Checks the limits of the current value, which may still be incomplete.
absl::Status PageReader::CheckValue() const {
  if (position_ - value_begin_ > limits_.max_record_bytes) {
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
        absl::StrCat("provider record or envelope member is too large (limits.max_record_bytes = ",
                     limits_.max_record_bytes, ")"));
  }
  if (deepest_ > limits_.max_depth) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("provider page is nested too deeply (limits.max_json_depth = ",
                                  limits_.max_depth, ")"));
  }
  return absl::OkStatus();
}

absl::Status PageReader::OneArrayExpected() const {
  return Malformed(absl::StrCat("expected exactly one array under \"", records_key_, "\""));
}

// Gives the position but not the text, which may be personal data.
absl::Status PageReader::Malformed(absl::string_view what) const {
  return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                   absl::StrCat("malformed provider page: ", what, " at byte ",
                                bytes_appended_ - (end_ - position_)));
}

}  // namespace rollcall::service
