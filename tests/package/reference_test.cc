// Manual pages and completions that are generated from the programs' own parsers: they are
// complete, bash and zsh offer them, and man prints no warning.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "client/cli/command_line.h"
#include "client/cli/reference/command_tree.h"
#include "client/cli/reference/man_page.h"
#include "service/arguments.h"
#include "tests/paths.h"

namespace rollcall {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

// A manual page or a completion script that was built.
std::string ReferencePath(const std::string& name) {
  return BuildPath(absl::StrCat("service/package/reference/", name));
}

std::string Read(const std::string& name) {
  std::ifstream file(ReferencePath(name));
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// The lines that a command writes to standard output, sorted.
std::vector<std::string> Lines(const std::string& command) {
  std::string text;
  std::FILE* const pipe = popen(command.c_str(), "r");
  for (int byte = std::fgetc(pipe); byte != EOF; byte = std::fgetc(pipe)) {
    text.push_back(static_cast<char>(byte));
  }
  const int status = pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << command;
  std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  std::sort(lines.begin(), lines.end());
  return lines;
}

// In single quotes for a shell.
std::string Quoted(const std::string& text) {
  return absl::StrCat("'", absl::StrReplaceAll(text, {{"'", "'\\''"}}), "'");
}

// What bash offers for the last word, with the command line split as bash splits it.
std::vector<std::string> BashOffers(const std::vector<std::string>& words) {
  std::string script = absl::StrCat("source ", ReferencePath(words[0]), ".bash; COMP_WORDS=(");
  for (const std::string& word : words) absl::StrAppend(&script, " ", Quoted(word));
  absl::StrAppend(&script, " ); COMP_CWORD=", words.size() - 1, "; compopt() { :; }; _", words[0],
                  "; printf '%s\\n' \"${COMPREPLY[@]}\"");
  return Lines(absl::StrCat("bash -c ", Quoted(script)));
}

std::vector<std::string> ZshOffers(const std::string& line) {
  return Lines(absl::StrCat(SourcePath("tests/package/zsh_completions"), " ", ReferencePath(""),
                            " ", Quoted(line)));
}

CommandDescription Client() {
  CommandDescription client;
  DescribeCommandLine([&](const CLI::App& app) { client = DescribeCommand(app); });
  return client;
}

CommandDescription Service() {
  CLI::App app(service::kProgramDescription, "rollcalld");
  service::Arguments arguments;
  service::AddArguments(app, arguments);
  return DescribeCommand(app);
}

void ForEachCommand(const CommandDescription& command, const std::string& path,
                    const std::function<void(const CommandDescription&, const std::string&)>& see) {
  see(command, path);
  for (const CommandDescription& below : command.commands) {
    ForEachCommand(below, absl::StrCat(path, " ", below.name), see);
  }
}

TEST(ReferenceTest, ManualHasEveryOptionAndCommand) {
  int options = 0;
  for (const auto& [program, page] :
       {std::pair(Client(), Read("rollcall.1")), std::pair(Service(), Read("rollcalld.8"))}) {
    ForEachCommand(program, "", [&, &text = page](const auto& command, const std::string& path) {
      if (!path.empty()) {
        EXPECT_THAT(text, HasSubstr(ManualText(command.text)));
      }
      for (const OptionDescription& option : command.options) {
        EXPECT_THAT(text, HasSubstr(ManualText(option.text))) << option.names.back();
        for (const std::string& name : option.names) {
          EXPECT_THAT(text, HasSubstr(absl::StrCat("\\fB", ManualText(name), "\\fR")));
          ++options;
        }
      }
    });
  }
  EXPECT_GT(options, 100);
}

TEST(ReferenceTest, ManualHasCommonOptionsOnce) {
  const std::string page = Read("rollcall.1");
  const std::string entry = ".TP\n\\fB\\-\\-output\\fR \\fIFORMAT\\fR\n";
  ASSERT_THAT(page, HasSubstr(entry));
  EXPECT_EQ(page.find(entry), page.rfind(entry));
}

TEST(ReferenceTest, ManPrintsNoWarnings) {
  for (const char* page : {"rollcall.1", "rollcalld.8"}) {
    EXPECT_THAT(Lines(absl::StrCat("LC_ALL=C.UTF-8 man --warnings -Tutf8 -l ", ReferencePath(page),
                                   " 2>&1 >/dev/null")),
                IsEmpty());
    EXPECT_THAT(Read(page), Not(HasSubstr("@")));
  }
}

TEST(ReferenceTest, BashOffersEveryOptionAndCommand) {
  for (const CommandDescription& program : {Client(), Service()}) {
    ForEachCommand(program, program.name, [](const auto& command, const std::string& path) {
      std::vector<std::string> words = absl::StrSplit(path, ' ');
      words.push_back("");
      const std::vector<std::string> offers = BashOffers(words);
      for (const OptionDescription& option : command.options) {
        EXPECT_THAT(offers, IsSupersetOf(option.names)) << path;
      }
      for (const CommandDescription& below : command.commands) {
        EXPECT_THAT(offers, Contains(below.name)) << path;
      }
    });
  }
}

TEST(ReferenceTest, BashOffersMatchesOfAPrefix) {
  EXPECT_THAT(BashOffers({"rollcall", "l"}), ElementsAre("list"));
  EXPECT_THAT(BashOffers({"rollcall", "get", "room", "RM1", "--ti"}), ElementsAre("--timeout"));
  EXPECT_THAT(BashOffers({"rollcall", "list", "room", "--mu"}), IsEmpty());
}

TEST(ReferenceTest, BashOffersValues) {
  EXPECT_THAT(BashOffers({"rollcall", "list", "room", "--output", "c"}), ElementsAre("csv"));
  EXPECT_THAT(BashOffers({"rollcall", "list", "room", "--output", "=", "c"}), ElementsAre("csv"));
  EXPECT_THAT(BashOffers({"rollcall", "list", "room", "--output", "="}),
              IsSupersetOf({"csv", "json", "ndjson", "table"}));
  EXPECT_THAT(BashOffers({"rollcall", "list", "room", "--limit", ""}), IsEmpty());
  EXPECT_THAT(BashOffers({"rollcalld", "--config", ReferencePath("rollcall.")}),
              ElementsAre(ReferencePath("rollcall.1"), ReferencePath("rollcall.bash")));
  // "room" is the value of an option here, not a command.
  EXPECT_THAT(BashOffers({"rollcall", "list", "conference", "--label", "room", "--la"}),
              ElementsAre("--label"));
}

TEST(ReferenceTest, ZshOffersEveryOptionAndCommand) {
  for (const CommandDescription& program : {Client(), Service()}) {
    ForEachCommand(program, program.name, [](const auto& command, const std::string& path) {
      if (!command.commands.empty()) {
        std::vector<std::string> names;
        for (const CommandDescription& below : command.commands) names.push_back(below.name);
        std::sort(names.begin(), names.end());
        EXPECT_EQ(ZshOffers(path + " "), names);
      }
      const std::vector<std::string> offers = ZshOffers(path + " --");
      for (const OptionDescription& option : command.options) {
        EXPECT_THAT(offers, Contains(option.names.back())) << path;
      }
    });
  }
}

TEST(ReferenceTest, ZshOffersValues) {
  EXPECT_THAT(ZshOffers("rollcall list room --output c"), ElementsAre("csv"));
  EXPECT_THAT(ZshOffers("rollcall list room --output=c"), ElementsAre("csv"));
  EXPECT_THAT(ZshOffers(absl::StrCat("rollcalld --config ", ReferencePath("rollcall."))),
              ElementsAre(StartsWith("rollcall.1"), StartsWith("rollcall.bash")));
}

}  // namespace
}  // namespace rollcall
