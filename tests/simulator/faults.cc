#include "tests/simulator/faults.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rollcall::simulator {
namespace {

// Over the 256 that are delivered separately.
constexpr int kManyMembers = 300;

// The position after the JSON value at `begin`, of which only strings and brackets are understood.
size_t EndOfValue(absl::string_view json, size_t begin) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = begin; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      if (--depth == 0) return i + 1;
    }
  }
  return json.size();
}

// Where the records of a page are: begin and end of each. `array` is the position after the
// bracket that opens their array.
struct Records {
  size_t array = std::string::npos;
  std::vector<std::pair<size_t, size_t>> texts;
};

Records FindRecords(absl::string_view page) {
  Records records;
  constexpr absl::string_view kKey = "\"participants\"";
  size_t bracket = std::string::npos;
  // The envelope may contain the same text as a value.
  for (size_t key = page.find(kKey); bracket == std::string::npos; key = page.find(kKey, key + 1)) {
    if (key == std::string::npos) return records;
    const size_t next = page.find_first_not_of(" \t\r\n:", key + kKey.size());
    if (next != std::string::npos && page[next] == '[') bracket = next;
  }
  size_t at = records.array = bracket + 1;
  for (;;) {
    at = page.find_first_not_of(" \t\r\n,", at);
    if (at == std::string::npos || page[at] != '{') return records;
    const size_t end = EndOfValue(page, at);
    records.texts.emplace_back(at, end);
    at = end;
  }
}

std::string FirstMember(absl::string_view member, absl::string_view record) {
  return absl::StrCat("{", member, ",", record.substr(record.find('{') + 1));
}

}  // namespace

Fault EmptyDocument() { return Respond(200); }

Fault HtmlDocument() {
  Fault fault;
  fault.answer = Answer{200, {{"Content-Type", "text/html"}}, "<html><body>{busy}</body></html>"};
  return fault;
}

std::vector<std::pair<std::string, std::string>> RetryAfterHeaders(RetryAfter form,
                                                                   absl::Duration wait) {
  const absl::TimeZone utc = absl::UTCTimeZone();
  const absl::Time date = absl::FromUnixSeconds(1700000000);  // 14 November 2023
  const auto at = [&](const char* format, absl::Time time) {
    return absl::FormatTime(format, time, utc);
  };
  std::string value;
  switch (form) {
    case RetryAfter::kSeconds:
      return {{"Retry-After", absl::StrCat(absl::ToInt64Seconds(wait))}};
    case RetryAfter::kGarbage:
      return {{"Retry-After", "soon, +1e3"}};
    case RetryAfter::kHuge:
      return {{"Retry-After", "99999999999999999999"}};
    case RetryAfter::kRfc1123:
      value = at("%a, %d %b %Y %H:%M:%S GMT", date + wait);
      break;
    case RetryAfter::kRfc850:
      value = at("%A, %d-%b-%y %H:%M:%S GMT", date + wait);
      break;
    case RetryAfter::kAsctime:
      value = at("%a %b %e %H:%M:%S %Y", date + wait);
      break;
  }
  return {{"Retry-After", value}, {"Date", at("%a, %d %b %Y %H:%M:%S GMT", date)}};
}

Fault RateLimited(RetryAfter form, absl::Duration wait) {
  Fault fault = Respond(429, R"({"code":20429,"status":429})");
  for (auto& header : RetryAfterHeaders(form, wait)) {
    fault.answer->headers.push_back(std::move(header));
  }
  return fault;
}

Fault CutJson(size_t bytes) {
  Fault fault;
  fault.edit_body = [bytes](std::string body) {
    body.resize(std::min(bytes, std::max<size_t>(body.size(), 1) - 1));
    return body;
  };
  return fault;
}

Fault BreakAfterRecords(size_t records) {
  Fault fault;
  fault.cut_after_records = records;
  return fault;
}

Fault WithInterimResponses(int count) {
  Fault fault;
  fault.interim_responses = count;
  return fault;
}

Fault WithHeaderLines(int count) {
  Fault fault;
  fault.header_lines = count;
  return fault;
}

std::string EditRecords(const std::string& page,
                        const std::function<void(std::vector<std::string>& records)>& edit) {
  const Records found = FindRecords(page);
  if (found.array == std::string::npos) return page;
  std::vector<std::string> texts;
  for (const auto& [begin, end] : found.texts) texts.push_back(page.substr(begin, end - begin));
  edit(texts);
  const size_t end = found.texts.empty() ? found.array : found.texts.back().second;
  return absl::StrCat(page.substr(0, found.array), absl::StrJoin(texts, ", "), page.substr(end));
}

std::vector<size_t> RecordEnds(absl::string_view page) {
  std::vector<size_t> ends;
  for (const auto& text : FindRecords(page).texts) ends.push_back(text.second);
  return ends;
}

std::string MakeOdd(Oddity oddity, absl::string_view record) {
  switch (oddity) {
    case Oddity::kLoneSurrogate:
      return FirstMember(R"("odd":"\ud83d")", record);
    case Oddity::kInvalidUtf8:
      return FirstMember("\"odd\":\"a\xff\"", record);
    case Oddity::kHugeNumber:
      return FirstMember("\"odd\":1e999", record);
    case Oddity::kNotANumber:
      return FirstMember("\"odd\":NaN", record);
    case Oddity::kNotJson:
      return FirstMember("\"odd\" 1", record);
    case Oddity::kManyUnknownMembers: {
      std::string members;
      for (int i = 0; i < kManyMembers; ++i) {
        absl::StrAppend(&members, i == 0 ? "" : ",", "\"odd", i, "\":[", i, "]");
      }
      return FirstMember(members, record);
    }
    case Oddity::kNullField: {
      const size_t label = record.find("\"label\"");
      if (label == std::string::npos) return FirstMember("\"label\":null", record);
      const size_t value = record.find_first_not_of(" \t\r\n:", label + 7);
      size_t end = value;
      if (record[value] == '"') {
        for (++end; record[end] != '"'; ++end) {
          if (record[end] == '\\') ++end;
        }
        ++end;
      } else {
        while (absl::ascii_isalnum(static_cast<unsigned char>(record[end]))) ++end;
      }
      return absl::StrCat(record.substr(0, value), "null", record.substr(end));
    }
  }
  return std::string(record);
}

std::string MakeEnvelopeOdd(std::string page) {
  const size_t meta = page.find("\"meta\"");
  const size_t begin = page.find('{', meta == std::string::npos ? 0 : meta);
  if (begin == std::string::npos) return page;
  return page.insert(begin + 1, "\"odd\":1e999,");
}

}  // namespace rollcall::simulator
