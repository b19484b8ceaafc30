#include "client/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <limits>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "client/cli/connection_options.h"
#include "client/cli/exit_code.h"
#include "rollcall/call_options.h"
#include "rollcall/version.h"

namespace rollcall {
namespace {

constexpr char kFooter[] =
    "\n"
    "Exit codes: 0 success, a list is complete up to its limit; 1 failure; 2 wrong usage or "
    "invalid\n"
    "argument; 3 not found; 4 access denied; 5 unavailable or rate limited, try again later;\n"
    "6 timeout; 130 interrupted by Ctrl-C; 141 the reader of the output closed it.";

// The arguments of the command line. Those of other commands stay empty.
struct Arguments {
  // Common to all commands.
  std::string upstream;
  ConnectionArguments connection;
  std::string output;
  std::string fields;
  std::optional<double> timeout;
  std::string request_id;
  // A person waits: five retries take a second or two, and five more if a limit is reached.
  int32_t retries = 5;

  // The conference or room, and for `get` the participant in it.
  std::string parent;
  std::string participant;

  // Options of `list`.
  int64_t limit = 0;
  int32_t page_size = 0;
  std::optional<std::string> resume;
  bool resume_tokens = false;

  // Filters.
  std::optional<std::string> label;
  std::optional<std::string> event;
  std::optional<std::string> metrics;
  std::optional<std::string> participant_filter;
  std::optional<bool> muted;
  std::optional<bool> hold;
  std::optional<bool> coaching;
};

// Needed because the parser clamps numbers that are too large.
template <typename Integer>
std::string CheckCount(const std::string& text) {
  Integer count;
  if (absl::SimpleAtoi(text, &count) && count >= 0) return "";
  return absl::StrCat("\"", text, "\" is not a number from 0 to ",
                      std::numeric_limits<Integer>::max());
}

std::string CheckTimeout(const std::string& text) {
  constexpr double kYear = 365.0 * 24 * 60 * 60;
  double seconds;
  // Negated so that NaN fails.
  if (!absl::SimpleAtod(text, &seconds) || !(seconds > 0 && seconds <= kYear)) {
    return "\"" + text + "\" is not a number of seconds above 0";
  }
  return "";
}

std::string CheckNotEmpty(const std::string& text) { return text.empty() ? "is empty" : ""; }

std::string CheckRequestId(const std::string& text) {
  return IsRequestId(text) ? "" : "is not 1 to 128 letters, digits, '-', '_' and '.'";
}

// The parser itself accepts more texts, and throws std::invalid_argument for those that it does
// not.
std::string CheckSwitch(const std::string& text) {
  if (text == "true" || text == "false") return "";
  return absl::StrCat("\"", text, "\" is not true or false");
}

void AddCommonOptions(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--fields", arguments.fields,
                  "Fields to request and show, as paths: call_sid,metrics.inbound.mos")
      ->type_name("PATHS");
  command
      .add_option(
          "--output", arguments.output,
          "table; ndjson, one object per line; json, one array; or csv (default: table on a "
          "terminal, otherwise ndjson). All spell enum values as the API does: "
          "CALL_STATUS_COMPLETED")
      ->check(CLI::IsMember({"table", "ndjson", "json", "csv"}))
      ->type_name("FORMAT");
  command
      .add_option(
          "--upstream", arguments.upstream,
          "Upstream in rollcalld's configuration (default: the only one that serves this kind)")
      ->type_name("NAME");
  AddConnectionOptions(command, arguments.connection);
  command
      .add_option("--timeout", arguments.timeout,
                  "Fail if the command takes longer (default: no limit)")
      ->check(CheckTimeout)
      ->type_name("SECONDS");
  command
      .add_option(
          "--request-id", arguments.request_id,
          "Identifies the call in rollcalld's log and at the provider (default: assigned by "
          "rollcalld, and named in errors)")
      ->check(CheckRequestId)
      ->type_name("ID");
  command
      .add_option("--retries", arguments.retries,
                  "Retries in a row if rollcalld is unavailable, the connection breaks, or "
                  "rollcalld asks to "
                  "retry later (default: 5; 0: none)")
      ->check(CheckCount<int32_t>)
      ->type_name("N");
}

void AddListOptions(CLI::App& command, Arguments& arguments) {
  command.add_option("--limit", arguments.limit, "Maximum number of participants (0: all)")
      ->check(CheckCount<int64_t>)
      ->type_name("N");
  command
      .add_option("--page-size", arguments.page_size,
                  "Participants per request to the provider (0: the service chooses)")
      ->check(CheckCount<int32_t>)
      ->type_name("N");
  command
      .add_option("--resume", arguments.resume,
                  "Resume after the participant that had this resume token")
      ->check(CheckNotEmpty)
      ->type_name("TOKEN");
  command.add_flag("--resume-tokens", arguments.resume_tokens,
                   "Also write each participant's resume token (ndjson and json only)");
}

// Adds `--name` and `--not_name`, which exclude each other. Without either, `value` stays empty.
void AddSwitch(CLI::App& command, const std::string& name, const std::string& not_name,
               const std::string& state, std::optional<bool>& value) {
  CLI::Option* yes = command.add_flag_function(
      "--" + name, [&value](int64_t count) { value = count > 0; },
      "Only participants that are " + state);
  yes->check(CheckSwitch);
  CLI::Option* no = command.add_flag_function(
      "--" + not_name, [&value](int64_t count) { value = count <= 0; },
      "Only participants that are not " + state);
  no->check(CheckSwitch);
  yes->excludes(no);
}

// The error message for a command line that the parser rejects.
std::string FailureMessage(const CLI::App* app, const CLI::Error& error) {
  std::string message = error.what();
  // For an unknown command the parser only reports that a command is missing.
  if (absl::StartsWith(message, "A subcommand is required") && !app->remaining(true).empty()) {
    message = absl::StrCat("there is no command \"", app->remaining(true).front(), "\"");
  }
  return absl::StrCat("rollcall: ", message, "\nRun with --help for more information.\n");
}

CLI::App* AddCommand(CLI::App& parent, const std::string& name, const std::string& description,
                     Arguments& arguments) {
  CLI::App* command = parent.add_subcommand(name, description);
  AddCommonOptions(*command, arguments);
  return command;
}

CLI::Option* AddPositional(CLI::App& command, const std::string& name, std::string& value,
                           const std::string& description) {
  return command.add_option(name, value, description)->required()->type_name("");
}

v1::ListParticipantsRequest ListRequest(const Arguments& arguments) {
  v1::ListParticipantsRequest request;
  request.set_upstream(arguments.upstream);
  request.set_limit(arguments.limit);
  request.set_page_size(arguments.page_size);
  if (arguments.resume.has_value()) request.set_resume_token(*arguments.resume);
  return request;
}

v1::ListParticipantsRequest ListConference(const Arguments& arguments) {
  v1::ListParticipantsRequest request = ListRequest(arguments);
  v1::ConferenceParticipantSummariesQuery& query =
      *request.mutable_conference_participant_summaries();
  query.set_conference_sid(arguments.parent);
  if (arguments.participant_filter) query.set_participant_sid(*arguments.participant_filter);
  if (arguments.label) query.set_label(*arguments.label);
  if (arguments.event) query.set_events(*arguments.event);
  return request;
}

v1::ListParticipantsRequest ListRoom(const Arguments& arguments) {
  v1::ListParticipantsRequest request = ListRequest(arguments);
  request.mutable_room_participant_summaries()->set_room_sid(arguments.parent);
  return request;
}

v1::ListParticipantsRequest ListLive(const Arguments& arguments) {
  v1::ListParticipantsRequest request = ListRequest(arguments);
  v1::LiveParticipantsQuery& query = *request.mutable_live_participants();
  query.set_conference_sid(arguments.parent);
  if (arguments.muted) query.set_muted(*arguments.muted);
  if (arguments.hold) query.set_hold(*arguments.hold);
  if (arguments.coaching) query.set_coaching(*arguments.coaching);
  return request;
}

v1::GetParticipantRequest GetConference(const Arguments& arguments) {
  v1::GetParticipantRequest request;
  request.set_upstream(arguments.upstream);
  v1::ConferenceParticipantSummaryLookup& name = *request.mutable_conference_participant_summary();
  name.set_conference_sid(arguments.parent);
  name.set_participant_sid(arguments.participant);
  if (arguments.event) name.set_events(*arguments.event);
  if (arguments.metrics) name.set_metrics(*arguments.metrics);
  return request;
}

v1::GetParticipantRequest GetRoom(const Arguments& arguments) {
  v1::GetParticipantRequest request;
  request.set_upstream(arguments.upstream);
  request.mutable_room_participant_summary()->set_room_sid(arguments.parent);
  request.mutable_room_participant_summary()->set_participant_sid(arguments.participant);
  return request;
}

v1::GetParticipantRequest GetLive(const Arguments& arguments) {
  v1::GetParticipantRequest request;
  request.set_upstream(arguments.upstream);
  request.mutable_live_participant()->set_conference_sid(arguments.parent);
  request.mutable_live_participant()->set_call_sid(arguments.participant);
  return request;
}

// Evaluates the options that all commands have. Throws CLI::ValidationError, as the parser does.
void ReadCommonOptions(const Arguments& arguments, CommandLine& command_line) {
  command_line.server = ServerOf(arguments.connection);
  command_line.channel = ReadChannelOptions(arguments.connection);
  if (arguments.timeout) command_line.timeout = absl::Seconds(*arguments.timeout);
  command_line.request_id = arguments.request_id;
  command_line.retries = arguments.retries;
  if (arguments.output == "table") command_line.output = OutputFormat::kTable;
  if (arguments.output == "ndjson") command_line.output = OutputFormat::kNdjson;
  if (arguments.output == "json") command_line.output = OutputFormat::kJson;
  if (arguments.output == "csv") command_line.output = OutputFormat::kCsv;
  command_line.resume_tokens = arguments.resume_tokens;
  if (arguments.fields.empty()) return;
  for (absl::string_view path : absl::StrSplit(arguments.fields, ',')) {
    absl::StatusOr<RecordField> field =
        RecordField::Parse(command_line.record, absl::StripAsciiWhitespace(path));
    if (!field.ok()) throw CLI::ValidationError("--fields", std::string(field.status().message()));
    command_line.fields.push_back(*std::move(field));
  }
}

// The commands that make a call.
struct Commands {
  CLI::App* list_conference;
  CLI::App* list_room;
  CLI::App* list_live;
  CLI::App* get_conference;
  CLI::App* get_room;
  CLI::App* get_live;
};

constexpr char kName[] = "rollcall";
constexpr char kDescription[] =
    "Shows participants of conferences and video rooms, from rollcalld.";

// `given` must outlive `app`.
Commands AddCommands(CLI::App& app, Arguments& given) {
  Commands commands{};
  app.set_version_flag("--version", absl::StrCat("rollcall ", kRollcallVersion),
                       "Print the version and exit");
  app.footer(kFooter);
  app.failure_message(FailureMessage);
  app.require_subcommand(1);

  CLI::App* list = app.add_subcommand("list", "List participants, each as soon as it arrives");
  list->require_subcommand(1);
  commands.list_conference = AddCommand(
      *list, "conference", "Summaries of a conference, from Twilio Voice Insights", given);
  AddPositional(*commands.list_conference, "conference", given.parent, "The conference: CF...");
  AddListOptions(*commands.list_conference, given);
  commands.list_conference->add_option("--label", given.label, "Only participants with this label");
  commands.list_conference->add_option("--event", given.event,
                                       "Only participants with this event: mute");
  commands.list_conference->add_option("--participant", given.participant_filter,
                                       "Only this participant: CP...");
  commands.list_room =
      AddCommand(*list, "room", "Participants of a video room, from Twilio Video Insights", given);
  AddPositional(*commands.list_room, "room", given.parent, "The room: RM...");
  AddListOptions(*commands.list_room, given);
  commands.list_live = AddCommand(
      *list, "live", "Participants in a conference now, from SignalWire or Twilio", given);
  AddPositional(*commands.list_live, "conference", given.parent, "The conference: a UUID or CF...");
  AddListOptions(*commands.list_live, given);
  AddSwitch(*commands.list_live, "muted", "not-muted", "muted", given.muted);
  AddSwitch(*commands.list_live, "hold", "no-hold", "on hold", given.hold);
  AddSwitch(*commands.list_live, "coaching", "no-coaching", "coaching another (Twilio only)",
            given.coaching);

  CLI::App* get = app.add_subcommand("get", "Get one participant");
  get->require_subcommand(1);
  commands.get_conference = AddCommand(
      *get, "conference", "A summary of a conference, from Twilio Voice Insights", given);
  AddPositional(*commands.get_conference, "conference", given.parent, "The conference: CF...");
  AddPositional(*commands.get_conference, "participant", given.participant,
                "The participant: CP...");
  commands.get_conference->add_option("--events", given.event, "Narrows the summary's events");
  commands.get_conference->add_option("--metrics", given.metrics, "Narrows the summary's metrics");
  commands.get_room =
      AddCommand(*get, "room", "A participant of a video room, from Twilio Video Insights", given);
  AddPositional(*commands.get_room, "room", given.parent, "The room: RM...");
  AddPositional(*commands.get_room, "participant", given.participant, "The participant: PA...");
  commands.get_live = AddCommand(
      *get, "live", "A participant in a conference now, from SignalWire or Twilio", given);
  AddPositional(*commands.get_live, "conference", given.parent, "The conference: a UUID or CF...");
  AddPositional(*commands.get_live, "call", given.participant,
                "The participant's call: a UUID, CA... or, with Twilio, its label");
  return commands;
}

}  // namespace

