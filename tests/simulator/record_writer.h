#pragma once

// Building blocks of generated records: choices derived from a record's index, a JSON writer, and
// the values that records of several APIs share.
//
// Pure functions, except for Writer, which is not thread-safe.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tests/simulator/participants.h"

namespace rollcall::simulator {

// Spreads neighbouring numbers over all 64 bits (the finalizer of SplitMix64).
inline uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// What varies from record to record. Each trait is chosen independently, so that a filter can
// compute one without the others.
enum class Trait : uint64_t {
  kStyle,
  kOrder,
  kLabel,
  kEvents,
  kEventTime,
  kDirection,
  kAddresses,
  kStatus,
  kCountry,
  kTimes,
  kStay,
  kQueue,
  kJitterBuffer,
  kCoach,
  kRegion,
  kCallType,
  kState,
  kProperties,
  kMetrics,
  kPackets,
  kCodecs,
  kEndReason,
  kEdge,
  kPublisher,
  kMuted,
  kHold,
  kExit,
};

// A number in [0, n), chosen by the record's index and the trait.
inline uint64_t Choose(int64_t index, Trait trait, uint64_t n) {
  return Mix(static_cast<uint64_t>(index) * 64 + static_cast<uint64_t>(trait)) % n;
}

// True for this percentage of the records.
inline bool Chance(int64_t index, Trait trait, uint64_t percent) {
  return Choose(index, trait, 100) < percent;
}

void AppendHex(uint64_t value, int digits, std::string* out);

// The last `digits` decimal digits of a non-negative number.
void AppendDigits(int64_t value, int digits, std::string* out);

// Writes JSON into a string. It inserts commas itself and does not escape text, so that each value
// chooses its own escapes.
class Writer {
 public:
  // Whitespace as providers use it: "spaced, like: this", one member per line, or none.
  Writer(int64_t index, std::string* out) : out_(out) {
    switch (Choose(index, Trait::kStyle, 8)) {
      case 0:
        comma_ = ",\n";
        break;
      case 1:
      case 2:
      case 3:
        comma_ = ",";
        colon_ = "\":";
        break;
      default:
        break;
    }
  }

  void Open(char bracket) { out_->push_back(bracket); }
  void Close(char bracket) { out_->push_back(bracket); }

  Writer& Key(absl::string_view name) {
    Item();
    out_->push_back('"');
    Raw(name);
    Raw(colon_);
    return *this;
  }

  // Precedes an item of an array.
  Writer& Item() {
    if (out_->back() != '{' && out_->back() != '[') {
      Raw(comma_);
    }
    return *this;
  }

  void Raw(absl::string_view text) { out_->append(text.data(), text.size()); }
  void Null() { Raw("null"); }
  void Bool(bool value) { Raw(value ? "true" : "false"); }
  void Int(int64_t value) { absl::StrAppend(out_, value); }

  void Text(absl::string_view text) {
    BeginText();
    Raw(text);
    EndText();
  }
  void BeginText() { out_->push_back('"'); }
  void EndText() { out_->push_back('"'); }

  // With two decimal places.
  void Hundredths(int64_t value) {
    absl::StrAppend(out_, value / 100, ".");
    AppendDigits(value % 100, 2, out_);
  }

  std::string* out() { return out_; }

 private:
  std::string* out_;
  absl::string_view comma_ = ", ";
  absl::string_view colon_ = "\": ";
};

// The time `offset` seconds after the participant joined, in one of the ISO 8601 forms of Insights,
// or as RFC 2822.
void WriteIsoTime(int64_t index, int64_t offset, Writer* writer);
void WriteMailTime(Api api, int64_t index, int64_t offset, Writer* writer);

// How many seconds the participant stayed.
int64_t StayOf(int64_t index);

// A provider's region; "us1" for half of the records.
absl::string_view RegionOf(int64_t index);

enum class LabelKind { kAbsent, kNull, kText };

LabelKind KindOfLabel(int64_t index);
// The label as JSON, with its escapes, and as decoded text.
void WriteLabel(int64_t index, Writer* writer);
void AppendLabelText(int64_t index, std::string* out);
// Upper bound of the number in a label.
inline constexpr int64_t kLabelNumbers = 97;

// Orders in which providers write a record's members, as indices into the list of names: the order
// of that list, and alphabetical order.
template <size_t N>
std::array<size_t, N> Alphabetical(const std::array<absl::string_view, N>& names) {
  std::array<size_t, N> order{};
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return names[a] < names[b]; });
  return order;
}

template <size_t N>
std::array<size_t, N> AsListed(const std::array<absl::string_view, N>&) {
  std::array<size_t, N> order{};
  std::iota(order.begin(), order.end(), size_t{0});
  return order;
}

// The list's order with one member moved.
template <size_t N>
std::array<size_t, N> Moved(const std::array<absl::string_view, N>& names, size_t from, size_t to) {
  std::array<size_t, N> order = AsListed(names);
  std::rotate(order.begin() + from, order.begin() + from + 1, order.begin() + to + 1);
  return order;
}

}  // namespace rollcall::simulator
