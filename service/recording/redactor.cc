#include "service/recording/redactor.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/timestamp.pb.h"
#include "service/record/times.h"
#include "service/recording/ascii.h"

namespace rollcall::service {
namespace {

// More than the page reader accepts.
constexpr size_t kMaxLevels = 1100;
constexpr size_t kMaxNumber = 32;
constexpr size_t kMaxCode = 6;
constexpr size_t kMaxMilliseconds = 9;
constexpr size_t kMaxName = 64;
constexpr int kMaxDigitsInName = 3;

// Numbers that are kept in envelopes and errors.
constexpr absl::string_view kEnvelopeNumbers[] = {"page",  "page_size", "total", "num_pages",
                                                  "start", "end",       "status"};

bool IsWhitespace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsOneOf(absl::string_view bytes, char c) { return bytes.find(c) != absl::string_view::npos; }

bool IsLiteral(absl::string_view text) {
  return text == "true" || text == "false" || text == "null";
}

// Whether it consists of the characters of numbers, well-formed or not.
bool IsNumeric(absl::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool is_sign = text[i] == '-' || text[i] == '+';
    const bool sign_may_be = i == 0 || text[i - 1] == 'e' || text[i - 1] == 'E';
    if (is_sign && !sign_may_be) return false;
    if (!is_sign && !IsDigit(text[i]) && !absl::StrContains(".eE", text[i])) return false;
  }
  return text[0] == '-' || IsDigit(text[0]);
}

// A field's name, as opposed to a person's name or number.
bool LooksLikeName(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxName && !IsDigit(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlnum(c) || c == '_' || c == '-'; }) &&
         std::count_if(text.begin(), text.end(), IsDigit) <= kMaxDigitsInName;
}

bool IsDigits(absl::string_view text, size_t longest) {
  return text.size() <= longest && std::all_of(text.begin(), text.end(), IsDigit);
}

bool IsTime(absl::string_view text) {
  google::protobuf::Timestamp time;
  return ParseTime(std::string_view(text.data(), text.size()), time);
}

bool LooksLikeLink(absl::string_view text) {
  return absl::StartsWith(text, "/") || absl::StrContains(text, "://");
}

const FieldSchema* FindField(const ObjectSchema& table, absl::string_view name) {
  const auto found = std::find_if(table.fields.begin(), table.fields.end(),
                                  [&](const FieldSchema& field) { return field.name == name; });
  return found == table.fields.end() ? nullptr : &*found;
}

}  // namespace

Redactor::Redactor(TextRedactor& text, const ParticipantApi& api, bool is_document)
    : text_(text),
      api_(api),
      next_{is_document ? Kind::kDocument : Kind::kEnvelope, &api.record_schema().object} {}

void Redactor::Append(absl::string_view bytes, std::string& out) {
  for (const char c : bytes) TakeByte(c, out);
}

void Redactor::Finish(std::string& out) {
  if (!name_.empty()) SettleName(false, out);
  // A truncated string or id could be mistaken for one that is kept, so it is replaced.
  if (token_ == Token::kString) EndString(false, out);
  if (token_ == Token::kScalar) EndScalar(out);
}

Redactor::Value Redactor::ValueOf(const FieldSchema& field) {
  if (field.object != nullptr) {
    return {field.is_personal ? Kind::kPersonal : Kind::kRecord, field.object};
  }
  if (field.is_personal) return {};
  const Store store = field.store;
  if (store == &StoreString) return {Kind::kText};
  if (store == &StoreEnum) return {Kind::kWord};
  if (store == &StoreTime) return {Kind::kTime};
  if (store == &StoreMillisecondsText) return {Kind::kMilliseconds};
  if (store == &StoreInteger || store == &StoreNumber || store == &StoreSeconds) {
    return {Kind::kNumber};
  }
  if (store == &StoreStrings) return {Kind::kTexts};
  if (store == &StoreEvents) return {Kind::kEvents};
  return {};  // a boolean, or a type that is unknown here
}

