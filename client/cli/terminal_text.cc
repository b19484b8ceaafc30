#include "client/cli/terminal_text.h"

#include <locale.h>
#include <wchar.h>

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace rollcall {
namespace {

// The first character of a text.
struct Character {
  char32_t code_point;
  size_t size;  // In bytes.
  bool valid;   // False for a byte that is not part of valid UTF-8.
};

Character FirstCharacter(absl::string_view text) {
  const auto byte = [text](size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(0);
  const Character invalid{lead, 1, false};
  if (lead < 0x80) return {lead, 1, true};

  const size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return invalid;
  char32_t code_point = lead & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return invalid;
    code_point = code_point << 6 | (byte(i) & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < kSmallest[size] || code_point > 0x10ffff || surrogate) return invalid;
  return {code_point, size, true};
}

bool IsControl(char32_t c) { return c < 0x20 || (c >= 0x7f && c <= 0x9f); }

// Invisible characters that change the order of text, break the line, or hide text. The joiners
// U+200C and U+200D are not among them: several scripts and emoji need them.
bool IsInvisibleFormat(char32_t c) {
  return c == 0xad || c == 0x061c || c == 0x180e || c == 0x200b || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0x1d173 && c <= 0x1d17a) ||
         (c >= 0xe0000 && c <= 0xe007f);
}

int CharacterWidth(char32_t c) {
  if (c < 0x80) return 1;
  // The C library's Unicode tables have the widths, independent of the user's locale.
  static const locale_t kUtf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  if (kUtf8 == nullptr) return 1;
  const locale_t before = uselocale(kUtf8);
  const int width = wcwidth(static_cast<wchar_t>(c));
  uselocale(before);
  return width < 0 ? 1 : width;
}

}  // namespace

std::string EscapeForTerminal(absl::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const char32_t c = character.code_point;
    if (character.valid && !IsControl(c) && !IsInvisibleFormat(c)) {
      absl::StrAppend(&escaped, text.substr(0, character.size));
    } else if (c == '\n') {
      escaped += "\\n";
    } else if (c == '\r') {
      escaped += "\\r";
    } else if (c == '\t') {
      escaped += "\\t";
    } else if (!character.valid || c < 0x80) {
      absl::StrAppendFormat(&escaped, "\\x%02x", static_cast<unsigned>(c));
    } else {
      absl::StrAppendFormat(&escaped, "\\u{%x}", static_cast<unsigned>(c));
    }
    text.remove_prefix(character.size);
  }
  return escaped;
}

std::string EscapeJsonForTerminal(absl::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  while (!json.empty()) {
    const Character character = FirstCharacter(json);
    const char32_t c = character.code_point;
    if (c == '\n' || !character.valid || !(IsControl(c) || IsInvisibleFormat(c))) {
      absl::StrAppend(&escaped, json.substr(0, character.size));
    } else if (c > 0xffff) {  // JSON escapes the two UTF-16 surrogates.
      const auto offset = static_cast<unsigned>(c - 0x10000);
      absl::StrAppendFormat(&escaped, "\\u%04x\\u%04x", 0xd800 + (offset >> 10),
                            0xdc00 + (offset & 0x3ff));
    } else {
      absl::StrAppendFormat(&escaped, "\\u%04x", static_cast<unsigned>(c));
    }
    json.remove_prefix(character.size);
  }
  return escaped;
}

int DisplayWidth(absl::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    width += CharacterWidth(character.code_point);
    text.remove_prefix(character.size);
  }
  return width;
}

std::string CutToWidth(absl::string_view text, int width) {
  if (DisplayWidth(text) <= width) return std::string(text);
  if (width <= 0) return "";
  size_t kept = 0;
  int kept_width = 0;
  while (kept < text.size()) {
    const Character character = FirstCharacter(text.substr(kept));
    kept_width += CharacterWidth(character.code_point);
    if (kept_width > width - 1) break;
    kept += character.size;
  }
  return absl::StrCat(text.substr(0, kept), "…");
}

}  // namespace rollcall
