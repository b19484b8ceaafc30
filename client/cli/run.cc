#include "client/cli/run.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/command_line.h"
#include "client/cli/error_report.h"
#include "client/cli/exit_code.h"
#include "client/cli/output/csv_writer.h"
#include "client/cli/output/detail_writer.h"
#include "client/cli/output/json_writer.h"
#include "client/cli/output/table_writer.h"
#include "client/cli/output_file.h"
#include "client/cli/progress_line.h"
#include "rollcall/channel.h"
#include "rollcall/participant_client.h"
#include "rollcall/version.h"

namespace rollcall {
namespace {

using Clock = std::chrono::steady_clock;

std::string Participants(int64_t count) {
  return absl::StrCat(count, count == 1 ? " participant" : " participants");
}

// "12 participants in 0.8 s (2 pages, 3 attempts)".
std::string Summary(int64_t participants, double seconds, const ParticipantRange::Totals& totals) {
  std::vector<std::string> parts;
  const auto add = [&](std::optional<int64_t> count, absl::string_view one,
                       absl::string_view many) {
    if (count.has_value()) parts.push_back(absl::StrCat(*count, " ", *count == 1 ? one : many));
  };
  add(totals.pages, "page", "pages");
  add(totals.attempts, "attempt", "attempts");
  if (totals.duplicates_suppressed > 0) {
    add(totals.duplicates_suppressed, "duplicate skipped", "duplicates skipped");
  }
  add(totals.unrecognized, "value not recognized", "values not recognized");
  if (totals.calls > 1) parts.push_back(ResumedText(totals.calls - 1));
  std::string summary = absl::StrFormat("%s in %.1f s", Participants(participants), seconds);
  if (!parts.empty()) absl::StrAppend(&summary, " (", absl::StrJoin(parts, ", "), ")");
  return summary + "\n";
}

// A person waits for the command: a wait of more than 10 s is reported rather than sat out.
CallOptions OptionsFor(const CommandLine& command_line, const Interrupt& interrupt) {
  CallOptions options;
  options.timeout = command_line.timeout;
  options.request_id = command_line.request_id;
  options.retry_policy = std::make_shared<LimitedRetryPolicy>(
      RetryLimits{.max_retries = command_line.retries, .max_wait = absl::Seconds(10)});
  options.canceller = interrupt.canceller();
  return options;
}

ChannelOptions WithName(ChannelOptions options) {
  options.user_agent = absl::StrCat("rollcall-cli/", kRollcallVersion);
  return options;
}

// Runs one command whose command line is valid.
class Command {
 public:
  Command(CommandLine command_line, OutputFile& out, OutputFile& err, Interrupt& interrupt)
      : command_line_(std::move(command_line)),
        format_(command_line_.output.value_or(
            out.terminal_width().has_value() ? OutputFormat::kTable : OutputFormat::kNdjson)),
        out_(out),
        err_(err),
        interrupt_(interrupt),
        client_(MakeChannel(command_line_.server, WithName(command_line_.channel))),
        options_(OptionsFor(command_line_, interrupt)) {}

  int Run() {
    if (command_line_.resume_tokens && format_ != OutputFormat::kNdjson &&
        format_ != OutputFormat::kJson) {
      WriteError(
          "rollcall: --resume-tokens: only ndjson and json can hold them; add --output ndjson\n");
      return kExitUsage;
    }
    if (auto* list = std::get_if<v1::ListParticipantsRequest>(&command_line_.request)) {
      return List(*list);
    }
    return Get(std::get<v1::GetParticipantRequest>(command_line_.request));
  }

 private:
  int List(v1::ListParticipantsRequest& request) {
    const std::vector<RecordField>& fields = command_line_.fields;
    if (format_ == OutputFormat::kTable) {
      writer_ = std::make_unique<TableWriter>(
          fields.empty() ? DefaultTableColumns(command_line_.record, out_.terminal_width())
                         : fields,
          out_.terminal_width());
    } else {
      MakeFileWriter(JsonWriter::Form::kArray);
    }
    // The table's default columns are not sent as a mask: the service refuses a mask that names
    // fields which the caller may not see, and without a mask omits those fields.
    if (!fields.empty()) AddTo(*request.mutable_read_mask(), fields);

    const Clock::time_point start = Clock::now();
    std::optional<ProgressLine> progress;
    if (err_.terminal_width().has_value() && !out_.terminal_width().has_value()) {
      progress.emplace(err_, start);
    }
    ParticipantRange range = client_.List(request, options_);
    absl::Status status;
    for (absl::StatusOr<v1::Participant>& participant : range) {
      status = participant.status();
      if (!status.ok() || !Write(*participant, range.resume_token())) break;
      if (progress) progress->Update(written_, range.totals().calls - 1, Clock::now());
    }
    if (progress) progress->Clear();

    if (range.totals().limit_ignored) {
      err_.Write(absl::StrCat("rollcall: warning: the server ignored --limit ", request.limit(),
                              " and sent more; stopped after ", Participants(written_), "\n"));
    }
    const int exit_code = Finish(status);
    if (exit_code == kExitOk && (format_ == OutputFormat::kTable || progress)) {
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      err_.Write(Summary(written_, seconds, range.totals()));
      if (request.limit() > 0 && written_ >= request.limit()) {
        AdviseToResume("the limit is reached");
      }
    } else if (exit_code != kExitOk && exit_code != kExitBrokenPipe && written_ > 0 &&
               !absl::IsDataLoss(status)) {
      AdviseToResume(absl::StrCat(Participants(written_), " arrived before the failure"));
    }
    return exit_code;
  }

