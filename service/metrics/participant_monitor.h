// Counts the participants of one upstream and their unrecognized values: values without a field in
// the typed record, which show that the provider's API has drifted. Logs each path and kind once.
// Thread-safe.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/registry.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "rollcall/v1/participant.pb.h"
#include "service/log/event_log.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class ParticipantMonitor {
 public:
  // The provider chooses the names in a path, and each path is a time series and a log line. So
  // their length and number are bounded: paths after the first kMaxPaths count as kOtherPaths.
  static constexpr size_t kMaxPaths = 500;
  static constexpr size_t kMaxPathBytes = 120;
  static constexpr char kOtherPaths[] = "(other)";
  // The path of a record that is unrecognized as a whole.
  static constexpr char kWholeRecord[] = "(record)";

  // `registry` and `log` must outlive the monitor. One monitor per upstream and registry.
  ParticipantMonitor(std::string upstream, prometheus::Registry& registry, EventLog& log);

  // Counts a decoded participant and its unrecognized values; does nothing if it has no record.
  // OnParticipants() and OnUnrecognized() are the two parts, for many participants at once.
  void OnParticipant(v1::Participant::RecordCase record,
                     const google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>& unrecognized);
  void OnParticipants(v1::Participant::RecordCase record, int64_t count);
  void OnUnrecognized(const google::protobuf::RepeatedPtrField<v1::UnrecognizedValue>& values);

 private:
  using ByKind = std::array<prometheus::Counter*, v1::UnrecognizedValue::Kind_ARRAYSIZE>;

  void OnUnrecognized(const v1::UnrecognizedValue& value);

  const std::string upstream_;
  EventLog& log_;
  prometheus::Family<prometheus::Counter>& unrecognized_;
  // By the record's field number; null if there is no such record.
  std::vector<prometheus::Counter*> participants_;

  Mutex mutex_;
  // A counter is null until it is needed.
  absl::flat_hash_map<std::string, ByKind> paths_ ABSL_GUARDED_BY(mutex_);
  ByKind other_paths_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace rollcall::service
