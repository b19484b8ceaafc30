// A running call as metrics and the status page show it. Values of any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "service/log/log_value.h"

namespace rollcall::service {

enum class CallMethod { kList, kListBatches, kGet };

inline constexpr CallMethod kCallMethods[] = {CallMethod::kList, CallMethod::kListBatches,
                                              CallMethod::kGet};

// "ListParticipants".
inline const char* NameOf(CallMethod method) {
  switch (method) {
    case CallMethod::kList:
      return "ListParticipants";
    case CallMethod::kListBatches:
      return "ListParticipantBatches";
    case CallMethod::kGet:
      return "GetParticipant";
  }
  return "";
}

struct RunningCall {
  CallMethod method = CallMethod::kList;
  Identifier caller;
  Identifier upstream;
  Identifier query;  // the name of the request's query field
  Identifier request_id;
  std::chrono::steady_clock::time_point began;
  int64_t records = 0;      // passed to gRPC, or queued for it
  size_t queued_bytes = 0;  // flushed, and not yet written
};

}  // namespace rollcall::service
