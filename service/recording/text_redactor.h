// Replaces a provider's text and keeps its form: a letter becomes another letter of its case, a
// digit another digit, a character beyond ASCII one of as many bytes, and escapes stay escapes of
// their kind. The same text always gets the same replacement. Texts are the contents of JSON
// strings, well-formed or not, and request targets. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/net/base_url.h"
#include "service/provider/participant_api.h"
#include "service/recording/fakes.h"

namespace rollcall::service {

// Replaces the origin and the path prefix of the configured base URL in links.
inline constexpr absl::string_view kReplayOrigin = "http://replay.invalid";

class TextRedactor {
 public:
  // For the responses of `upstream` to `api`. All must outlive the redactor.
  TextRedactor(const Fakes& fakes, const ParticipantApi& api, const Account& upstream);

  // Reads the next text: all of it if `whole`, otherwise as much as ends between characters for
  // certain. Returns the number of bytes read. `raw` must outlive the operations on the text.
  size_t Read(absl::string_view raw, bool whole);

  // The text with escapes decoded, one byte per character; 0x80 for any that is not ASCII.
  const std::string& plain() const { return plain_; }

  // The replacement bytes of the text.
  Fakes::Stream Bytes() const { return BytesOf(0, values_.size()); }

  // Each of these appends the text to `out`.

  // Replaced completely, by `bytes`: its own, or those of the text that it continues.
  void Fake(Fakes::Stream& bytes, std::string& out);
  // Unchanged, except for words that may be ids or phone numbers; replaced completely if it may be
  // an address or part of a link.
  void KeepWords(std::string& out);
  // As a link or a path: keeps the words of the API's paths, parameter names, page numbers and
  // sizes, and booleans. Any other text is replaced.
  void Link(std::string& out);

 private:
  absl::string_view Raw(size_t index) const;
  absl::string_view Plain(size_t begin, size_t end) const;
  Fakes::Stream BytesOf(size_t begin, size_t end) const;
  void Keep(size_t begin, size_t end, std::string& out) const;
  void Replace(size_t index, uint32_t byte, std::string& out) const;
  void Put(size_t index, char32_t value, std::string& out) const;
  void FakeWord(size_t begin, size_t end, std::string& out) const;
  void FakeEncoded(size_t begin, size_t end, std::string& out) const;
  size_t LinkOrigin(std::string& out) const;
  void LinkSegment(size_t begin, size_t end, std::string& out) const;
  void LinkParameter(size_t begin, size_t end, std::string& out) const;

  const Fakes& fakes_;
  const BaseUrl& base_;
  const std::string prefix_;              // of the base URL's path
  const std::vector<std::string> words_;  // of the API's paths

  // Of the last text: its source, its characters, and where each ends in `raw_`.
  absl::string_view raw_;
  std::u32string values_;
  std::vector<size_t> ends_;
  std::string plain_;
};

}  // namespace rollcall::service
