#include "client/cli/reference/man_page.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace rollcall {
namespace {

using Options = std::vector<OptionDescription>;

bool Contains(const Options& options, const OptionDescription& option) {
  return std::find(options.begin(), options.end(), option) != options.end();
}

// The options that a command and all its subcommands have.
Options Shared(const CommandDescription& command) {
  if (command.commands.empty()) return command.options;
  Options shared = Shared(command.commands.front());
  for (const CommandDescription& below : command.commands) {
    const Options others = Shared(below);
    const auto is_missing = [&others](const auto& option) { return !Contains(others, option); };
    shared.erase(std::remove_if(shared.begin(), shared.end(), is_missing), shared.end());
  }
  for (const OptionDescription& option : command.options) {
    if (!Contains(shared, option)) shared.push_back(option);
  }
  return shared;
}

std::string Entry(const OptionDescription& option) {
  const std::string names =
      absl::StrJoin(option.names, ", ", [](std::string* out, const std::string& name) {
        absl::StrAppend(out, "\\fB", ManualText(name), "\\fR");
      });
  return absl::StrCat(
      ".TP\n", names,
      option.value.empty() ? "" : absl::StrCat(" \\fI", ManualText(option.value), "\\fR"), "\n",
      ManualText(option.text), "\n");
}

// `known` are the options already described for the parent commands.
void Append(std::string& text, const CommandDescription& command, const std::string& path,
            Options known) {
  if (!path.empty()) {
    absl::StrAppend(&text, ".SS \"", ManualText(path), "\"\n", ManualText(command.text), ".\n");
  }
  for (const PositionalDescription& positional : command.positionals) {
    absl::StrAppend(&text, ".TP\n\\fI", ManualText(absl::AsciiStrToUpper(positional.name)),
                    "\\fR\n", ManualText(positional.text), "\n");
  }
  for (const OptionDescription& option : Shared(command)) {
    if (Contains(known, option)) continue;
    absl::StrAppend(&text, Entry(option));
    known.push_back(option);
  }
  for (const CommandDescription& below : command.commands) {
    std::string name = path.empty() ? below.name : absl::StrCat(path, " ", below.name);
    for (const PositionalDescription& positional : below.positionals) {
      absl::StrAppend(&name, " ", absl::AsciiStrToUpper(positional.name));
    }
    Append(text, below, name, known);
  }
}

}  // namespace

std::string ManualText(const std::string& text) {
  std::string escaped = absl::StrReplaceAll(text, {{"\\", "\\e"}, {"-", "\\-"}, {"\"", "\\(dq"}});
  if (!escaped.empty() && (escaped[0] == '.' || escaped[0] == '\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string ManualOfOptions(const CommandDescription& program) {
  std::string text;
  if (!program.commands.empty()) text = ".SS \"All commands\"\n";
  Append(text, program, "", {});
  return text;
}

}  // namespace rollcall
