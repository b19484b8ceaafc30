#include "client/cli/output/json_writer.h"

#include <google/protobuf/util/json_util.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

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
    // Protobuf's JSON form has no words for a time outside the years 1 to 9999.
    return absl::InternalError(
        absl::StrCat("the participant has no JSON form: ",
                     absl::string_view(status.message().data(), status.message().size())));
  }
  // With whitespace it ends its last line itself.
  if (!options.add_whitespace) line += '\n';
  return line;
}

}  // namespace rollcall
