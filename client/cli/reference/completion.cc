#include "client/cli/reference/completion.h"

#include <map>
#include <set>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"

namespace rollcall {
namespace {

bool IsFile(const OptionDescription& option) { return option.value == "FILE"; }

// Within single quotes of a shell.
std::string ShellQuoted(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"'", "'\\''"}});
}

// The parts of a bash completion that cover all commands of a program.
struct BashTables {
  // Cases that map a command, such as "rollcall list", to the words that may follow it.
  std::string words;
  // Options with a value, by the shell code that completes the value.
  std::map<std::string, std::set<std::string>> values;
};

void AddTo(BashTables& tables, const CommandDescription& command, const std::string& path) {
  std::vector<std::string> words;
  for (const CommandDescription& below : command.commands) words.push_back(below.name);
  for (const OptionDescription& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
    if (option.value.empty()) continue;
    std::string how;
    if (IsFile(option))
      how = "compopt -o filenames\n      mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")";
    if (!option.choices.empty()) {
      how = absl::StrCat("mapfile -t COMPREPLY < <(compgen -W '",
                         absl::StrJoin(option.choices, " "), "' -- \"$cur\")");
    }
    tables.values[how].insert(option.names.begin(), option.names.end());
  }
  absl::StrAppend(&tables.words, "    '", path, "') words='", absl::StrJoin(words, " "), "' ;;\n");
  for (const CommandDescription& below : command.commands) {
    AddTo(tables, below, absl::StrCat(path, " ", below.name));
  }
}

// The paths of all commands below the program.
void AddPaths(const CommandDescription& command, const std::string& path,
              std::vector<std::string>& paths) {
  for (const CommandDescription& below : command.commands) {
    paths.push_back(absl::StrCat("'", path, " ", below.name, "'"));
    AddPaths(below, absl::StrCat(path, " ", below.name), paths);
  }
}

std::string ZshText(absl::string_view text) {
  return ShellQuoted(absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"[", "\\["}, {"]", "\\]"}}));
}

// The part of a specification between colons.
std::string ZshMessage(absl::string_view text) {
  return absl::StrReplaceAll(ZshText(text), {{":", "\\:"}});
}

std::string ZshSpecification(const OptionDescription& option) {
  std::string action = " ";
  if (IsFile(option)) action = "_files";
  if (!option.choices.empty()) action = absl::StrCat("(", absl::StrJoin(option.choices, " "), ")");
  std::string value;
  if (!option.value.empty()) value = absl::StrCat(":", ZshMessage(option.value), ":", action);
  std::string specifications;
  for (const std::string& name : option.names) {
    // The value follows after '=' or as the next word.
    absl::StrAppend(&specifications, " \\\n    '", name,
                    !value.empty() && absl::StartsWith(name, "--") ? "=" : "", "[",
                    ZshText(option.text), "]", value, "'");
  }
  return specifications;
}

std::string ZshFunction(const CommandDescription& command, const std::string& name) {
  std::string text = absl::StrCat(name, "() {\n");
  if (!command.commands.empty()) {
    absl::StrAppend(&text, "  local curcontext=$curcontext state line\n", "  local -a commands=(");
    for (const CommandDescription& below : command.commands) {
      absl::StrAppend(&text, "\n    '", below.name, ":", ShellQuoted(below.text), "'");
    }
    absl::StrAppend(&text, ")\n");
  }
  absl::StrAppend(&text, "  _arguments", command.commands.empty() ? "" : " -C");
  for (const OptionDescription& option : command.options) {
    absl::StrAppend(&text, ZshSpecification(option));
  }
  for (const PositionalDescription& positional : command.positionals) {
    absl::StrAppend(&text, " \\\n    ':", ZshMessage(positional.text), ": '");
  }
  if (command.commands.empty()) return absl::StrCat(text, "\n}\n\n");
  absl::StrAppend(&text, " \\\n    '1: :->command' '*:: :->rest'\n", "  case $state in\n",
                  "    command) _describe -t commands command commands ;;\n",
                  "    rest)\n      case $words[1] in\n");
  for (const CommandDescription& below : command.commands) {
    absl::StrAppend(&text, "        ", below.name, ") ", name, "_", below.name, " ;;\n");
  }
  absl::StrAppend(&text, "      esac ;;\n  esac\n}\n\n");
  for (const CommandDescription& below : command.commands) {
    absl::StrAppend(&text, ZshFunction(below, absl::StrCat(name, "_", below.name)));
  }
  return text;
}

}  // namespace

std::string BashCompletion(const CommandDescription& program) {
  BashTables tables;
  AddTo(tables, program, program.name);
  std::vector<std::string> paths;
  AddPaths(program, program.name, paths);
  std::set<std::string> with_value;
  std::string values;
  for (const auto& [how, names] : tables.values) {
    with_value.insert(names.begin(), names.end());
    absl::StrAppend(&values, "    ", absl::StrJoin(names, " | "), ")\n      ", how,
                    how.empty() ? "" : "\n      ", "return ;;\n");
  }
  std::string text = absl::StrCat("# Completes the command line of ", program.name, " in bash.\n_",
                                  program.name, R"sh(() {
  local cur=${COMP_WORDS[COMP_CWORD]} path=)sh",
                                  program.name, R"sh( option='' words='' i
  COMPREPLY=()
)sh");
  // A value follows its option, or '=', which bash treats as a word of its own.
  absl::StrAppend(&text, R"sh(  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
)sh");
  if (!with_value.empty()) {
    absl::StrAppend(&text, "      ", absl::StrJoin(with_value, " | "), R"sh()
        option=${COMP_WORDS[i]}
        [[ ${COMP_WORDS[i + 1]} != = ]] || ((++i))
        ((++i)) ;;
)sh");
  }
  if (!paths.empty()) {
    absl::StrAppend(&text, "      *)\n        case \"$path ${COMP_WORDS[i]}\" in\n          ",
                    absl::StrJoin(paths, " | "),
                    ") path+=\" ${COMP_WORDS[i]}\" ;;\n        esac ;;\n");
  }
  absl::StrAppend(&text, R"sh(    esac
  done
  # The loop went beyond the cursor only if the cursor is at an option's value.
  ((i > COMP_CWORD)) || option=
  [[ $cur != = ]] || cur=
  case $option in
)sh",
                  values, R"sh(  esac
  case $path in
)sh",
                  tables.words, R"sh(  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _)sh",
                  program.name, " ", program.name, "\n");
  return text;
}

std::string ZshCompletion(const CommandDescription& program) {
  const std::string name = "_" + program.name;
  // zsh calls the function when it loads the file, and again for each completion.
  return absl::StrCat("#compdef ", program.name, "\n# Completes the command line of ", program.name,
                      " in zsh.\n\n", ZshFunction(program, name), name, " \"$@\"\n");
}

}  // namespace rollcall