// The member of this name in the innermost open object.
Redactor::Value Redactor::Member(absl::string_view name) const {
  const auto& [kind, table] = levels_.back().value;
  const auto is = [&](absl::string_view text) { return name == text; };
  const bool is_top = kind == Kind::kDocument;
  const PageLayout layout = api_.page_layout();
  if (is_top && name == layout.records_key) return {Kind::kRecords, table};
  if (is_top || kind == Kind::kRecord || kind == Kind::kPersonal) {
    const FieldSchema* const field = FindField(*table, name);
    if (field != nullptr && kind != Kind::kPersonal) return ValueOf(*field);
    if (field != nullptr && field->object != nullptr) return {Kind::kPersonal, field->object};
  }
  if (is_top && name == layout.link_member && !layout.link_key.empty()) return {Kind::kEnvelope};
  if (is_top || kind == Kind::kEnvelope) {
    if (std::any_of(std::begin(kEnvelopeNumbers), std::end(kEnvelopeNumbers), is)) {
      return {Kind::kNumber};
    }
    if (is_top) return {Kind::kLink};
    return {name == "errors" ? Kind::kErrors : name == "code" ? Kind::kCode : Kind::kLink};
  }
  return {kind == Kind::kEvents ? Kind::kNumbers : Kind::kUnknown};
}

// The elements of the innermost open array.
Redactor::Value Redactor::Element() const {
  const auto& [kind, table] = levels_.back().value;
  switch (kind) {
    case Kind::kTexts:
      return {Kind::kText};
    case Kind::kNumbers:
      return {Kind::kNumber};
    case Kind::kRecords:
      return {Kind::kRecord, table};
    case Kind::kErrors:
      return {Kind::kEnvelope};
    default:
      return {};
  }
}

bool Redactor::KeepsName(absl::string_view name) const {
  const auto& [kind, table] = levels_.back().value;
  if (kind == Kind::kUnknown) return false;
  if (kind == Kind::kPersonal) return FindField(*table, name) != nullptr;
  return LooksLikeName(name);
}

void Redactor::TakeByte(char c, std::string& out) {
  if (!name_.empty()) {
    if (IsWhitespace(c) && space_.size() < kMaxText) return space_.push_back(c);
    SettleName(c == ':', out);
  }
  if (token_ == Token::kString && (escaped_ || c != '"')) {
    escaped_ = !escaped_ && c == '\\';
    bytes_.push_back(c);
    return FlushToken(out);
  }
  if (token_ == Token::kString) return EndString(true, out);
  // Like the page reader, which skips any quote that follows a backslash.
  if (token_ == Token::kScalar && ((escaped_ && c == '"') || !EndsScalar(c))) {
    escaped_ = !escaped_ && c == '\\';
    bytes_.push_back(c);
    return FlushToken(out);
  }
  if (token_ == Token::kScalar) EndScalar(out);
  if (IsWhitespace(c)) return out.push_back(c);
  if (IsOneOf(",:{}[]", c) && !(c == ':' && IsInOutline() && expect_ == Expect::kValue)) {
    out.push_back(c);
    return TakeStructure(c);
  }
  is_name_ = expect_ == Expect::kName || expect_ == Expect::kNameOrEnd;
  const bool is_string = c == '"';
  if (!(is_name_ && is_string) && !ExpectsValue()) Break();
  token_ = is_string ? Token::kString : Token::kScalar;
  escaped_ = c == '\\';
  (is_string ? out : bytes_).push_back(c);
}

// Like the page reader: outside of records, fewer characters end a scalar than in a JSON parser.
bool Redactor::EndsScalar(char c) const {
  return IsWhitespace(c) || IsOneOf(",}]", c) || (IsOneOf("\":{[", c) && !IsInOutline());
}

void Redactor::TakeStructure(char c) {
  if (c == '{' || c == '[') return Open(c == '{');
  if (c == '}' || c == ']') return Close(c == '}');
  if (IsBroken()) return;
  if (c == ':' && expect_ == Expect::kColon) {
    expect_ = Expect::kValue;
  } else if (c == ',' && expect_ == Expect::kCommaOrEnd) {
    next_ = Element();
    expect_ = levels_.back().is_object ? Expect::kName : Expect::kValue;
  } else {
    Break();
  }
}

void Redactor::Open(bool is_object) {
  if (!ExpectsValue() || levels_.size() == kMaxLevels) Break();
  if (IsBroken()) {
    ++skipped_levels_;
    return;
  }
  const bool fits = is_object ? next_.kind == Kind::kRecord || next_.kind == Kind::kPersonal ||
                                    next_.kind == Kind::kDocument ||
                                    next_.kind == Kind::kEnvelope || next_.kind == Kind::kEvents
                              : next_.kind == Kind::kTexts || next_.kind == Kind::kNumbers ||
                                    next_.kind == Kind::kRecords || next_.kind == Kind::kErrors;
  levels_.push_back({is_object, fits ? next_ : Value()});
  next_ = Element();
  expect_ = is_object ? Expect::kNameOrEnd : Expect::kValueOrEnd;
}

