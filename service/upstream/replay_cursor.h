// Exactly-once delivery: decides for each record of a list whether to emit or skip it. Records
// arrive again when a page is refetched (in any order), when the list restarts from its first page,
// and when a call resumes after the record of a resume token. A restart and a resume rely on an
// unchanged order of the records up to the last one emitted. The cursor verifies only that last
// record, the only one that a token names. No I/O, no clock, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "service/resume/resume_token.h"

namespace rollcall::service {

class ReplayCursor {
 public:
  enum class Action {
    kEmit,
    kSkip,         // emitted before, by this call or by the call that issued the token
    kListChanged,  // the last emitted record has moved, so the position is lost
  };

  // With `resume_after`, the first page must be the one it names. Otherwise the caller chooses it.
  // `can_restart`: the caller knows the list's first page and, without `resume_after`, begins
  // there.
  ReplayCursor(bool can_restart, std::optional<ListPosition> resume_after);

  // Begins a page. `page` is as in ListPosition. Returns false, and changes nothing, if the page
  // was read before: the links form a loop.
  [[nodiscard]] bool BeginPage(std::string page);

  // Whether the page was read before, so that BeginPage() would return false.
  bool WasRead(absl::string_view page) const;

  // Call before the current page is fetched again. Its records may then arrive in any order.
  void RefetchPage();

  // Decides about the next record of the page. `identity` is RecordDecoder::identity(). After
  // kEmit, position() is the position of that record.
  Action OnRecord(uint64_t identity);

  // Call when the current page is complete. False means kListChanged: the record to resume or skip
  // to was not found. `is_last`: no page follows.
  bool IsConsistentAtPageEnd(bool is_last) const;

  // Whether the cursor can find position() again from the list's first page. This requires a known
  // ordinal, a new record since the last restart, and fewer restarts than the limit.
  bool CanRestart() const;

  // Restarts the list. Call BeginPage() for its first page next.
  void RestartList();

  // The current page and the record emitted last, by this call or by the call that issued the
  // token.
  const ListPosition& position() const { return position_; }

  // Records seen on the current page. A replayed record does not count again. The cursor's memory
  // is proportional to this number and to pages().
  int64_t records_on_page() const { return records_on_page_; }

  // Replayed records, from refetched pages and restarts.
  int64_t duplicates() const { return duplicates_; }

  // Pages begun since the last restart.
  int64_t pages() const { return static_cast<int64_t>(pages_read_.size()); }
  int restarts() const { return restarts_; }

 private:
  // Occurrences per identity: a provider may list the same sid twice.
  using Occurrences = absl::flat_hash_map<uint64_t, uint32_t>;

  bool IsReplayed(uint64_t identity);

  ListPosition position_;
  const bool counts_records_;               // whether position_.ordinal is known
  absl::flat_hash_set<size_t> pages_read_;  // hashes
  int64_t duplicates_ = 0;

  // State of the current page.
  int64_t records_on_page_ = 0;
  Occurrences seen_;
  Occurrences replays_;                       // seen before the refetch, but not since
  std::optional<ListPosition> resume_after_;  // reset once its record was seen

  // State of a restarted list.
  uint64_t left_to_skip_ = 0;  // records; the last one skipped must be the last one emitted
  std::optional<uint64_t> restarted_at_;  // position_.ordinal at the last restart
  int restarts_ = 0;
};

}  // namespace rollcall::service
