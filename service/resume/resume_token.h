// Resume tokens: a position in a list, encrypted and authenticated so that only this service can
// create or read one. A token is bound to its request and to a secret, from which its key is
// derived, so that every replica with the same configuration accepts it. After the secret is
// replaced, tokens are sealed with the new one, and those of the previous one are still opened.
// Opened when a request is checked, on any thread; sealed per message, on an event loop's thread.
//
// The token of a batch also has its earlier records, so that a caller who has processed only a part
// of the batch can resume inside it: it appends ':' and the number of records that it has
// processed.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "service/secrets/current_secret.h"

namespace rollcall::service {

// A record on a page.
struct PageRecord {
  uint64_t identity = 0;    // RecordDecoder::identity()
  uint32_t occurrence = 1;  // which of the page's records with this identity, from 1

  bool operator==(const PageRecord&) const = default;
};

// A position in a list: after a record.
struct ListPosition {
  std::string page;  // the page's path and query below the API's base URL
  PageRecord record;
  uint64_t ordinal = 0;  // the record's number in the list, from 1; 0 if unknown
};

// The tokens of one list. Not thread-safe.
class ResumeTokens {
 public:
  // The key is derived from `secret`. `binding` identifies the list: a token opens only with the
  // binding that it was sealed with.
  ResumeTokens(CurrentSecret secret, absl::string_view binding);
  ~ResumeTokens();
  ResumeTokens(ResumeTokens&&) noexcept;
  ResumeTokens& operator=(ResumeTokens&&) noexcept;

  // The longest batch that a token can be sealed for.
  static constexpr size_t kMaxBatch = 1000;

  // The token of a message whose last record is at `position`. `earlier` are the message's records
  // before that, on the same page; fewer than kMaxBatch. Safe in URLs and command lines. Valid
  // until the next call.
  const std::string& Seal(const ListPosition& position, absl::Span<const PageRecord> earlier = {});

  // The position after the last record of the token's message, or after the one whose number
  // follows ':'. Nothing if `token` belongs to another list, was modified, has an unsupported
  // version, or has fewer records.
  std::optional<ListPosition> Open(absl::string_view token);

  // Whether `token` has the form of a token, but a version that this build does not support.
  static bool HasUnsupportedVersion(absl::string_view token);

 private:
  struct Cipher;

  void FollowSecret();

  CurrentSecret secret_;
  std::string binding_;
  uint64_t version_ = 0;  // the ciphers' version of the secret
  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<Cipher> previous_cipher_;  // null if there is no previous secret
};

}  // namespace rollcall::service
