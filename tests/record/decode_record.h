// Decodes one record as the service does, from a buffer that ends where the decoder may read to,
// and reads the bytes that came of it. Used by tests.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/record_decoder.h"
#include "service/record/record_schema.h"

namespace rollcall {

// With the fields that `mask` names, all where it is empty; a path in `mask` that names none fails
// the test.
absl::StatusOr<v1::Participant> DecodeRecord(const RecordSchema& schema, absl::string_view json,
                                             const std::vector<std::string>& mask = {},
                                             bool strict = false);

// What `decoder` decoded last, read from its bytes; the test fails unless these are as protobuf
// writes them, but for the order of the fields.
v1::Participant ParseDecoded(const RecordDecoder& decoder);

}  // namespace rollcall
