#include "service/upstream/replay_cursor.h"

#include <utility>

#include "absl/hash/hash.h"

namespace rollcall::service {
namespace {

// Without a limit, a list whose links expire faster than the pager reads it would restart forever.
constexpr int kMaxRestarts = 10;

}  // namespace

ReplayCursor::ReplayCursor(bool can_restart, std::optional<ListPosition> resume_after)
    : counts_records_(can_restart && (!resume_after || resume_after->ordinal > 0)),
      resume_after_(std::move(resume_after)) {
  if (resume_after_) position_ = *resume_after_;
}

bool ReplayCursor::BeginPage(std::string page) {
  if (!pages_read_.insert(absl::HashOf(page)).second) return false;
  position_.page = std::move(page);
  records_on_page_ = 0;
  seen_.clear();
  replays_.clear();
  return true;
}

bool ReplayCursor::WasRead(absl::string_view page) const {
  return pages_read_.contains(absl::HashOf(page));
}

void ReplayCursor::RefetchPage() {
  for (const auto& [identity, times] : seen_) replays_[identity] += times;
  seen_.clear();
}

ReplayCursor::Action ReplayCursor::OnRecord(uint64_t identity) {
  const bool replayed = IsReplayed(identity);
  const uint32_t occurrence = ++seen_[identity];
  ++(replayed ? duplicates_ : records_on_page_);
  if (resume_after_) {
    if (resume_after_->record == PageRecord{identity, occurrence}) resume_after_.reset();
    return Action::kSkip;
  }
  if (replayed) return Action::kSkip;
  if (left_to_skip_ > 0) {
    ++duplicates_;
    --left_to_skip_;
    return left_to_skip_ == 0 && identity != position_.record.identity ? Action::kListChanged
                                                                       : Action::kSkip;
  }
  position_.record = {identity, occurrence};
  if (counts_records_) ++position_.ordinal;
  return Action::kEmit;
}

bool ReplayCursor::IsReplayed(uint64_t identity) {
  const auto replay = replays_.find(identity);
  if (replay == replays_.end()) return false;
  if (--replay->second == 0) replays_.erase(replay);
  return true;
}

bool ReplayCursor::IsConsistentAtPageEnd(bool is_last) const {
  return !resume_after_ && !(is_last && left_to_skip_ > 0);
}

bool ReplayCursor::CanRestart() const {
  return counts_records_ && restarted_at_ != position_.ordinal && restarts_ < kMaxRestarts;
}

void ReplayCursor::RestartList() {
  restarted_at_ = left_to_skip_ = position_.ordinal;
  ++restarts_;
  resume_after_.reset();
  pages_read_.clear();
}

}  // namespace rollcall::service