void DescribeCommandLine(const std::function<void(const CLI::App& app)>& describe) {
  Arguments given;
  CLI::App app(kDescription, kName);
  AddCommands(app, given);
  describe(app);
}

std::variant<CommandLine, EarlyExit> ParseCommandLine(const std::vector<std::string>& arguments) {
  Arguments given;
  CLI::App app(kDescription, kName);
  const Commands commands = AddCommands(app, given);
  CommandLine command_line;
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
    if (commands.list_conference->parsed()) {
      command_line.request = ListConference(given);
      command_line.record = v1::ConferenceParticipantSummary::descriptor();
    } else if (commands.list_room->parsed()) {
      command_line.request = ListRoom(given);
      command_line.record = v1::RoomParticipantSummary::descriptor();
    } else if (commands.list_live->parsed()) {
      command_line.request = ListLive(given);
      command_line.record = v1::LiveParticipant::descriptor();
    } else if (commands.get_conference->parsed()) {
      command_line.request = GetConference(given);
      command_line.record = v1::ConferenceParticipantSummary::descriptor();
    } else if (commands.get_room->parsed()) {
      command_line.request = GetRoom(given);
      command_line.record = v1::RoomParticipantSummary::descriptor();
    } else {
      command_line.request = GetLive(given);
      command_line.record = v1::LiveParticipant::descriptor();
    }
    ReadCommonOptions(given, command_line);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    return EarlyExit{code == 0 ? kExitOk : kExitUsage, out.str(), err.str()};
  }
  return command_line;
}

}  // namespace rollcall