void Redactor::Close(bool is_object) {
  const Expect if_empty = is_object ? Expect::kNameOrEnd : Expect::kValueOrEnd;
  if (!IsBroken() && !levels_.empty() && levels_.back().is_object == is_object &&
      (expect_ == Expect::kCommaOrEnd || expect_ == if_empty)) {
    levels_.pop_back();
    return EndValue();
  }
  Break();
  if (!lost_ && --skipped_levels_ == 0) EndValue();
}

void Redactor::EndValue() { expect_ = levels_.empty() ? Expect::kNothing : Expect::kCommaOrEnd; }

// After a syntax error, only brackets are counted, up to where the page reader continues: after the
// record, or after the member of the envelope. After an error in the page's outline it does not.
void Redactor::Break() {
  if (IsBroken()) return;
  const size_t outline = levels_.size() > 1 && levels_[1].value.kind == Kind::kRecords ? 2 : 1;
  lost_ = levels_.size() <= outline;
  if (!lost_) {
    skipped_levels_ = levels_.size() - outline;
    levels_.resize(outline);
  }
  next_ = {};
  expect_ = Expect::kValue;
}

// Replaces the beginning of a token that is too long to be buffered.
void Redactor::FlushToken(std::string& out) {
  if (bytes_.size() < kMaxText) return;
  const size_t taken = text_.Read(bytes_, false);
  FakeToken(out);
  bytes_.erase(0, taken);
}

void Redactor::FakeToken(std::string& out) {
  if (!fake_so_far_) fake_so_far_ = text_.Bytes();
  text_.Fake(*fake_so_far_, out);
}

void Redactor::EndToken() {
  token_ = Token::kNone;
  escaped_ = false;
  bytes_.clear();
  fake_so_far_.reset();
}

// `is_name`: a colon follows. Otherwise it is part of a string with a stray quote.
void Redactor::SettleName(bool is_name, std::string& out) {
  if (is_name) {
    absl::StrAppend(&out, name_);
  } else {
    text_.Read(name_, true);
    Fakes::Stream bytes = text_.Bytes();
    text_.Fake(bytes, out);
  }
  absl::StrAppend(&out, "\"", space_);
  name_.clear();
  space_.clear();
}

void Redactor::EndString(bool complete, std::string& out) {
  text_.Read(bytes_, true);
  const absl::string_view plain = text_.plain();
  const bool is_whole = complete && !fake_so_far_;
  const Kind kind = is_whole && !is_name_ ? next_.kind : Kind::kUnknown;
  if ((kind == Kind::kText || kind == Kind::kLink) && LooksLikeLink(plain)) {
    text_.Link(out);
  } else if (kind == Kind::kText) {
    text_.KeepWords(out);
  } else if (is_whole && is_name_ && KeepsName(plain)) {
    name_ = bytes_;
  } else if ((kind == Kind::kWord && LooksLikeName(plain)) ||
             (kind == Kind::kTime && IsTime(plain)) ||
             (kind == Kind::kMilliseconds && IsDigits(plain, kMaxMilliseconds)) ||
             (kind == Kind::kCode && IsDigits(plain, kMaxCode))) {
    absl::StrAppend(&out, bytes_);
  } else {
    FakeToken(out);
  }
  if (complete && name_.empty()) out.push_back('"');
  if (!IsBroken() && is_name_) {
    next_ = is_whole ? Member(plain) : Value();
    expect_ = Expect::kColon;
  } else if (!IsBroken()) {
    EndValue();
  }
  EndToken();
}

void Redactor::EndScalar(std::string& out) {
  const bool is_number = !fake_so_far_ && IsNumeric(bytes_);
  const bool keeps_number = next_.kind == Kind::kNumber || next_.kind == Kind::kCode;
  const size_t longest = next_.kind == Kind::kCode ? kMaxCode : kMaxNumber;
  if (IsLiteral(bytes_) || (is_number && keeps_number && bytes_.size() <= longest)) {
    absl::StrAppend(&out, bytes_);
  } else {
    text_.Read(bytes_, true);
    Fakes::Stream bytes = text_.Bytes();
    bool is_first = true;
    for (const char c : bytes_) {
      const uint32_t byte = bytes.NextByte();
      if (IsDigit(c)) {
        // A JSON number that begins with 0 has no further digit before its point.
        out.push_back(static_cast<char>(!is_first  ? '0' + byte % 10
                                        : c == '0' ? '0'
                                                   : '1' + byte % 9));
        is_first = false;
      } else if (is_number || (static_cast<unsigned char>(c) < 0x80 && !IsAlnum(c))) {
        out.push_back(c);
      } else {
        out.push_back('x');
      }
    }
  }
  if (!IsBroken()) EndValue();
  EndToken();
}

}  // namespace rollcall::service