  int Get(v1::GetParticipantRequest& request) {
    const std::vector<RecordField>& fields = command_line_.fields;
    if (format_ == OutputFormat::kTable) {
      writer_ = std::make_unique<DetailWriter>(
          fields.empty() ? AllFields(command_line_.record) : fields, !fields.empty());
    } else {
      MakeFileWriter(JsonWriter::Form::kIndented);
    }
    if (!fields.empty()) AddTo(*request.mutable_read_mask(), fields);

    absl::StatusOr<v1::Participant> participant = client_.Get(request, options_);
    if (participant.ok()) Write(*participant, "");
    return Finish(participant.status());
  }

  // `json` is the form that the output format "json" has here.
  void MakeFileWriter(JsonWriter::Form json) {
    if (format_ == OutputFormat::kNdjson) json = JsonWriter::Form::kLines;
    if (format_ != OutputFormat::kCsv) {
      writer_ = std::make_unique<JsonWriter>(json, command_line_.resume_tokens);
    } else {
      writer_ = std::make_unique<CsvWriter>(
          command_line_.fields.empty() ? AllFields(command_line_.record) : command_line_.fields);
    }
  }

  static void AddTo(google::protobuf::FieldMask& mask, const std::vector<RecordField>& fields) {
    for (const RecordField& field : fields) mask.add_paths(field.path());
  }

  // Writes one participant, and moves from it. On failure returns false, and `write_error_` or the
  // output's error has the reason.
  bool Write(v1::Participant& participant, const std::string& resume_token) {
    response_.mutable_participant()->Swap(&participant);
    response_.set_resume_token(resume_token);
    const google::protobuf::Message* record = TypedRecord(response_.participant());
    if (record == nullptr || record->GetDescriptor() != command_line_.record) {
      write_error_ = absl::InternalError("the service sent another kind of record than requested");
      return false;
    }
    const absl::StatusOr<std::string> row = writer_->Row(response_);
    if (!row.ok()) {
      write_error_ = absl::InternalError(row.status().message());
      return false;
    }
    if (!out_.Write(absl::StrCat(written_ == 0 ? Header() : writer_->Separator(), *row))) {
      return false;
    }
    ++written_;
    resume_token_ = resume_token;
    return true;
  }

  // Ends the output, reports any error and returns the exit code.
  int Finish(const absl::Status& status) {
    if (status.ok() && write_error_.ok()) {
      out_.Write(absl::StrCat(written_ == 0 ? Header() : "", writer_->Footer()));
    }
    if (out_.error() == EPIPE) return kExitBrokenPipe;
    if (out_.error() != 0) {
      WriteError(
          absl::StrCat("rollcall: cannot write the output: ", std::strerror(out_.error()), "\n"));
      return kExitFailure;
    }
    if (write_error_.ok() && status.ok()) return kExitOk;
    if (const int signal = interrupt_.signal(); signal != 0) {
      WriteError("rollcall: interrupted\n");
      return kExitSignalBase + signal;
    }
    const ErrorReport report = ReportError(write_error_.ok() ? status : write_error_,
                                           command_line_.server, command_line_.channel.tls);
    WriteError(report.text);
    return report.exit_code;
  }

  std::string Header() const {
    std::string header = writer_->Header();
    if (format_ != OutputFormat::kTable) return header;
    return out_.Styled(TextStyle::kHeading, header);
  }

  // `text` must start with the program's name and a colon.
  void WriteError(absl::string_view text) {
    const size_t name = text.find(':') + 1;
    err_.Write(
        absl::StrCat(err_.Styled(TextStyle::kAlarm, text.substr(0, name)), text.substr(name)));
  }

  void AdviseToResume(absl::string_view why) {
    if (resume_token_.empty()) return;
    err_.Write(
        absl::StrCat(why, "; to continue from there, add ", ResumeOption(resume_token_), "\n"));
  }

  CommandLine command_line_;
  const OutputFormat format_;
  OutputFile& out_;
  OutputFile& err_;
  Interrupt& interrupt_;
  const ParticipantClient client_;
  const CallOptions options_;
  std::unique_ptr<ParticipantWriter> writer_;
  v1::ListParticipantsResponse response_;  // The participant being written.
  int64_t written_ = 0;
  std::string resume_token_;  // Of the last participant written.
  absl::Status write_error_;  // Not OK if a participant could not be formatted.
};

}  // namespace

int RunCommand(const std::vector<std::string>& arguments, int out, int err, Interrupt& interrupt) {
  OutputFile out_file(out);
  OutputFile err_file(err);
  std::variant<CommandLine, EarlyExit> parsed = ParseCommandLine(arguments);
  if (const auto* early_exit = std::get_if<EarlyExit>(&parsed)) {
    out_file.Write(early_exit->out);
    err_file.Write(early_exit->err);
    return early_exit->exit_code;
  }
  return Command(std::get<CommandLine>(std::move(parsed)), out_file, err_file, interrupt).Run();
}

}  // namespace rollcall
