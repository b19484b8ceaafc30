#include "client/cli/run.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/cli/call.h"
#include "client/cli/command_line.h"
#include "client/cli/error_report.h"
#include "client/cli/exit_code.h"
#include "client/cli/output/csv_writer.h"
#include "client/cli/output/detail_writer.h"
#include "client/cli/output/ndjson_writer.h"
#include "client/cli/output/table_writer.h"
#include "client/cli/output_file.h"
#include "client/cli/progress_line.h"

namespace rollcall {
namespace {

using Clock = std::chrono::steady_clock;

std::string Participants(int64_t count) {
  return absl::StrCat(count, count == 1 ? " participant" : " participants");
}

// "12 participants in 0.8 s (2 pages, 3 attempts)".
std::string Summary(int64_t participants, double seconds, const ListCounts& counts) {
  std::vector<std::string> parts;
  const auto add = [&](const char* name, absl::string_view one, absl::string_view many) {
    const auto found = counts.find(name);
    if (found == counts.end()) return;
    parts.push_back(absl::StrCat(found->second, " ", found->second == 1 ? one : many));
  };
  if (const auto sent = counts.find("records");
      sent != counts.end() && sent->second != participants) {
    add("records", "sent by the service", "sent by the service");
  }
  add("pages", "page", "pages");
  add("attempts", "attempt", "attempts");
  if (const auto again = counts.find("duplicates-suppressed");
      again != counts.end() && again->second > 0) {
    add("duplicates-suppressed", "duplicate left out", "duplicates left out");
  }
  add("unrecognized", "value not recognized", "values not recognized");
  std::string summary = absl::StrFormat("%s in %.1f s", Participants(participants), seconds);
  if (!parts.empty()) absl::StrAppend(&summary, " (", absl::StrJoin(parts, ", "), ")");
  return summary + "\n";
}

// Runs one command that has a valid command line.
class Command {
 public:
  Command(CommandLine command_line, OutputFile& out, OutputFile& err, Interrupt& interrupt)
      : command_line_(std::move(command_line)),
        format_(command_line_.output.value_or(
            out.terminal_width().has_value() ? OutputFormat::kTable : OutputFormat::kNdjson)),
        out_(out),
        err_(err),
        interrupt_(interrupt),
        call_(command_line_.server, command_line_.timeout, interrupt) {}

  int Run() {
    if (command_line_.resume_tokens && format_ != OutputFormat::kNdjson) {
      err_.Write("rollcall: --resume-tokens: only ndjson has room for them; add --output ndjson\n");
      return kExitUsage;
    }
    if (auto* list = std::get_if<v1::ListParticipantsRequest>(&command_line_.request)) {
      return List(*list);
    }
    return Get(std::get<v1::GetParticipantRequest>(command_line_.request));
  }

 private:
  int List(v1::ListParticipantsRequest& request) {
    std::vector<RecordField> columns = command_line_.fields;
    if (format_ == OutputFormat::kTable) {
      if (columns.empty()) {
        columns = DefaultTableColumns(command_line_.record, out_.terminal_width());
      }
      writer_ = std::make_unique<TableWriter>(columns, out_.terminal_width());
    } else {
      MakeFileWriter();
    }
    // A table asks for its own choice of columns too: nothing else needs to be decoded and sent.
    if (!columns.empty()) AddTo(*request.mutable_read_mask(), columns);

    const Clock::time_point start = Clock::now();
    std::optional<ProgressLine> progress;
    if (err_.terminal_width().has_value() && !out_.terminal_width().has_value()) {
      progress.emplace(err_, start);
    }
    ListCounts counts;
    const grpc::Status status = call_.List(
        request,
        [&](const v1::ListParticipantsResponse& response) {
          if (!Write(response)) return false;
          if (progress) progress->Update(written_, Clock::now());
          return true;
        },
        counts);
    if (progress) progress->Clear();

    const int exit_code = Finish(status);
    if (exit_code == kExitOk && format_ == OutputFormat::kTable) {
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      err_.Write(Summary(written_, seconds, counts));
      if (request.limit() > 0 && written_ >= request.limit()) {
        AdviseToResume("the limit is reached");
      }
    } else if (exit_code != kExitOk && exit_code != kExitBrokenPipe && written_ > 0) {
      AdviseToResume(absl::StrCat(Participants(written_), " came before that"));
    }
    return exit_code;
  }

