#include "service/recording/text_redactor.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "service/provider/provider_id.h"
#include "service/recording/ascii.h"

namespace rollcall::service {
namespace {

// Bytes of the longest character: an escaped surrogate pair.
constexpr size_t kLongest = 12;

// Not characters: an invalid UTF-8 byte, and an invalid JSON escape.
constexpr char32_t kBadByte = 0x110000;
constexpr char32_t kBadEscape = 0x110001;

// A word of at least this size is an id if it contains a digit.
constexpr size_t kIdSize = 20;
// A word with more digits may be a phone number.
constexpr int kMaxDigits = 6;
constexpr size_t kMaxPageDigits = 9;
// The suffix of the last segment in some paths.
constexpr absl::string_view kSuffix = ".json";
constexpr absl::string_view kHexDigits = "0123456789abcdef";

bool IsWord(char c) { return IsAlnum(c) || c == '_' || c == '-'; }

bool IsHighSurrogate(char32_t c) { return c >= 0xD800 && c < 0xDC00; }
bool IsLowSurrogate(char32_t c) { return c >= 0xDC00 && c < 0xE000; }

size_t ReadUtf8(absl::string_view text, char32_t& value) {
  constexpr char32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  value = kBadByte;
  if (first < 0xC0 || first > 0xF4 || text.size() < size) return 1;
  char32_t read = first & (0x7Fu >> size);
  for (const char c : text.substr(1, size - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0u) != 0x80) return 1;
    read = read << 6 | (byte & 0x3Fu);
  }
  if (read < kLeast[size] || read > 0x10FFFF || IsHighSurrogate(read) || IsLowSurrogate(read)) {
    return 1;
  }
  value = read;
  return size;
}

// The four digits after \u.
bool ReadHex(absl::string_view text, char32_t& value) {
  if (!absl::StartsWith(text, "\\u") || text.size() < 6) return false;
  value = 0;
  for (const char c : text.substr(2, 4)) {
    if (!IsHex(c)) return false;
    value = value << 4 | static_cast<char32_t>(
                             kHexDigits.find(absl::ascii_tolower(static_cast<unsigned char>(c))));
  }
  return true;
}

size_t ReadEscape(absl::string_view text, char32_t& value) {
  if (ReadHex(text, value)) {
    char32_t low = 0;
    if (!IsHighSurrogate(value) || !ReadHex(text.substr(6), low) || !IsLowSurrogate(low)) return 6;
    value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
    return 12;
  }
  constexpr absl::string_view kNames = "\"\\/bfnrt";
  constexpr absl::string_view kMeanings = "\"\\/\b\f\n\r\t";
  if (text.size() > 1) {
    if (const size_t found = kNames.find(text[1]); found != absl::string_view::npos) {
      value = static_cast<char32_t>(kMeanings[found]);
      return 2;
    }
  }
  value = kBadEscape;
  if (!absl::StartsWith(text, "\\u")) {
    return text.size() > 1 && static_cast<unsigned char>(text[1]) < 0x80 ? 2 : 1;
  }
  // Includes the wrong character, whose replacement could otherwise make the escape valid.
  size_t size = 2;
  while (size < text.size() && IsHex(text[size])) ++size;
  return size < text.size() && IsAlnum(text[size]) ? size + 1 : size;
}

char32_t FakeOf(char32_t c, uint32_t byte) {
  if (c >= 'A' && c <= 'Z') return 'A' + byte % 26;
  if (c >= 'a' && c <= 'z') return 'a' + byte % 26;
  if (c >= '0' && c <= '9') return '0' + byte % 10;
  if (c < 0x80) return c;
  if (c < 0x800) return 0xC0 + byte % 64;  // a letter with an accent
  if (IsHighSurrogate(c)) return 0xD83D;
  if (IsLowSurrogate(c)) return 0xDE00;
  return c < 0x10000 ? 0x4E00 + byte : 0x1F600 + byte % 64;  // an ideograph, a face
}

void AppendUtf8(char32_t c, std::string& out) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  const auto put_rest = [&](int shift) { put(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return put(c);
  if (c < 0x800) {
    put(0xC0 | c >> 6);
  } else {
    if (c < 0x10000) {
      put(0xE0 | c >> 12);
    } else {
      put(0xF0 | c >> 18);
      put_rest(12);
    }
    put_rest(6);
  }
  put_rest(0);
}

bool IsSid(absl::string_view word) {
  return word.size() == 34 && absl::ascii_isupper(static_cast<unsigned char>(word[0])) &&
         absl::ascii_isupper(static_cast<unsigned char>(word[1])) &&
         IsTwilioSid(word, word.substr(0, 2));
}

bool IsId(absl::string_view word) {
  return IsSid(word) || IsUuid(word) ||
         (word.size() >= kIdSize && std::any_of(word.begin(), word.end(), IsDigit));
}

// May be a phone number.
bool IsLongNumber(absl::string_view word) {
  return std::count_if(word.begin(), word.end(), IsDigit) > kMaxDigits;
}

std::string PrefixOf(const BaseUrl& base) {
  const std::string url = base.ToString();
  const size_t slash = url.find('/', url.find("://") + 3);
  return slash == std::string::npos ? "" : url.substr(slash);
}

// The segments of an API's path that are not ids.
std::vector<std::string> WordsOf(absl::string_view path) {
  std::vector<std::string> words;
  for (const absl::string_view segment : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    const absl::string_view word = absl::StripSuffix(segment, kSuffix);
    if (!IsId(word)) words.emplace_back(word);
  }
  return words;
}

}  // namespace

TextRedactor::TextRedactor(const Fakes& fakes, const ParticipantApi& api, const Account& upstream)
    : fakes_(fakes),
      base_(api.base_url(upstream)),
      prefix_(PrefixOf(base_)),
      words_(WordsOf(api.ProbeTarget(upstream))) {}

size_t TextRedactor::Read(absl::string_view raw, bool whole) {
  raw_ = raw;
  values_.clear();
  ends_.clear();
  plain_.clear();
  size_t at = 0;
  while (at < raw.size() && (whole || raw.size() - at >= kLongest)) {
    char32_t value = static_cast<unsigned char>(raw[at]);
    if (value == '\\') {
      at += ReadEscape(raw.substr(at), value);
    } else if (value < 0x80) {
      ++at;
    } else {
      at += ReadUtf8(raw.substr(at), value);
    }
    values_.push_back(value);
    ends_.push_back(at);
    plain_.push_back(static_cast<char>(std::min(value, char32_t{0x80})));
  }
  return at;
}

absl::string_view TextRedactor::Raw(size_t index) const {
  const size_t begin = index == 0 ? 0 : ends_[index - 1];
  return raw_.substr(begin, ends_[index] - begin);
}

absl::string_view TextRedactor::Plain(size_t begin, size_t end) const {
  return absl::string_view(plain_).substr(begin, end - begin);
}

Fakes::Stream TextRedactor::BytesOf(size_t begin, size_t end) const {
  return fakes_.Of(std::u32string_view(values_).substr(begin, end - begin));
}

void TextRedactor::Keep(size_t begin, size_t end, std::string& out) const {
  for (size_t i = begin; i < end; ++i) absl::StrAppend(&out, Raw(i));
}

// Appends `value`, raw or escaped like the character at `index`.
void TextRedactor::Put(size_t index, char32_t value, std::string& out) const {
  const absl::string_view raw = Raw(index);
  if (value == values_[index]) {
    absl::StrAppend(&out, raw);
  } else if (raw[0] != '\\') {
    AppendUtf8(value, out);
  } else if (raw.size() == 6) {
    absl::StrAppendFormat(&out, "\\u%04x", static_cast<uint32_t>(value));
  } else {
    const uint32_t bits = static_cast<uint32_t>(value) - 0x10000;
    absl::StrAppendFormat(&out, "\\u%04x\\u%04x", 0xD800 + (bits >> 10), 0xDC00 + (bits & 0x3FF));
  }
}

void TextRedactor::Replace(size_t index, uint32_t byte, std::string& out) const {
  const char32_t value = values_[index];
  if (value == kBadByte) {
    out.push_back('\xFF');
  } else if (value == kBadEscape) {
    const absl::string_view raw = Raw(index);
    const size_t kept = absl::StartsWith(raw, "\\u") ? 2 : 1;
    absl::StrAppend(&out, raw.substr(0, kept));
    for (const char c : raw.substr(kept)) out.push_back(IsAlnum(c) ? 'x' : c);
  } else {
    Put(index, FakeOf(value, byte), out);
  }
}

void TextRedactor::Fake(Fakes::Stream& bytes, std::string& out) {
  for (size_t i = 0; i < values_.size(); ++i) Replace(i, bytes.NextByte(), out);
}

// The replacement of an id has the same form; those of the providers are hexadecimal.
void TextRedactor::FakeWord(size_t begin, size_t end, std::string& out) const {
  const absl::string_view word = Plain(begin, end);
  Fakes::Stream bytes = BytesOf(begin, end);
  const bool is_sid = IsSid(word);
  const bool is_hex = is_sid || IsUuid(word);
  if (is_sid) {
    Keep(begin, begin + 2, out);
    begin += 2;
  }
  for (size_t i = begin; i < end; ++i) {
    const uint32_t byte = bytes.NextByte();
    if (is_hex && plain_[i] != '-') {
      Put(i, static_cast<unsigned char>(kHexDigits[byte % 16]), out);
    } else {
      Replace(i, byte, out);
    }
  }
}

void TextRedactor::KeepWords(std::string& out) {
  // May be an address or part of a link.
  if (plain_.find_first_of("@?%") != std::string::npos) {
    Fakes::Stream bytes = Bytes();
    return Fake(bytes, out);
  }
  for (size_t i = 0; i < plain_.size();) {
    size_t end = i;
    while (end < plain_.size() && IsWord(plain_[end])) ++end;
    if (end == i) {
      Keep(i, ++end, out);
    } else if (IsId(Plain(i, end)) || IsLongNumber(Plain(i, end))) {
      FakeWord(i, end, out);
    } else {
      Keep(i, end, out);
    }
    i = end;
  }
}

// Replaces a part of a URL. Percent-encoded ASCII punctuation is kept; other encoded bytes become
// letters, because a caller that repeats the request can send valid UTF-8 only.
void TextRedactor::FakeEncoded(size_t begin, size_t end, std::string& out) const {
  if (IsSid(Plain(begin, end)) || IsUuid(Plain(begin, end))) return FakeWord(begin, end, out);
  Fakes::Stream bytes = BytesOf(begin, end);
  for (size_t i = begin; i < end; ++i) {
    if (plain_[i] != '%' || end - i < 3 || !IsHex(plain_[i + 1]) || !IsHex(plain_[i + 2])) {
      Replace(i, bytes.NextByte(), out);
      continue;
    }
    const auto digit = [&](size_t at) {
      return kHexDigits.find(absl::ascii_tolower(static_cast<unsigned char>(plain_[at])));
    };
    const auto encoded = static_cast<char>(digit(i + 1) << 4 | digit(i + 2));
    if (static_cast<unsigned char>(encoded) < 0x80 && !IsAlnum(encoded)) {
      Keep(i, i + 3, out);
    } else {
      for (size_t k = i; k < i + 3; ++k) Put(k, 'a' + bytes.NextByte() % 26, out);
    }
    i += 2;
  }
}

void TextRedactor::Link(std::string& out) {
  const size_t size = plain_.size();
  const auto find = [&](const char* any_of, size_t from) {
    return std::min(plain_.find_first_of(any_of, from), size);
  };
  size_t at = LinkOrigin(out);
  while (at < size && plain_[at] == '/') {
    Keep(at, at + 1, out);
    const size_t end = find("/?#", ++at);
    LinkSegment(at, end, out);
    at = end;
  }
  while (at < size && (plain_[at] == '?' || plain_[at] == '&')) {
    Keep(at, at + 1, out);
    const size_t end = find("&#", ++at);
    LinkParameter(at, end, out);
    at = end;
  }
  FakeEncoded(at, size, out);
}

// Returns where the path begins: at 0 if there is no origin, at the end if the text is not a link.
size_t TextRedactor::LinkOrigin(std::string& out) const {
  const auto skip_prefix = [this](size_t at) {
    const absl::string_view path = Plain(at, plain_.size());
    return absl::StartsWith(path, absl::StrCat(prefix_, "/")) ? at + prefix_.size() : at;
  };
  if (absl::StartsWith(plain_, "/")) return skip_prefix(0);
  if (!absl::StartsWith(plain_, "http://") && !absl::StartsWith(plain_, "https://")) return 0;
  const size_t host = plain_.find("://") + 3;
  const size_t end = std::min(plain_.find_first_of("/?#", host), plain_.size());
  if (base_.Resolve(absl::StrCat(Plain(0, end), prefix_, "/")).ok()) {
    absl::StrAppend(&out, kReplayOrigin);
    return skip_prefix(end);
  }
  Keep(0, host, out);
  FakeEncoded(host, end, out);
  return end;
}

void TextRedactor::LinkSegment(size_t begin, size_t end, std::string& out) const {
  const absl::string_view segment = Plain(begin, end);
  if (std::find(words_.begin(), words_.end(), absl::StripSuffix(segment, kSuffix)) !=
      words_.end()) {
    return Keep(begin, end, out);
  }
  const size_t suffix = absl::EndsWith(segment, kSuffix) ? end - kSuffix.size() : end;
  FakeEncoded(begin, suffix, out);
  Keep(suffix, end, out);
}

void TextRedactor::LinkParameter(size_t begin, size_t end, std::string& out) const {
  const absl::string_view parameter = Plain(begin, end);
  const size_t equals = std::min(parameter.find('='), parameter.size());
  const absl::string_view name = parameter.substr(0, equals);
  const absl::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
  const bool is_name = equals < parameter.size() && name.size() < kIdSize &&
                       std::all_of(name.begin(), name.end(), [](char c) {
                         return absl::ascii_isalpha(static_cast<unsigned char>(c));
                       });
  const bool is_number = (name == "Page" || name == "PageSize") && value.size() <= kMaxPageDigits &&
                         std::all_of(value.begin(), value.end(), IsDigit);
  const size_t value_begin = end - value.size();
  if (is_name) {
    Keep(begin, value_begin, out);
  } else {
    FakeEncoded(begin, value_begin, out);
  }
  if (is_number || value == "true" || value == "false") {
    Keep(value_begin, end, out);
  } else {
    FakeEncoded(value_begin, end, out);
  }
}

}  // namespace rollcall::service
