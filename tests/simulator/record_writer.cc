#include "tests/simulator/record_writer.h"

#include "absl/time/civil_time.h"

namespace rollcall::simulator {
namespace {

absl::CivilSecond Moment(int64_t index, int64_t offset) {
  return absl::CivilSecond(2021, 10, 8, 2, 58, 51) + (index * 7 + offset);
}

void AppendClock(absl::CivilSecond t, std::string* out) {
  AppendDigits(t.hour(), 2, out);
  out->push_back(':');
  AppendDigits(t.minute(), 2, out);
  out->push_back(':');
  AppendDigits(t.second(), 2, out);
}

// A label as JSON and as decoded text. "%" stands for a number.
struct LabelText {
  absl::string_view json;
  absl::string_view text;
};

constexpr std::array<LabelText, 10> kLabels = {{
    {"client", "client"},
    {"operator-%", "operator-%"},
    {"supervisor-%", "supervisor-%"},
    {"", ""},
    {"Zoë – Büro %", "Zoë – Büro %"},
    {"Jos\\u00e9 %", "José %"},
    {"\\u65e5\\u672c\\u8a9e %", "日本語 %"},
    {"\\ud83d\\ude00 desk %", "😀 desk %"},
    {"\\\"Q\\\" \\\\ R\\/S & {T} [%]", "\"Q\" \\ R/S & {T} [%]"},
    {"😀 客服\\t%", "😀 客服\t%"},
}};

const LabelText& LabelOf(int64_t index) {
  // The first two are by far the most frequent, as in real lists.
  const uint64_t choice = Choose(index, Trait::kLabel, 1600) / 100;
  return choice < kLabels.size() ? kLabels[choice] : kLabels[choice % 2];
}

void AppendNumbered(absl::string_view pattern, int64_t number, std::string* out) {
  const size_t at = pattern.find('%');
  if (at == absl::string_view::npos) {
    out->append(pattern.data(), pattern.size());
    return;
  }
  absl::StrAppend(out, pattern.substr(0, at), number, pattern.substr(at + 1));
}

constexpr std::array<absl::string_view, 9> kRegions = {"us1", "us2", "au1", "br1", "ie1",
                                                       "jp1", "sg1", "de1", "in1"};

}  // namespace

void AppendHex(uint64_t value, int digits, std::string* out) {
  const size_t end = out->size() + digits;
  out->resize(end);
  for (char* p = out->data() + end; digits > 0; --digits, value >>= 4) {
    *--p = "0123456789abcdef"[value & 15];
  }
}

void AppendDigits(int64_t value, int digits, std::string* out) {
  const size_t end = out->size() + digits;
  out->resize(end, '0');
  for (char* p = out->data() + end; digits > 0 && value > 0; --digits, value /= 10) {
    *--p = static_cast<char>('0' + value % 10);
  }
}

void WriteIsoTime(int64_t index, int64_t offset, Writer* writer) {
  const absl::CivilSecond t = Moment(index, offset);
  std::string* out = writer->out();
  writer->BeginText();
  AppendDigits(t.year(), 4, out);
  out->push_back('-');
  AppendDigits(t.month(), 2, out);
  out->push_back('-');
  AppendDigits(t.day(), 2, out);
  out->push_back('T');
  AppendClock(t, out);
  switch (Choose(index, Trait::kTimes, 8)) {
    case 0:
      out->append("+00:00");
      break;
    case 1:
      out->append(".000Z");
      break;
    case 2:
      out->push_back('.');
      AppendDigits(index % 1000, 3, out);
      out->push_back('Z');
      break;
    case 3:
      out->push_back('.');
      AppendDigits(index % 1000000, 6, out);
      out->append("+00:00");
      break;
    default:
      out->push_back('Z');
      break;
  }
  writer->EndText();
}

void WriteMailTime(Api api, int64_t index, int64_t offset, Writer* writer) {
  constexpr std::array<absl::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu",
                                                      "Fri", "Sat", "Sun"};
  constexpr std::array<absl::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  absl::CivilSecond t = Moment(index, offset);
  const bool published_spelling = api == Api::kSignalWire && Chance(index, Trait::kTimes, 10);
  if (published_spelling) {
    t = absl::CivilSecond(t.year(), 9, std::min(t.day(), 30), t.hour(), t.minute(), t.second());
  }
  std::string* out = writer->out();
  writer->BeginText();
  absl::StrAppend(out, kDays[static_cast<size_t>(absl::GetWeekday(t))], ", ");
  AppendDigits(t.day(), 2, out);
  absl::StrAppend(out, " ", published_spelling ? "Sept" : kMonths[t.month() - 1], " ", t.year(),
                  " ");
  AppendClock(t, out);
  out->append(" +0000");
  writer->EndText();
}

int64_t StayOf(int64_t index) { return static_cast<int64_t>(Choose(index, Trait::kStay, 3600)); }

absl::string_view RegionOf(int64_t index) {
  const uint64_t choice = Choose(index, Trait::kRegion, 2 * kRegions.size());
  return choice < kRegions.size() ? kRegions[choice] : kRegions[0];
}

LabelKind KindOfLabel(int64_t index) {
  const uint64_t choice = Choose(index, Trait::kLabel, 100);
  return choice < 10 ? LabelKind::kAbsent : choice < 40 ? LabelKind::kNull : LabelKind::kText;
}

void WriteLabel(int64_t index, Writer* writer) {
  writer->BeginText();
  AppendNumbered(LabelOf(index).json, index % kLabelNumbers, writer->out());
  writer->EndText();
}

void AppendLabelText(int64_t index, std::string* out) {
  AppendNumbered(LabelOf(index).text, index % kLabelNumbers, out);
}

}  // namespace rollcall::simulator