  int Get(v1::GetParticipantRequest& request) {
    const std::vector<RecordField>& fields = command_line_.fields;
    if (format_ == OutputFormat::kTable) {
      writer_ = std::make_unique<DetailWriter>(
          fields.empty() ? AllFields(command_line_.record) : fields, !fields.empty());
    } else {
      MakeFileWriter();
    }
    if (!fields.empty()) AddTo(*request.mutable_read_mask(), fields);

    v1::GetParticipantResponse answer;
    const grpc::Status status = call_.Get(request, answer);
    if (status.ok()) {
      v1::ListParticipantsResponse response;
      response.mutable_participant()->Swap(answer.mutable_participant());
      Write(response);
    }
    return Finish(status);
  }

  void MakeFileWriter() {
    if (format_ == OutputFormat::kNdjson) {
      writer_ = std::make_unique<NdjsonWriter>(command_line_.resume_tokens);
    } else {
      writer_ = std::make_unique<CsvWriter>(
          command_line_.fields.empty() ? AllFields(command_line_.record) : command_line_.fields);
    }
  }

  static void AddTo(google::protobuf::FieldMask& mask, const std::vector<RecordField>& fields) {
    for (const RecordField& field : fields) mask.add_paths(field.path());
  }

  // False where it could not, for which then `write_error_` or the output's error is the reason.
  bool Write(const v1::ListParticipantsResponse& response) {
    const google::protobuf::Message* record = TypedRecord(response.participant());
    if (record == nullptr || record->GetDescriptor() != command_line_.record) {
      write_error_ = grpc::Status(grpc::INTERNAL,
                                  "the service sent another kind of record than was asked for");
      return false;
    }
    const absl::StatusOr<std::string> row = writer_->Row(response);
    if (!row.ok()) {
      write_error_ = grpc::Status(grpc::INTERNAL, std::string(row.status().message()));
      return false;
    }
    if (!out_.Write(written_ == 0 ? absl::StrCat(writer_->Header(), *row) : *row)) return false;
    ++written_;
    resume_token_ = response.resume_token();
    return true;
  }

  // Says what went wrong, if anything did.
  int Finish(const grpc::Status& status) {
    if (status.ok() && write_error_.ok() && written_ == 0) out_.Write(writer_->Header());
    if (out_.error() == EPIPE) return kExitBrokenPipe;
    if (out_.error() != 0) {
      err_.Write(
          absl::StrCat("rollcall: cannot write the output: ", std::strerror(out_.error()), "\n"));
      return kExitFailure;
    }
    if (write_error_.ok() && status.ok()) return kExitOk;
    if (const int signal = interrupt_.signal(); signal != 0) {
      err_.Write("rollcall: interrupted\n");
      return kExitSignalBase + signal;
    }
    const ErrorReport report =
        ReportError(write_error_.ok() ? status : write_error_, command_line_.server);
    err_.Write(report.text);
    return report.exit_code;
  }

  void AdviseToResume(absl::string_view why) {
    if (resume_token_.empty()) return;
    err_.Write(absl::StrCat(why, "; to go on from there, add ", ResumeOption(resume_token_), "\n"));
  }

  CommandLine command_line_;
  const OutputFormat format_;
  OutputFile& out_;
  OutputFile& err_;
  Interrupt& interrupt_;
  ParticipantCall call_;
  std::unique_ptr<ParticipantWriter> writer_;
  int64_t written_ = 0;
  std::string resume_token_;  // Of the last participant that was written.
  grpc::Status write_error_;  // Not OK where a participant could not be put into the output.
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
