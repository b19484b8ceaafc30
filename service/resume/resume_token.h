// Resume tokens: where a list is, sealed so that only this service can make one or read it. A token
// is bound to its request and to a secret, from which its key is derived; so every replica with the
// same configuration takes it, and nobody else can send the service anywhere by it. Where the
// secret is replaced, tokens are sealed with the new one from then on, and those of the one before
// it are still opened. Opened when a request is checked, on any thread; sealed by the pager, for
// each record, on an event loop's thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "service/config/current_secret.h"

namespace rollcall {

// A place in a list: right behind a record.
struct ListPosition {
  std::string page;         // the page's path and query below the API's base URL
  uint64_t record = 0;      // RecordDecoder::identity() of the record
  uint32_t occurrence = 1;  // which of the page's records with this identity, from 1 on
  uint64_t ordinal = 0;     // which of the list's records, from 1 on; 0 where nobody knows
};

// The tokens of one list. Not thread-safe.
class ResumeTokens {
 public:
  // Their key is derived from `secret`. `binding` says which list it is: a token opens only with
  // the binding that it was sealed with.
  ResumeTokens(CurrentSecret secret, absl::string_view binding);
  ~ResumeTokens();
  ResumeTokens(ResumeTokens&&) noexcept;
  ResumeTokens& operator=(ResumeTokens&&) noexcept;

  // Safe in URLs and command lines. Valid until the next call.
  const std::string& Seal(const ListPosition& position);

  // Nothing where `token` is not one of this list, was changed, or has a form that is no longer
  // read.
  std::optional<ListPosition> Open(absl::string_view token);

 private:
  struct Cipher;

  void FollowSecret();

  CurrentSecret secret_;
  std::string binding_;
  uint64_t version_ = 0;  // of the secret that the ciphers are of
  std::unique_ptr<Cipher> cipher_;
  std::unique_ptr<Cipher> previous_cipher_;  // null where there was no secret before
};

}  // namespace rollcall
