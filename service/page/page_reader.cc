#include "service/page/page_reader.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/page/json_block.h"

namespace rollcall {
namespace {

// Objects that a record or a member of the envelope stands in: the page itself, and for a record
// the array.
constexpr int kDepthOfMember = 1;
constexpr int kDepthOfRecord = 2;

bool IsWhitespace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

// Whether a number or a literal ends before `c`.
bool EndsScalar(char c) { return c == ',' || c == '}' || c == ']' || IsWhitespace(c); }

// The bytes of a block of `size` that are escaped by a backslash before them. `carry` says so of
// the block's first byte, and then of the byte behind the block.
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
    backslashes &= ~(uint64_t{3} << first);  // a backslash behind it is escaped and escapes nothing
  }
  return escaped;
}

// Each bit tells whether the bits up to it, its own included, are odd in number: from the quotes,
// what is inside strings.
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
  if (state_ != State::kInKey && state_ != State::kInMemberValue &&
      state_ != State::kInRecordsLiteral && state_ != State::kInRecord) {
    consumed_ = position_;
  }
  while (true) {
    // Inside a key or a value every byte counts; between them white space does not.
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
      case State::kInRecordsLiteral:
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

// Moves behind the value that begins at value_begin_.
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

// `depth_` counts what is open; whether brackets match their kind is left to the parser of the
// value.
PageReader::Progress PageReader::SkipObjectOrArray() {
  const int outside = state_ == State::kInRecord ? kDepthOfRecord : kDepthOfMember;
  while (position_ < end_) {
    const size_t size = std::min(end_ - position_, JsonBlock::kSize);
    const uint64_t here = ~uint64_t{0} >> (JsonBlock::kSize - size);
    const JsonBlock block = ScanBlock(buffer_.data() + position_);  // kPadding allows for all of it
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

// Moves behind the closing quote of the string that position_ is in.
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
  // A name that is not valid Unicode is not one of those that matter.
  key_ = parsed.is_string() ? parsed.get<std::string>() : std::string(quoted);
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

absl::Status PageReader::OneArrayExpected() const {
  return Malformed(absl::StrCat("one array was expected under \"", records_key_, "\""));
}

// Says where, but not what stands there: it may be personal data.
absl::Status PageReader::Malformed(absl::string_view what) const {
  return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                   absl::StrCat("the provider's page is not as promised: ", what, " at byte ",
                                bytes_appended_ - (end_ - position_)));
}

}  // namespace rollcall
