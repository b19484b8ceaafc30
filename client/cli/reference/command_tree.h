// The commands and options of a program, as its parser of command lines has them: what completions
// and manual pages are written from, so that they cannot differ from the program. Used when the
// packages are built, and by tests.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace rollcall {

struct OptionDescription {
  // "-h" and "--help".
  std::vector<std::string> names;
  // What it takes, "FORMAT"; empty where it is a flag.
  std::string value;
  // The only values that it takes; empty where others are good.
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
  // Its commands: either these or positionals.
  std::vector<CommandDescription> commands;
};

CommandDescription DescribeCommand(const CLI::App& app);

}  // namespace rollcall
