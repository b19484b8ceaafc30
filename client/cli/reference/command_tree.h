// The commands and options of a program, read from its command line parser, so that completions and
// manual pages cannot differ from the program.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace rollcall {

struct OptionDescription {
  // "-h" and "--help".
  std::vector<std::string> names;
  // The name of the value, "FORMAT". Empty for a flag.
  std::string value;
  // The accepted values. Empty if any value is accepted.
  std::vector<std::string> choices;
  std::string text;
};

bool operator==(const OptionDescription& a, const OptionDescription& b);

struct PositionalDescription {
  std::string name;
  std::string text;
};

struct CommandDescription {
  std::string name;
  std::string text;
  std::vector<OptionDescription> options;
  std::vector<PositionalDescription> positionals;
  // Subcommands. A command has either these or positionals.
  std::vector<CommandDescription> commands;
};

CommandDescription DescribeCommand(const CLI::App& app);

}  // namespace rollcall
