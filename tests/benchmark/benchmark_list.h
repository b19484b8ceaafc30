// A generated list of the provider simulator, as a gRPC caller requests it, with its expected
// records. Immutable: any thread may call it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "google/protobuf/field_mask.pb.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/record/field_selection.h"
#include "tests/simulator/participants.h"

namespace rollcall {

class BenchmarkList {
 public:
  // A list of `size` participants with only the fields that `mask` names, or all if it is empty.
  // `kind` is "conference", "room" or "live" (SignalWire). Returns nullopt for any other kind, or a
  // mask with an unknown path.
  static std::optional<BenchmarkList> Make(absl::string_view kind, int64_t size,
                                           const google::protobuf::FieldMask& mask);

  // The list that `request` is for; nullopt if the simulator has no such list.
  static std::optional<BenchmarkList> Of(const v1::ListParticipantsRequest& request);

  int64_t size() const { return list_.size; }

  // The provider's path of the list.
  std::string path() const { return simulator::ListPath(list_); }

  // A request for the whole list, with upstreams named "twilio" and "signalwire".
  v1::ListParticipantsRequest Request() const;

  // Whether `participant` can be the record at `index`: compares only the sid, so that every record
  // can be checked. Always true if the mask leaves out the sid.
  bool IsRecord(const v1::Participant& participant, int64_t index) const;

  // The sid of the record at `index`.
  std::string Sid(int64_t index) const;

  // The provider's JSON of the record at `index`.
  std::string Json(int64_t index) const;

  // The kind of record that the list's participants contain.
  v1::Participant::RecordCase record_case() const;

  // The whole record at `index`, decoded by the service's decoder from that JSON. Do not use it to
  // check the service itself.
  v1::Participant Record(int64_t index) const;

 private:
  struct Kind;
  static const Kind kKinds[3];

  static std::optional<BenchmarkList> Make(const Kind& kind, int64_t size,
                                           const google::protobuf::FieldMask& mask);
  BenchmarkList(const Kind& kind, int64_t size, google::protobuf::FieldMask mask,
                service::FieldSelection selection);

  const Kind* kind_;
  simulator::List list_;
  google::protobuf::FieldMask mask_;
  service::FieldSelection selection_;
  bool has_sid_;
};

}  // namespace rollcall
