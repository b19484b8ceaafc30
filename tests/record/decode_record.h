// Decodes one record as the service does, from a buffer with the padding that the decoder may read,
// and parses the resulting bytes.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/record_decoder.h"
#include "service/record/record_schema.h"

namespace rollcall::service {

// Decodes the fields that `mask` names, all if it is empty. A path in `mask` that names no field
// fails the test.
absl::StatusOr<v1::Participant> DecodeRecord(const RecordSchema& schema, absl::string_view json,
                                             const std::vector<std::string>& mask = {},
                                             bool strict = false);

// Parses the bytes of the record that `decoder` decoded last. The test fails unless protobuf would
// write the same bytes, except for the order of fields.
v1::Participant ParseDecoded(const RecordDecoder& decoder);

}  // namespace rollcall::service
