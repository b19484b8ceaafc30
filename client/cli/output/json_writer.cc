#include "client/cli/output/json_writer.h"

#include <google/protobuf/util/json_util.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "client/cli/terminal_text.h"

namespace rollcall {

absl::StatusOr<std::string> JsonWriter::Row(const v1::ListParticipantsResponse& response) const {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.add_whitespace = form_ == Form::kIndented;
  const google::protobuf::Message* message = &response;
  if (!resume_tokens_) message = &response.participant();
  std::string line;
  const auto status = google::protobuf::util::MessageToJsonString(*message, &line, options);
  if (!status.ok()) {
    // Protobuf's JSON form cannot express a time outside the years 1 to 9999.
    return absl::InternalError(
        absl::StrCat("participant has no JSON form: ",
                     absl::string_view(status.message().data(), status.message().size())));
  }
  // With whitespace, protobuf ends the last line.
  if (!options.add_whitespace) line += '\n';
  return EscapeJsonForTerminal(line);
}

}  // namespace rollcall
