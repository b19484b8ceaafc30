// Totals of a call, for the operator and for the trailers. Counted on the event loop's thread.
#pragma once

#include <cstdint>

namespace rollcall::service {

struct CallTotals {
  int64_t records = 0;
  int64_t pages = 0;         // whose response has begun
  int64_t attempts = 0;      // requests sent
  int64_t duplicates = 0;    // replayed records that were skipped
  int64_t unrecognized = 0;  // values without a field in the typed records
};

}  // namespace rollcall::service
