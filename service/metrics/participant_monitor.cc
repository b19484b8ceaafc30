#include "service/metrics/participant_monitor.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

// "unknown_field" for KIND_UNKNOWN_FIELD.
std::string KindLabel(v1::UnrecognizedValue::Kind kind) {
  const std::string& name = v1::UnrecognizedValue::Kind_Name(kind);
  return absl::AsciiStrToLower(absl::StripPrefix(name, "KIND_"));
}

}  // namespace

ParticipantMonitor::ParticipantMonitor(std::string upstream, prometheus::Registry& registry,
                                       EventLog& log)
    : upstream_(std::move(upstream)),
      log_(log),
      unrecognized_(prometheus::BuildCounter()
                        .Name("rollcall_unrecognized_values_total")
                        .Help("Values without a field in the typed record")
                        .Register(registry)) {
  auto& participants = prometheus::BuildCounter()
                           .Name("rollcall_participants_total")
                           .Help("Decoded participants")
                           .Register(registry);
  // Creates all series up front: rate() needs the initial zero of a counter.
  const auto* const records = v1::Participant::descriptor()->FindOneofByName("record");
  for (int i = 0; i < records->field_count(); ++i) {
    const auto& record = *records->field(i);
    const auto number = static_cast<size_t>(record.number());
    if (participants_.size() <= number) participants_.resize(number + 1);
    participants_[number] = &participants.Add({{"upstream", upstream_}, {"record", record.name()}});
  }
}

void ParticipantMonitor::OnParticipant(
    v1::Participant::RecordCase record,
    const google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>& unrecognized) {
  if (participants_[record] == nullptr) return;
  OnParticipants(record, 1);
  OnUnrecognized(unrecognized);
}

void ParticipantMonitor::OnParticipants(v1::Participant::RecordCase record, int64_t count) {
  prometheus::Counter* const counter = participants_[record];
  if (counter != nullptr) counter->Increment(static_cast<double>(count));
}

void ParticipantMonitor::OnUnrecognized(
    const google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>& values) {
  for (const auto& value : values) OnUnrecognized(value);
}

void ParticipantMonitor::OnUnrecognized(const v1::UnrecognizedValue& value) {
  absl::string_view path =
      value.path().empty() ? kWholeRecord : Shortened(value.path(), kMaxPathBytes);
  bool is_new = false;
  prometheus::Counter* counter = nullptr;
  {
    const MutexLock lock(mutex_);
    auto found = paths_.find(path);
    if (found == paths_.end() && paths_.size() < kMaxPaths) {
      found = paths_.emplace(std::string(path), ByKind{}).first;
    }
    if (found == paths_.end()) path = kOtherPaths;
    ByKind& by_kind = found == paths_.end() ? other_paths_ : found->second;
    prometheus::Counter*& slot = by_kind[value.kind()];
    is_new = slot == nullptr;
    if (is_new) {
      slot = &unrecognized_.Add({{"upstream", upstream_},
                                 {"path", std::string(path)},
                                 {"kind", KindLabel(value.kind())}});
    }
    counter = slot;
  }
  counter->Increment();
  if (!is_new) return;
  log_.Warn("unrecognized_value", {{"upstream", Identifier(upstream_)},
                                   {"path", FieldPath(path)},
                                   {"kind", Identifier(KindLabel(value.kind()))}});
}

}  // namespace rollcall::service
