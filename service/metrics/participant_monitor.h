// Counts the participants of one upstream and what its provider says that has no place in their
// typed records, and logs each kind of the latter once. That is drift: the provider's API is no
// longer what Rollcall was built for. Called on the threads of the event loops; the admin server
// reads the counters.
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

namespace rollcall {

class ParticipantMonitor {
 public:
  // Paths are made of names that the provider chose, and each is a time series and a line in the
  // log. So their length is bounded, and so is their number: what comes after the first kMaxPaths
  // is counted under kOtherPaths.
  static constexpr size_t kMaxPaths = 500;
  static constexpr size_t kMaxPathBytes = 120;
  static constexpr char kOtherPaths[] = "(other)";
  // The path of a record that is unrecognized as a whole.
  static constexpr char kWholeRecord[] = "(record)";

  // `registry` and `log` must outlive the monitor. Of one registry, each upstream has one monitor.
  ParticipantMonitor(std::string upstream, prometheus::Registry& registry, EventLog& log);

  // Counts a participant as it was decoded: which record it holds, and its unrecognized values.
  // Nothing is counted of one without a record. OnParticipants() and OnUnrecognized() are its
  // parts, for who counts many participants at once.
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
  // By the number of the record's field; null where there is no such record.
  std::vector<prometheus::Counter*> participants_;

  Mutex mutex_;
  // A counter is null until there is something to count.
  absl::flat_hash_map<std::string, ByKind> paths_ ABSL_GUARDED_BY(mutex_);
  ByKind other_paths_ ABSL_GUARDED_BY(mutex_){};
};

}  // namespace rollcall
