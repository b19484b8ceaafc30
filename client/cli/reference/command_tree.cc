#include "client/cli/reference/command_tree.h"

#include <utility>

#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace rollcall {
namespace {

// The parser writes a value's type as "FORMAT:{table,csv}" if it has a fixed set of choices.
void ReadValue(absl::string_view type, OptionDescription& option) {
  const size_t choices = type.find(":{");
  option.value = std::string(type.substr(0, choices));
  if (choices == absl::string_view::npos) return;
  type.remove_prefix(choices + 2);
  option.choices = absl::StrSplit(absl::StripSuffix(type, "}"), ',');
}

}  // namespace

bool operator==(const OptionDescription& a, const OptionDescription& b) {
  return a.names == b.names && a.value == b.value && a.choices == b.choices && a.text == b.text;
}

CommandDescription DescribeCommand(const CLI::App& app) {
  CommandDescription command;
  command.name = app.get_name();
  command.text = app.get_description();
  for (const CLI::Option* option : app.get_options()) {
    if (!option->nonpositional()) {
      command.positionals.push_back({option->get_name(), option->get_description()});
      continue;
    }
    OptionDescription description;
    for (const std::string& name : option->get_snames()) description.names.push_back("-" + name);
    for (const std::string& name : option->get_lnames()) description.names.push_back("--" + name);
    if (option->get_expected_max() > 0) ReadValue(option->get_type_name(), description);
    description.text = option->get_description();
    command.options.push_back(std::move(description));
  }
  const auto all = [](const CLI::App* /*command*/) { return true; };
  for (const CLI::App* below : app.get_subcommands(all)) {
    command.commands.push_back(DescribeCommand(*below));
  }
  return command;
}

}  // namespace rollcall
