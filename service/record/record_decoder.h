// Turns the JSON text of one record into the bytes of a Participant, as protobuf sends it: what the
// schema knows into the typed record, null and empty fields by their paths, and everything else
// verbatim as unrecognized. One decoder per call; the decoders of an event loop share its
// DecoderScratch, and so run on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
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

namespace rollcall {

// The memory in which records are decoded: simdjson's, as large as the largest record so far
// required, and that of the last record's result. One per event loop rather than per call: none of
// it is needed between records, and calls are many.
class DecoderScratch {
 public:
  DecoderScratch() = default;
  DecoderScratch(const DecoderScratch&) = delete;
  DecoderScratch& operator=(const DecoderScratch&) = delete;

 private:
  friend class RecordDecoder;

  // The parts of a participant while they are written. Paths and unrecognized values are found in
  // the middle of the record, and stand after it in the participant.
  struct Parts {
    WireWriter participant;
    WireWriter null_paths;   // the fields of a FieldMask
    WireWriter empty_paths;  // the same
    google::protobuf::RepeatedPtrField<v1::UnrecognizedValue> unrecognized;
    size_t json_bytes = 0;
  };

  // Empties the parts for a record of this size.
  void Begin(size_t json_bytes);

  simdjson::dom::parser parser_;
  std::optional<Parts> parts_{std::in_place};
};

class RecordDecoder {
 public:
  using UnrecognizedValues = google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>;

  // Bytes that must be readable behind the JSON text.
  static constexpr size_t kPadding = simdjson::SIMDJSON_PADDING;

  // `scratch` and `schema` must outlive the decoder. A strict decoder takes an unrecognized value
  // for an error. A record whose ids contradict `requested_ids` is one for every decoder.
  RecordDecoder(DecoderScratch& scratch, const RecordSchema& schema, FieldSelection selection,
                bool strict, RequestedIds requested_ids = {});

  // Values that have no place in a record's typed form are listed one by one up to this number. If
  // there are more, the whole record is one unrecognized value.
  static constexpr int kMaxUnrecognizedValues = 256;

  // Decodes a record. `json` is followed by kPadding readable bytes. Text that is no JSON object is
  // a record of which nothing could be read, in one unrecognized value.
  // UPSTREAM_MALFORMED_RESPONSE: the record is not one that was requested, and there is none.
  // UPSTREAM_UNRECOGNIZED_VALUE: the decoder is strict.
  //
  // The functions below return the result, until another record is decoded in the same scratch,
  // by this decoder or another.
  absl::Status Decode(absl::string_view json);

  // A serialized v1::Participant. Empty where there is no record.
  absl::string_view bytes() const;

  // Which record the participant holds; RECORD_NOT_SET where there is none.
  v1::Participant::RecordCase record() const;

  // The participant's unrecognized values, which are in its bytes as well.
  const UnrecognizedValues& unrecognized() const;

  // What tells the record from the others of its list, whether or not the field was asked for: a
  // hash of its sid, or of its whole text where it has none. The same on every machine and in every
  // version.
  uint64_t identity() const { return identity_; }

  // Whether the record has any of the fields of the requested ids, null or not.
  bool has_requested_field() const { return has_requested_field_; }

 private:
  // A member of an object on the way from the record to the value that is being read.
  struct Step {
    std::string_view name;               // the provider's
    const FieldSchema* field = nullptr;  // null where the object has no such field
    size_t index = 0;                    // the member's place in its object, as written
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

  // Of the record being decoded.
  absl::string_view json_;
  bool may_be_invalid_utf8_ = false;
  bool has_too_many_unrecognized_ = false;
  std::vector<Step> path_;
  // Of the objects on the path, the record first, as far as an unrecognized value was met in them.
  std::vector<MemberReader> readers_;
  uint64_t identity_ = 0;
  bool has_requested_field_ = false;
};

}  // namespace rollcall
