// Fuzzes the page reader. The input's first line determines how the body, which is the rest, is cut
// into chunks.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "service/error/error.h"
#include "service/page/page_reader.h"
#include "tests/fuzz/require.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

constexpr absl::string_view kRecordsKey = "participants";

// Small enough that inputs of the usual 4096 bytes reach every limit.
constexpr PageLimits kLimits = {.max_record_bytes = 2048, .max_page_bytes = 4000, .max_depth = 8};

// Everything that a reader found in a page.
struct Page {
  std::vector<std::string> records;
  std::vector<std::pair<std::string, std::string>> envelope;
  absl::Status status;
};

// Reads until the reader needs input.
absl::Status Drain(PageReader& reader, Page& page) {
  while (true) {
    const auto event = reader.Next();
    if (!event.ok()) return event.status();
    switch (*event) {
      case PageReader::Event::kRecord: {
        const absl::string_view record = reader.record();
        Require(record.size() <= kLimits.max_record_bytes, "a record is within its limit");
        // Reads the padding; AddressSanitizer checks the access.
        volatile char last = record.data()[record.size() + PageReader::kPadding - 1];
        static_cast<void>(last);
        page.records.emplace_back(record);
        break;
      }
      case PageReader::Event::kEnvelopeMember:
        Require(reader.envelope_key().size() <= kLimits.max_record_bytes,
                "a name is within its limit");
        Require(reader.envelope_value().size() <= kLimits.max_record_bytes,
                "a member is within its limit");
        page.envelope.emplace_back(reader.envelope_key(), reader.envelope_value());
        break;
      case PageReader::Event::kNeedInput:
      case PageReader::Event::kEnd:
        return absl::OkStatus();
    }
  }
}

// `cuts` gives the sizes of the chunks, repeatedly: '1' is one byte, 'A' is 17.
Page Read(absl::string_view body, absl::string_view cuts) {
  PageReader reader(kRecordsKey, kLimits);
  Page page;
  for (size_t i = 0; !body.empty() && page.status.ok(); ++i) {
    const size_t cut =
        cuts.empty() ? body.size() : static_cast<uint8_t>(cuts[i % cuts.size()] - '0');
    const absl::string_view chunk = body.substr(0, std::max<size_t>(cut, 1));
    reader.Append(chunk);
    body.remove_prefix(chunk.size());
    page.status = Drain(reader, page);
  }
  if (page.status.ok()) page.status = reader.Finish();
  return page;
}

// The page as another parser sees it as a whole. `records_keys` counts the page's members with the
// name of the list.
json Parse(absl::string_view body, int& records_keys) {
  records_keys = 0;
  return json::parse(
      body.begin(), body.end(),
      [&](int depth, json::parse_event_t event, const json& value) {
        if (depth == 1 && event == json::parse_event_t::key && value == std::string(kRecordsKey)) {
          ++records_keys;
        }
        return true;
      },
      false);
}

bool IsPage(const json& document) {
  if (!document.is_object()) return false;
  const auto records = document.find(std::string(kRecordsKey));
  if (records == document.end()) return false;
  return records->is_null() || (records->is_array() &&
                                std::all_of(records->begin(), records->end(),
                                            [](const json& record) { return record.is_object(); }));
}

void CompareWithParser(absl::string_view body, const Page& page) {
  int records_keys = 0;
  const json document = Parse(body, records_keys);
  // If this parser rejects it, a record or member is malformed inside, which the reader does not
  // check.
  if (document.is_discarded()) return;

  // This parser skips a byte order mark, and takes a zero byte for the end.
  if (absl::StartsWith(body, "\xEF\xBB\xBF") || absl::StrContains(body, '\0')) return;
  const bool accepted = IsPage(document) && records_keys == 1;
  if (ReasonOf(page.status) == v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED) return;
  Require(page.status.ok() == accepted, "a page is accepted if it is one");
  if (!accepted) return;

  const json& records = document[std::string(kRecordsKey)];
  Require(page.records.size() == records.size(), "every record is found");
  for (size_t i = 0; i < page.records.size(); ++i) {
    Require(json::parse(page.records[i], nullptr, false) == records[i],
            "a record's text is unchanged");
  }
  for (const auto& [key, value] : page.envelope) {
    Require(document.contains(key), "a member's name is unchanged");
    Require(json::accept(value), "a member is JSON");
  }
}

void Fuzz(absl::string_view input) {
  const size_t line_end = std::min(input.find('\n'), input.size());
  const absl::string_view cuts = input.substr(0, line_end);
  const absl::string_view body = input.substr(std::min(line_end + 1, input.size()));

  const Page whole = Read(body, "");
  CompareWithParser(body, whole);

  const Page pieces = Read(body, cuts);
  Require(whole.status.code() == pieces.status.code() &&
              ReasonOf(whole.status) == ReasonOf(pieces.status),
          "chunks do not change whether a page is accepted");
  if (ReasonOf(whole.status) == v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) {
    Require(whole.status == pieces.status, "chunks do not change the error");
  }
  // With a single chunk, exceeding this limit is detected at once, before any record.
  if (body.size() > kLimits.max_page_bytes) return;
  Require(whole.records == pieces.records, "chunks do not change the records");
  Require(whole.envelope == pieces.envelope, "chunks do not change the envelope");
}

}  // namespace
}  // namespace rollcall::service

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rollcall::service::Fuzz({reinterpret_cast<const char*>(data), size});
  return 0;
}
