#include "tests/benchmark/benchmark_list.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "service/provider/participant_api.h"
#include "service/record/record_decoder.h"
#include "tests/simulator/sid_of.h"

namespace rollcall {

// What differs between the kinds of lists.
struct BenchmarkList::Kind {
  absl::string_view name;
  simulator::Api api = simulator::Api::kVoiceInsights;
  const service::ParticipantApi& (*provider)() = nullptr;
  absl::string_view upstream;
  v1::Participant::RecordCase record_case = v1::Participant::RECORD_NOT_SET;
  absl::string_view sid_field;  // the field that ParticipantSid() returns
  std::string* (*mutable_list_sid)(v1::ListParticipantsRequest& request) = nullptr;
};

const BenchmarkList::Kind BenchmarkList::kKinds[] = {
    {"conference", simulator::Api::kVoiceInsights, &service::TwilioVoiceInsights, "twilio",
     v1::Participant::kConferenceParticipantSummary, "participant_sid",
     [](v1::ListParticipantsRequest& request) {
       return request.mutable_conference_participant_summaries()->mutable_conference_sid();
     }},
    {"room", simulator::Api::kVideoInsights, &service::TwilioVideoInsights, "twilio",
     v1::Participant::kRoomParticipantSummary, "participant_sid",
     [](v1::ListParticipantsRequest& request) {
       return request.mutable_room_participant_summaries()->mutable_room_sid();
     }},
    {"live", simulator::Api::kSignalWire, &service::SignalWire, "signalwire",
     v1::Participant::kLiveParticipant, "call_sid",
     [](v1::ListParticipantsRequest& request) {
       return request.mutable_live_participants()->mutable_conference_sid();
     }},
};

BenchmarkList::BenchmarkList(const Kind& kind, int64_t size, google::protobuf::FieldMask mask,
                             service::FieldSelection selection)
    : kind_(&kind),
      list_(kind.api, size),
      mask_(std::move(mask)),
      selection_(std::move(selection)),
      has_sid_(mask_.paths().empty() || absl::c_linear_search(mask_.paths(), kind.sid_field)) {}

std::optional<BenchmarkList> BenchmarkList::Make(absl::string_view kind, int64_t size,
                                                 const google::protobuf::FieldMask& mask) {
  for (const Kind& known : kKinds) {
    if (known.name == kind) return Make(known, size, mask);
  }
  return std::nullopt;
}

std::optional<BenchmarkList> BenchmarkList::Make(const Kind& kind, int64_t size,
                                                 const google::protobuf::FieldMask& mask) {
  std::vector<std::string> unknown;
  service::FieldSelection selection =
      service::FieldSelection::FromMask(mask, kind.provider().record_schema().object, unknown);
  if (!unknown.empty()) return std::nullopt;
  return BenchmarkList(kind, size, mask, std::move(selection));
}

std::optional<BenchmarkList> BenchmarkList::Of(const v1::ListParticipantsRequest& request) {
  for (const Kind& kind : kKinds) {
    v1::ListParticipantsRequest copy = request;
    const auto size = simulator::ListSize(kind.api, *kind.mutable_list_sid(copy));
    if (size) return Make(kind, *size, request.read_mask());
  }
  return std::nullopt;
}

v1::ListParticipantsRequest BenchmarkList::Request() const {
  v1::ListParticipantsRequest request;
  *kind_->mutable_list_sid(request) = simulator::ListSid(list_);
  request.set_upstream(std::string(kind_->upstream));
  *request.mutable_read_mask() = mask_;
  return request;
}

bool BenchmarkList::IsRecord(const v1::Participant& participant, int64_t index) const {
  return !has_sid_ || simulator::SidOf(participant) == Sid(index);
}

std::string BenchmarkList::Sid(int64_t index) const {
  return simulator::ParticipantSid(list_, index);
}

std::string BenchmarkList::Json(int64_t index) const {
  return simulator::ParticipantJson(list_, index);
}

v1::Participant::RecordCase BenchmarkList::record_case() const { return kind_->record_case; }

v1::Participant BenchmarkList::Record(int64_t index) const {
  std::string json = Json(index);
  const size_t size = json.size();
  json.append(service::RecordDecoder::kPadding, '\0');
  service::DecoderScratch scratch;
  service::RecordDecoder decoder(scratch, kind_->provider().record_schema(), selection_,
                                 /*strict=*/false);
  const absl::Status status = decoder.Decode(absl::string_view(json).substr(0, size));
  v1::Participant participant;
  if (!status.ok() || !participant.ParseFromArray(decoder.bytes().data(),
                                                  static_cast<int>(decoder.bytes().size()))) {
    std::fprintf(stderr, "record %lld: %s\n", static_cast<long long>(index),
                 std::string(status.message()).c_str());
    std::abort();
  }
  return participant;
}

}  // namespace rollcall
