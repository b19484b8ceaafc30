// Replaces what a text of a provider says and keeps its form: each letter becomes another of its
// case, each digit another, each character beyond ASCII one that takes as many bytes, and escapes
// stay escapes of their kind. The same text becomes the same fake. Texts are the insides of JSON
// strings, well-formed or not, and the targets of requests. Used by the redactor and by the
// recording, on an event loop's thread; not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "service/http/base_url.h"
#include "service/provider/participant_api.h"
#include "service/recording/fakes.h"

namespace rollcall {

// Stands in links for the origin and the path prefix of the configured base URL.
inline constexpr absl::string_view kReplayOrigin = "http://replay.invalid";

class TextRedactor {
 public:
  // For what `upstream` answers as `api`. All must outlive the redactor.
  TextRedactor(const Fakes& fakes, const ParticipantApi& api, const UpstreamConfig& upstream);

  // Takes the next text: all of it where it is `whole`, else as far as surely no character is cut.
  // Returns how many bytes that is. `raw` must outlive what is done with the text.
  size_t Read(absl::string_view raw, bool whole);

  // The text without its escapes, a byte a character; 0x80 for whatever is not ASCII.
  const std::string& plain() const { return plain_; }

  // The bytes that stand for the text.
  Fakes::Stream Bytes() const { return BytesOf(0, values_.size()); }

  // Each of these appends the text to `out`.

  // With all of it replaced, by `bytes`: the text's own, or those of a text that it goes on with.
  void Fake(Fakes::Stream& bytes, std::string& out);
  // As it is, but for words that may be an id or somebody's number; replaced where it may be an
  // address or a part of a link.
  void KeepWords(std::string& out);
  // As a link or a path: what is kept are the words that the API's paths are made of, names in the
  // query, and values there that are a page's number or size, or a boolean. A text that is neither
  // is replaced.
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

  // Of the text that was read: what it is of, its characters, and where each ends in `raw_`.
  absl::string_view raw_;
  std::u32string values_;
  std::vector<size_t> ends_;
  std::string plain_;
};

}  // namespace rollcall
