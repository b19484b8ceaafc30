#include "client/cli/terminal_text.h"

#include <gtest/gtest.h>

namespace rollcall {
namespace {

using namespace std::string_literals;

TEST(EscapeForTerminalTest, KeepsTextInAnyScript) {
  for (const char* text :
       {"", "plain", "back\\slash", "Zoë", "日本語", "سلام", "👩‍👧", "e\u0301"}) {
    EXPECT_EQ(EscapeForTerminal(text), text);
  }
}

TEST(EscapeForTerminalTest, EscapesControlCharacters) {
  EXPECT_EQ(EscapeForTerminal("a\nb\r\tc"), "a\\nb\\r\\tc");
  EXPECT_EQ(EscapeForTerminal("\x1b[2J\x07\x7f"), "\\x1b[2J\\x07\\x7f");
  EXPECT_EQ(EscapeForTerminal("nul\0!"s), "nul\\x00!");
  EXPECT_EQ(EscapeForTerminal("\u009b31m"), "\\u{9b}31m");
  EXPECT_EQ(EscapeForTerminal("\u0085"), "\\u{85}");
}

TEST(EscapeForTerminalTest, EscapesInvisibleCharacters) {
  EXPECT_EQ(EscapeForTerminal("\u202egnp.exe"), "\\u{202e}gnp.exe");
  EXPECT_EQ(EscapeForTerminal("\u2066\u2069\u200b\u2028\ufeff"),
            "\\u{2066}\\u{2069}\\u{200b}\\u{2028}\\u{feff}");
  EXPECT_EQ(EscapeForTerminal("\u206a\u180e\u00ad"), "\\u{206a}\\u{180e}\\u{ad}");
}

TEST(EscapeForTerminalTest, EscapesBytesThatAreNotUtf8) {
  EXPECT_EQ(EscapeForTerminal("a\xff"), "a\\xff");
  EXPECT_EQ(EscapeForTerminal("\x9b"), "\\x9b");
  EXPECT_EQ(EscapeForTerminal("\xc3"), "\\xc3");           // Cut short.
  EXPECT_EQ(EscapeForTerminal("\xe2\x82"), "\\xe2\\x82");  // Cut short.
  EXPECT_EQ(EscapeForTerminal("\xc0\x8a"), "\\xc0\\x8a");  // A newline in two bytes.
  EXPECT_EQ(EscapeForTerminal("\xe0\x80\x8a"), "\\xe0\\x80\\x8a");
  EXPECT_EQ(EscapeForTerminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // A surrogate.
  EXPECT_EQ(EscapeForTerminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(EscapeForTerminal("\xe2\x28\xa1"), "\\xe2(\\xa1");
}

TEST(EscapeJsonForTerminalTest, EscapesInvisibleCharactersAsJsonDoes) {
  EXPECT_EQ(EscapeJsonForTerminal(
                "{\n \"a\": \"\u202e\u2066\u2067\u2068\u2069\u206f\u00ad\u0085\x7f\"\n}\n"),
            "{\n \"a\": \"\\u202e\\u2066\\u2067\\u2068\\u2069\\u206f\\u00ad\\u0085\\u007f\"\n}\n");
  EXPECT_EQ(EscapeJsonForTerminal("\"\U000e0041\U0001d173\""), "\"\\udb40\\udc41\\ud834\\udd73\"");
}

TEST(EscapeJsonForTerminalTest, KeepsTextInAnyScript) {
  for (const char* json : {"\"Zoë\"", "\"日本語\"", "\"سلام\"", "\"👩‍👧\"", "\"\\u001b\""}) {
    EXPECT_EQ(EscapeJsonForTerminal(json), json);
  }
}

TEST(DisplayWidthTest, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("Zoë"), 3);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("日本"), 4);
}

TEST(CutToWidthTest, CutsBetweenCharacters) {
  EXPECT_EQ(CutToWidth("abc", 3), "abc");
  EXPECT_EQ(CutToWidth("abcd", 3), "ab…");
  EXPECT_EQ(CutToWidth("ëëëë", 3), "ëë…");
  EXPECT_EQ(CutToWidth("日本語", 6), "日本語");
  EXPECT_EQ(CutToWidth("日本語", 5), "日本…");
  EXPECT_EQ(CutToWidth("日本語", 4), "日…");
  EXPECT_EQ(CutToWidth("e\u0301e\u0301e\u0301", 2), "e\u0301…");
  EXPECT_EQ(CutToWidth("abc", 1), "…");
  EXPECT_EQ(CutToWidth("abc", 0), "");
  EXPECT_EQ(CutToWidth("abc", -1), "");
}

}  // namespace
}  // namespace rollcall
