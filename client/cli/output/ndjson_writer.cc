#include "client/cli/output/ndjson_writer.h"

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/wrappers.pb.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall {
namespace {

absl::StatusOr<std::string> Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string json;
  const auto status = google::protobuf::util::MessageToJsonString(message, &json, options);
  if (!status.ok()) {
    // Protobuf's JSON form has no words for a time outside the years 1 to 9999.
    return absl::InternalError(
        absl::StrCat("the participant has no JSON form: ",
                     absl::string_view(status.message().data(), status.message().size())));
  }
  return json;
}

std::string JsonString(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  return Json(value).value();
}

// Adds a member to the object `json`, behind those that it has.
void AddMember(std::string& json, absl::string_view name, absl::string_view value) {
  json.pop_back();
  absl::StrAppend(&json, json.size() > 1 ? "," : "", "\"", name, "\":", value, "}");
}

void AddMask(std::string& json, absl::string_view name, const google::protobuf::FieldMask& mask) {
  AddMember(json, name, JsonString(absl::StrJoin(mask.paths(), ",")));
}

}  // namespace

absl::StatusOr<std::string> NdjsonWriter::Row(const v1::ListParticipantsResponse& response) const {
  const v1::Participant& participant = response.participant();
  // Protobuf cannot be told to leave the names in masks alone, so those are written apart.
  v1::Participant without_masks = participant;
  without_masks.clear_null_fields();
  without_masks.clear_empty_fields();
  absl::StatusOr<std::string> line = Json(without_masks);
  if (!line.ok()) return line;
  if (participant.has_null_fields()) AddMask(*line, "null_fields", participant.null_fields());
  if (participant.has_empty_fields()) AddMask(*line, "empty_fields", participant.empty_fields());
  if (resume_tokens_) {
    std::string whole = "{}";
    AddMember(whole, "participant", *line);
    if (!response.resume_token().empty()) {
      AddMember(whole, "resume_token", JsonString(response.resume_token()));
    }
    line = std::move(whole);
  }
  *line += '\n';
  return line;
}

}  // namespace rollcall
