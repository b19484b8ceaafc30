// What a call came to. Counted by those who do its work on the thread of its event loop, and then
// told to the operator and, in trailers, to the caller.
#pragma once

#include <cstdint>

namespace rollcall {

struct CallTotals {
  int64_t records = 0;
  int64_t pages = 0;         // that the provider began to send
  int64_t attempts = 0;      // requests sent
  int64_t duplicates = 0;    // records that came again with a page fetched again, and were left out
  int64_t unrecognized = 0;  // values that have no place in the typed records
};

}  // namespace rollcall
