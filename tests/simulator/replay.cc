#include "tests/simulator/replay.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "nlohmann/json.hpp"

namespace rollcall::simulator {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;
// service/recording writes this origin in place of the provider's.
constexpr char kRecordedOrigin[] = "http://replay.invalid";

absl::Status Wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", what));
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::error_code error;
  std::ifstream file;
  // Refuse links, pipes and devices: the folder may come from an untrusted sender.
  const auto status = std::filesystem::symlink_status(path, error);
  if (std::filesystem::is_regular_file(status)) file.open(path, std::ios::binary);
  if (!file.is_open()) return Wrong(path, "cannot read the file, or it is not a regular file");
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Percent-decodes a value in a target.
std::string Decoded(absl::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    uint32_t byte = 0;
    if (text[i] == '%' && absl::SimpleHexAtoi(text.substr(i + 1, 2), &byte)) {
      decoded.push_back(static_cast<char>(byte));
      i += 2;
    } else {
      decoded.push_back(text[i]);
    }
  }
  return decoded;
}

// Quotes a value for the shell and removes control characters, which a terminal would obey.
std::string Quoted(absl::string_view text) {
  std::string word = Decoded(text);
  const auto is_plain = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), is_plain)) return word;
  std::replace_if(
      word.begin(), word.end(),
      [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); }, '?');
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", "'\\''"}}), "'");
}

std::string OptionsOf(absl::string_view query, bool is_list) {
  std::string options;
  for (const absl::string_view parameter : absl::StrSplit(query, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> pair =
        absl::StrSplit(parameter, absl::MaxSplits('=', 1));
    const auto& [name, value] = pair;
    const bool yes = value == "true";
    if (name == "PageSize") absl::StrAppend(&options, " --page-size ", Quoted(value));
    if (name == "ParticipantSid") absl::StrAppend(&options, " --participant ", Quoted(value));
    if (name == "Label") absl::StrAppend(&options, " --label ", Quoted(value));
    if (name == "Events") {
      absl::StrAppend(&options, is_list ? " --event " : " --events ", Quoted(value));
    }
    if (name == "Metrics") absl::StrAppend(&options, " --metrics ", Quoted(value));
    if (name == "Muted") absl::StrAppend(&options, yes ? " --muted" : " --not-muted");
    if (name == "Hold") absl::StrAppend(&options, yes ? " --hold" : " --no-hold");
    if (name == "Coaching") absl::StrAppend(&options, yes ? " --coaching" : " --no-coaching");
  }
  return options;
}

// The command whose first request is for this target; empty if the target is a later page. Adds the
// account in its path to `accounts`.
std::string CommandFor(absl::string_view target, std::set<std::string>* accounts) {
  const std::pair<absl::string_view, absl::string_view> parts =
      absl::StrSplit(target, absl::MaxSplits('?', 1));
  absl::string_view path = parts.first;
  if (absl::StrContains(parts.second, "PageToken=")) return "";
  std::string kind;
  std::string upstream;
  if (absl::ConsumePrefix(&path, "/v1/Conferences/")) {
    kind = "conference";
  } else if (absl::ConsumePrefix(&path, "/v1/Video/Rooms/")) {
    kind = "room";
  } else {
    const bool is_signalwire = absl::ConsumePrefix(&path, "/api/laml");
    if (!absl::ConsumePrefix(&path, "/2010-04-01/Accounts/")) return "";
    kind = "live";
    accounts->insert(absl::StrCat(is_signalwire ? R"("project_id": ")" : R"("account_sid": ")",
                                  Quoted(path.substr(0, path.find('/'))), "\""));
    path.remove_prefix(std::min(path.find("/Conferences/"), path.size()));
    absl::ConsumePrefix(&path, "/Conferences/");
    absl::ConsumeSuffix(&path, ".json");
  }
  const std::vector<absl::string_view> words = absl::StrSplit(path, '/');
  if (words.size() < 2 || words.size() > 3 || words[1] != "Participants") return "";
  const bool is_list = words.size() == 2;
  return absl::StrCat("rollcall ", is_list ? "list " : "get ", kind, " ", Quoted(words[0]),
                      is_list ? "" : absl::StrCat(" ", Quoted(words[2])),
                      OptionsOf(parts.second, is_list));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Replay>> Replay::Load(const std::string& folder) {
  const std::string path = folder + "/recording.ndjson";
  const absl::StatusOr<std::string> manifest = ReadFile(path);
  if (!manifest.ok()) return manifest.status();
  std::vector<std::string> lines = absl::StrSplit(*manifest, '\n');
  lines.pop_back();  // Empty, or truncated because the disk was full.
  const json head = lines.empty() ? json() : json::parse(lines[0], nullptr, false);
  if (!head.is_object() || head.value("format", json()) != json(kFormat)) {
    return Wrong(path, "not a recording of format 1");
  }
  std::map<int, std::pair<std::string, Recorded>> in_order;
  try {
    for (size_t i = 1; i < lines.size(); ++i) {
      const json line = json::parse(lines[i]);
      Recorded recorded{line.value("status", 0), line.value("retry_after", ""),
                        line.value("framing", ""), "", line.at("end") == "complete"};
      const std::string body = line.value("body", "");
      if (absl::StrContains(body, '/'))
        return Wrong(
            path, "a body's file name contains a slash; bodies must be in the recording's folder");
      if (!body.empty()) {
        absl::StatusOr<std::string> text = ReadFile(absl::StrCat(folder, "/", body));
        if (!text.ok()) return text.status();
        recorded.body = *std::move(text);
      }
      in_order[line.at("number")] = {line.at("target"), std::move(recorded)};
    }
  } catch (const json::exception& error) {
    return Wrong(path, error.what());
  }
  if (in_order.empty()) return Wrong(path, "the recording has no responses");
  auto replay = std::make_unique<Replay>();
  for (auto& [number, entry] : in_order) {
    Target& target = replay->answers_[entry.first];
    if (target.answers.empty()) replay->targets_.push_back(entry.first);
    target.answers.push_back(std::move(entry.second));
  }
  return replay;
}

Fault Replay::Next(const Request& request, absl::string_view base_url) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = answers_.find(request.target);
  if (found == answers_.end()) {
    return Respond(
        404, R"({"code": 20404, "message": "the recording has no response for this target"})");
  }
  Target& target = found->second;
  const Recorded& recorded = target.answers[target.next];
  if (target.next + 1 < target.answers.size()) ++target.next;
  Fault fault;
  if (recorded.status == 0) {
    fault.cut_before_head = true;
    return fault;
  }
  std::string body = absl::StrReplaceAll(recorded.body, {{kRecordedOrigin, base_url}});
  fault.chunked = recorded.framing == "chunked";
  fault.until_close = recorded.framing == "connection";
  if (!recorded.complete) {
    fault.cut_after = body.size();
    body.push_back(' ');  // One byte that Content-Length counts but is never sent.
  }
  fault.answer = Answer{recorded.status, {{"Content-Type", "application/json"}}, body};
  if (!recorded.retry_after.empty()) {
    fault.answer->headers.emplace_back("Retry-After", recorded.retry_after);
  }
  return fault;
}

std::vector<std::string> Replay::Instructions() const {
  std::set<std::string> accounts;
  std::vector<std::string> commands;
  for (const std::string& target : targets_) {
    std::string command = CommandFor(target, &accounts);
    if (!command.empty()) commands.push_back(std::move(command));
  }
  commands.insert(commands.begin(), accounts.begin(), accounts.end());
  return commands;
}

}  // namespace rollcall::simulator
