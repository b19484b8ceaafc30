#include "rollcall/participant_range.h"

#include <utility>

namespace rollcall {

// On the heap, so that iterators stay valid when the range is moved.
class ParticipantRange::Walk {
 public:
  explicit Walk(std::unique_ptr<Source> from) : source(std::move(from)) {}

  // Goes to the first element. Later calls have no effect.
  void Begin() {
    if (!begun_) Next();
    begun_ = true;
  }

  // Goes to the next element, or to the end. Must not be called at the end.
  void Next() {
    at_end = failed_ || !source->Next(current);
    failed_ = !at_end && !current.ok();
  }

  const std::unique_ptr<Source> source;
  absl::StatusOr<v1::Participant> current = v1::Participant();
  bool at_end = false;

 private:
  bool begun_ = false;
  bool failed_ = false;  // The current element is an error, and therefore the last.
};

ParticipantRange::ParticipantRange(std::unique_ptr<Source> source)
    : walk_(std::make_unique<Walk>(std::move(source))) {}

ParticipantRange::ParticipantRange(ParticipantRange&&) noexcept = default;
ParticipantRange& ParticipantRange::operator=(ParticipantRange&&) noexcept = default;
ParticipantRange::~ParticipantRange() = default;

ParticipantRange::Iterator ParticipantRange::begin() {
  walk_->Begin();
  return Iterator(walk_->at_end ? nullptr : walk_.get());
}

ParticipantRange::Iterator ParticipantRange::end() { return Iterator(); }

const std::string& ParticipantRange::resume_token() const { return walk_->source->resume_token(); }

const ParticipantRange::Totals& ParticipantRange::totals() const { return walk_->source->totals(); }

void ParticipantRange::Cancel() {
  // A copy, because the reading thread may destroy the range as soon as the list is cancelled.
  const std::shared_ptr<CallCanceller> canceller = walk_->source->canceller();
  canceller->Cancel();
}

ParticipantRange::Iterator::reference ParticipantRange::Iterator::operator*() const {
  return walk_->current;
}

ParticipantRange::Iterator& ParticipantRange::Iterator::operator++() {
  walk_->Next();
  if (walk_->at_end) walk_ = nullptr;
  return *this;
}

}  // namespace rollcall
