// One list of participants as a range: each participant once, in the provider's order, whatever
// number of calls it takes. Made by ParticipantClient::List(), used on one thread at a time; only
// Cancel() may be called from another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rollcall/call_options.h"
#include "rollcall/v1/participant.pb.h"
#include "rollcall/v1/participant_service.grpc.pb.h"

namespace rollcall {

// The elements are participants and, where the list could not be read to its end, one error as the
// last. A range that ends without an error is complete up to its limit.
//
// A call that breaks off is made again with the resume token of the last record and what is left of
// the limit; the program sees only that the next participant took longer. The policies in
// CallOptions say when to give up. A failure behind a record without a resume token is final, since
// nobody could tell where to go on.
//
// The range can be moved, and iterators stay valid. Destroying it cancels the call, wherever the
// reading is.
class ParticipantRange {
 public:
  class Iterator;
  using iterator = Iterator;
  using value_type = absl::StatusOr<v1::Participant>;

  // Where a list has got to, and what it took. What only the service knows comes with the end of a
  // call and is summed up over the calls; a call that broke off may not have said it, so that the
  // sums are of the calls that did, and not set where none did.
  struct Totals {
    int64_t calls = 0;                             // To the service.
    std::optional<int64_t> records;                // Sent by the service.
    std::optional<int64_t> pages;                  // That the provider began to send.
    std::optional<int64_t> attempts;               // Requests to the provider.
    std::optional<int64_t> duplicates_suppressed;  // Records that came again with a page.
    std::optional<int64_t> unrecognized;           // Values in all the records.
  };

  // For ParticipantClient. Nothing is sent before begin().
  ParticipantRange(std::shared_ptr<v1::ParticipantService::StubInterface> stub,
                   const v1::ListParticipantsRequest& request, const CallOptions& options);
  ParticipantRange(ParticipantRange&&) noexcept;
  ParticipantRange& operator=(ParticipantRange&&) noexcept;
  ~ParticipantRange();

  // Waits for the first element. The range can be walked once: a later begin() is where the walk
  // has got to.
  Iterator begin();
  Iterator end();

  // The token with which another list goes on right behind the last participant handed out; before
  // the first, the request's own. Empty where there is none.
  const std::string& resume_token() const;

  const Totals& totals() const;

  // Ends the list with CANCELLED, at once, wherever it waits. May be called from any thread while
  // the range is neither moved nor destroyed; CallOptions::canceller has no such limit. Cancels all
  // that share that canceller.
  void Cancel();

 private:
  class Walk;

  std::unique_ptr<Walk> walk_;
};

// An input iterator. The element may be moved from; `++` replaces it.
class ParticipantRange::Iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = ParticipantRange::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = value_type*;
  using reference = value_type&;

  // Equal to end().
  Iterator() = default;

  reference operator*() const;
  pointer operator->() const { return &**this; }

  // Waits for the next element, or the end.
  Iterator& operator++();
  void operator++(int) { ++*this; }

  friend bool operator==(const Iterator& a, const Iterator& b) { return a.walk_ == b.walk_; }
  friend bool operator!=(const Iterator& a, const Iterator& b) { return !(a == b); }

 private:
  friend class ParticipantRange;

  // Null at the end.
  explicit Iterator(Walk* walk) : walk_(walk) {}

  Walk* walk_ = nullptr;
};

}  // namespace rollcall
