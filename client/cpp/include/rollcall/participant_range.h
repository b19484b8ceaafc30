// A list of participants as an input range: each participant once, in the provider's order, however
// many calls that needs. ParticipantClient::List() makes it. Use it on one thread at a time; only
// Cancel() may be called from another thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "rollcall/call_canceller.h"
#include "rollcall/v1/participant.pb.h"

namespace rollcall {

// The elements are participants. If the list cannot be read to its end, the last element is an
// error. A range that ends without an error is complete up to the request's limit.
//
// If a call breaks off, the range calls again with the resume token of the last record and the rest
// of the limit; the program only notices that the next participant took longer. The policies in
// CallOptions decide when to give up. A failure after a record without a resume token is final. If
// fewer records arrive than the service says it sent, the error is DATA_LOSS, and the list must be
// restarted without a resume token. If the server ignores the limit, the range stops at the limit
// all the same and sets Totals::limit_ignored.
//
// The range can be moved; its iterators stay valid. Destroying it cancels the call in progress.
class ParticipantRange {
 public:
  class Iterator;
  using iterator = Iterator;
  using value_type = absl::StatusOr<v1::Participant>;

  // Statistics of the list so far. Numbers of the service come in the trailing metadata at the end
  // of each call, and are summed over the calls. A call that broke off may lack them: the sums then
  // cover the other calls only, and are not set if no call had them.
  struct Totals {
    int64_t calls = 0;                             // To the service.
    std::optional<int64_t> records;                // Sent by the service.
    std::optional<int64_t> pages;                  // That the provider began to send.
    std::optional<int64_t> attempts;               // Requests to the provider.
    std::optional<int64_t> duplicates_suppressed;  // Records in pages that were fetched again.
    std::optional<int64_t> unrecognized;           // Values in all records.
    bool limit_ignored = false;                    // The server sent more records than the limit.
  };

  // Where the elements come from: the service, or a program's own implementation, for example one
  // of a ParticipantConnection for tests. Used on the range's thread.
  class Source {
   public:
    virtual ~Source() = default;

    // Waits for the next element and assigns it. Returns false at the end of a complete list. Not
    // called again after an error or the end.
    virtual bool Next(absl::StatusOr<v1::Participant>& element) = 0;

    // As of the last element.
    virtual const std::string& resume_token() const = 0;
    virtual const Totals& totals() const = 0;

    // What ends the list with CANCELLED. Not null, and thread-safe.
    virtual std::shared_ptr<CallCanceller> canceller() const = 0;
  };

  // `source` must not be null. Nothing is read from it before begin().
  explicit ParticipantRange(std::unique_ptr<Source> source);
  ParticipantRange(ParticipantRange&&) noexcept;
  ParticipantRange& operator=(ParticipantRange&&) noexcept;
  ~ParticipantRange();

  // Waits for the first element. The range can be iterated once: a later begin() returns the
  // current position.
  Iterator begin();
  Iterator end();

  // The token with which another list resumes after the current participant; before the first, the
  // request's own token. Empty if the list cannot be resumed there.
  const std::string& resume_token() const;

  const Totals& totals() const;

  // Ends the list with CANCELLED at once, even while it waits. May be called from any thread, as
  // long as the range is not moved or destroyed meanwhile; CallOptions::canceller does not have
  // this restriction. Also cancels all other calls that share the canceller.
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
