// Decodes the JSON text of one record into a serialized Participant. Fields in the schema become
// typed fields, null and empty fields are listed by path, and all other values are kept verbatim as
// unrecognized values. One decoder per call. All decoders of an event loop share its DecoderScratch
// and run on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/record/field_selection.h"
#include "service/record/json_text.h"
#include "service/record/record_schema.h"
#include "service/record/requested_ids.h"
#include "service/record/wire_writer.h"

namespace rollcall::service {

// Reusable memory for decoding: simdjson's buffers, which grow to fit the largest record so far,
// and the last record's result. Calls do not need it between records, so one per event loop is
// enough; one per call would waste memory.
class DecoderScratch {
 public:
  DecoderScratch();
  DecoderScratch(const DecoderScratch&) = delete;
  DecoderScratch& operator=(const DecoderScratch&) = delete;

 private:
  friend class RecordDecoder;

  // The parts of a participant under construction. The decoder finds paths and unrecognized values
  // in the middle of the record, but the participant has them after it.
  struct Parts {
    WireWriter participant;
    WireWriter null_paths;   // serialized fields of a FieldMask
    WireWriter empty_paths;  // likewise
    google::protobuf::RepeatedPtrField<v1::UnrecognizedValue> unrecognized;
    size_t json_bytes = 0;
  };

  // Clears the parts for a record of `json_bytes` bytes.
  void Begin(size_t json_bytes);

  simdjson::dom::parser parser_;
  std::unique_ptr<Parts> parts_;  // never null
};

class RecordDecoder {
 public:
  using UnrecognizedValues = google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>;

  // Bytes that must be readable after the JSON text.
  static constexpr size_t kPadding = simdjson::SIMDJSON_PADDING;

  // `scratch` and `schema` must outlive the decoder. A strict decoder returns an error for an
  // unrecognized value. Every decoder returns one for a record whose ids contradict
  // `requested_ids`.
  RecordDecoder(DecoderScratch& scratch, const RecordSchema& schema, FieldSelection selection,
                bool strict, RequestedIds requested_ids = {});

  // If a record has more unrecognized values than this, one value for the whole record replaces
  // them.
  static constexpr int kMaxUnrecognizedValues = 256;

  // Decodes a record. kPadding readable bytes must follow `json`. Text that is not a JSON object
  // becomes an empty record with one unrecognized value.
  // UPSTREAM_MALFORMED_RESPONSE: the record was not requested, and there is no result.
  // UPSTREAM_UNRECOGNIZED_VALUE: the decoder is strict, and the record has an unrecognized value.
  //
  // The functions below return the result. It stays valid until this or another decoder decodes a
  // record in the same scratch.
  absl::Status Decode(absl::string_view json);

  // A serialized v1::Participant. Empty if there is no record.
  absl::string_view bytes() const;

  // The kind of record in the participant; RECORD_NOT_SET if there is none.
  v1::Participant::RecordCase record() const;

  // The participant's unrecognized values. bytes() contains them as well.
  const UnrecognizedValues& unrecognized() const;

  // Identifies the record within its list: a hash of its sid, or of its whole text if it has no
  // sid. It does not depend on the selected fields. It must never change between machines or
  // versions, because resume tokens contain it.
  uint64_t identity() const { return identity_; }

  // Whether the record has at least one of the requested ids' fields, null or not.
  bool has_requested_field() const { return has_requested_field_; }

 private:
  // One member on the path from the record to the current value.
  struct Step {
    std::string_view name;               // the provider's name
    const FieldSchema* field = nullptr;  // null if the schema has no such field
    size_t index = 0;                    // of the member in its object's JSON text
  };

  bool Parse(simdjson::dom::object& object);
  absl::Status CheckIds(const simdjson::dom::object& object);
  void DecodeObject(const simdjson::dom::object& object, const ObjectSchema& schema,
                    const FieldSelection& selection);
  void DecodeField(const JsonValue& value, const FieldSchema& field,
                   const FieldSelection& selection);
  void AppendProtoPath(WireWriter& paths) const;
  std::string JsonPath() const;
  void AddUnrecognized(v1::UnrecognizedValue::Kind kind);
  void SetWholeRecordUnrecognized(v1::UnrecognizedValue::Kind kind);
  void SetText(absl::string_view text, v1::UnrecognizedValue& value) const;
  void AppendOtherParts();
  absl::Status CheckStrict() const;

  DecoderScratch& scratch_;
  const RecordSchema& schema_;
  const FieldSelection selection_;
  const bool strict_;
  const RequestedIds requested_ids_;

  // State of the current record.
  absl::string_view json_;
  bool may_be_invalid_utf8_ = false;
  bool has_too_many_unrecognized_ = false;
  std::vector<Step> path_;
  // One per object on the path, the record first. Created when an object's first unrecognized value
  // is found.
  std::vector<MemberReader> readers_;
  uint64_t identity_ = 0;
  bool has_requested_field_ = false;
};

}  // namespace rollcall::service
