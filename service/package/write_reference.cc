// write-reference FOLDER OUTPUT: generates the completions and manual pages of both programs from
// their command-line parsers. FOLDER has the templates of the manual pages. Run by the build.
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "client/cli/command_line.h"
#include "client/cli/reference/command_tree.h"
#include "client/cli/reference/completion.h"
#include "client/cli/reference/man_page.h"
#include "rollcall/version.h"
#include "service/arguments.h"

namespace rollcall {
namespace {

void Write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (file.fail()) {
    std::cerr << "write-reference: cannot write " << path << "\n";
    std::exit(1);
  }
}

std::string Read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (file.fail()) {
    std::cerr << "write-reference: cannot read " << path << "\n";
    std::exit(1);
  }
  return text.str();
}

void WriteReference(const CLI::App& app, const std::string& templates, const std::string& output,
                    const std::string& section) {
  const CommandDescription program = DescribeCommand(app);
  const std::string page = absl::StrCat(program.name, ".", section);
  Write(absl::StrCat(output, "/", page),
        absl::StrReplaceAll(
            Read(absl::StrCat(templates, "/", page, ".in")),
            {{"@VERSION@", kRollcallVersion}, {"@OPTIONS@\n", ManualOfOptions(program)}}));
  Write(absl::StrCat(output, "/", program.name, ".bash"), BashCompletion(program));
  Write(absl::StrCat(output, "/_", program.name), ZshCompletion(program));
}

}  // namespace
}  // namespace rollcall

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: write-reference FOLDER OUTPUT\n";
    return 2;
  }
  rollcall::DescribeCommandLine(
      [&](const CLI::App& app) { rollcall::WriteReference(app, argv[1], argv[2], "1"); });
  CLI::App app(rollcall::service::kProgramDescription, "rollcalld");
  rollcall::service::Arguments arguments;
  rollcall::service::AddArguments(app, arguments);
  rollcall::WriteReference(app, argv[1], argv[2], "8");
}
