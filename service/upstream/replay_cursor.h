// Exactly once: decides for each record of a list whether it is new. Pages may be fetched again,
// with their records in another order; a list may be restarted from its first page; and a list may
// begin after the record of a resume token. A restart and a resume token rely on the order of the
// records up to the last one emitted, of which a token names only that one. A value: no I/O, no
// clock, not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "service/resume/resume_token.h"

namespace rollcall {

class ReplayCursor {
 public:
  enum class Action {
    kEmit,
    kSkip,         // emitted before, by this call or by the one that the token is from
    kListChanged,  // the last emitted record is not where it was, so what follows it is unknown
  };

  // Reading begins with a page that the caller chooses; with `resume_after`, with that page.
  // `can_restart`: the list's first page is known, and without `resume_after` reading begins there.
  ReplayCursor(bool can_restart, std::optional<ListPosition> resume_after);

  // A page begins. `page` is as in ListPosition. False: this page was read before, so the link to
  // it would lead around in a circle; nothing has changed.
  [[nodiscard]] bool BeginPage(std::string page);

  // Whether BeginPage() would refuse this page.
  bool WasRead(absl::string_view page) const;

  // The current page is fetched again. Records that were seen on it may now come in any order.
  void RefetchPage();

  // What to do with the next record of the page. `identity` is RecordDecoder::identity(). After
  // kEmit, position() is that record's.
  Action OnRecord(uint64_t identity);

  // Whether the list still is what it was, now that the current page is complete. `is_last`: no
  // page follows. False is kListChanged.
  bool IsConsistentAtPageEnd(bool is_last) const;

  // Whether reading the list from its first page leads back to position(): the records before it
  // must have been counted, and some must have been emitted since the last restart.
  bool CanRestart() const;

  // The list is read from its first page again. The page begins with BeginPage(), as always.
  void RestartList();

  // The last emitted record, by this call or by the one that the token is from, and the current
  // page.
  const ListPosition& position() const { return position_; }

  // Records seen on the current page, each once however often the page was fetched. A cursor's
  // memory is proportional to their number and to pages().
  int64_t records_on_page() const { return records_on_page_; }

  // Records that the provider sent again with a refetched page or a restarted list.
  int64_t duplicates() const { return duplicates_; }
  int64_t pages() const { return static_cast<int64_t>(pages_read_.size()); }  // since the restart
  int restarts() const { return restarts_; }

 private:
  // How often each identity occurs: a provider may list a sid twice.
  using Occurrences = absl::flat_hash_map<uint64_t, uint32_t>;

  bool IsReplayed(uint64_t identity);

  ListPosition position_;
  const bool counts_records_;               // whether position_.ordinal is known
  absl::flat_hash_set<size_t> pages_read_;  // hashes
  int64_t duplicates_ = 0;

  // Of the current page.
  int64_t records_on_page_ = 0;
  Occurrences seen_;
  Occurrences replays_;                       // seen before the page was refetched, but not since
  std::optional<ListPosition> resume_after_;  // until its record has been seen

  // Of a restarted list.
  uint64_t left_to_skip_ = 0;             // the last of these must be the record at position_
  std::optional<uint64_t> restarted_at_;  // position_.ordinal at the last restart
  int restarts_ = 0;
};

}  // namespace rollcall
