// The path of a record on one core: from the page's bytes to the text of records, to the bytes of a
// Participant, to the bytes of the messages that gRPC sends. Each row includes the steps before it,
// so that the difference of two rows is the cost of the later step. `nlohmann_dom` reads the same
// page with a general JSON library, for comparison. All of them check the number of records.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "nlohmann/json.hpp"
#include "rollcall/v1/participant_service.pb.h"
#include "service/page/page_reader.h"
#include "service/provider/participant_api.h"
#include "service/record/field_selection.h"
#include "service/record/record_decoder.h"
#include "service/record/wire_writer.h"
#include "service/resume/resume_token.h"
#include "service/secrets/secret.h"
#include "tests/simulator/participants.h"

namespace rollcall::service {
namespace {

constexpr int64_t kRecords = 1000;
constexpr size_t kChunk = size_t{32} << 10;
constexpr char kTarget[] =
    "/v1/Conferences/CF90000000000000000000000000001000/Participants"
    "?PageSize=1000&Page=1&PageToken=PA00000000000003e89c4a2b7be2e1f3aa";

struct Page {
  const ParticipantApi& api;
  RequestedIds ids;  // compared with each record's ids by the decoder
  std::string json;
};

RequestedIds IdsOf(const simulator::List& list, const ParticipantApi& api) {
  v1::ListParticipantsRequest request;
  switch (list.api) {
    case simulator::Api::kVoiceInsights:
      request.mutable_conference_participant_summaries()->set_conference_sid(ListSid(list));
      break;
    case simulator::Api::kVideoInsights:
      request.mutable_room_participant_summaries()->set_room_sid(ListSid(list));
      break;
    case simulator::Api::kSignalWire:
    case simulator::Api::kTwilioCore:
      request.mutable_live_participants()->set_conference_sid(ListSid(list));
      break;
  }
  return api.IdsOf(request);
}

Page MakePage(simulator::Api which, const ParticipantApi& api) {
  const simulator::List list(which, kRecords);
  Page page{api, IdsOf(list, api),
            "{\"meta\": {\"next_page_url\": null, \"key\": \"participants\"}, \"participants\": ["};
  for (int64_t i = 0; i < kRecords; ++i) {
    if (i > 0) page.json += ", ";
    AppendParticipantJson(list, i, &page.json);
  }
  page.json += "]}";
  return page;
}

// The last step that a benchmark runs.
enum class Steps { kRead, kDecode, kAppend };

// Reads the page in chunks as they come from the network.
int64_t ReadPage(const Page& page, PageReader& reader, RecordDecoder& decoder, Steps steps,
                 WireWriter& message) {
  int64_t records = 0;
  reader.Reset();
  for (absl::string_view rest = page.json; !rest.empty();) {
    reader.Append(rest.substr(0, kChunk));
    rest.remove_prefix(std::min(rest.size(), kChunk));
    for (auto event = reader.Next(); event.ok(); event = reader.Next()) {
      if (*event == PageReader::Event::kNeedInput || *event == PageReader::Event::kEnd) break;
      if (*event != PageReader::Event::kRecord) continue;
      ++records;
      if (steps == Steps::kRead) continue;
      if (!decoder.Decode(reader.record()).ok()) return -1;
      if (steps == Steps::kDecode) continue;
      message.Truncate(0);
      message.WriteBytes(LengthDelimitedTag(v1::ListParticipantsResponse::kParticipantFieldNumber),
                         std::string_view(decoder.bytes().data(), decoder.bytes().size()));
    }
  }
  return reader.Finish().ok() ? records : -1;
}

void Count(benchmark::State& state, const Page& page) {
  state.SetItemsProcessed(state.iterations() * kRecords);
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(page.json.size()));
}

void Measure(benchmark::State& state, const Page& page, Steps steps,
             const FieldSelection& selection = {}) {
  PageReader reader(page.api.page_layout().records_key, {});
  DecoderScratch scratch;
  RecordDecoder decoder(scratch, page.api.record_schema(), selection, /*strict=*/true, page.ids);
  WireWriter message;
  for (auto _ : state) {
    if (ReadPage(page, reader, decoder, steps, message) != kRecords) {
      return state.SkipWithError("not all records were read");
    }
  }
  Count(state, page);
}

const Page& VoiceInsights() {
  static const Page kPage = MakePage(simulator::Api::kVoiceInsights, TwilioVoiceInsights());
  return kPage;
}

const Page& VideoInsights() {
  static const Page kPage = MakePage(simulator::Api::kVideoInsights, TwilioVideoInsights());
  return kPage;
}

const Page& LiveParticipants() {
  static const Page kPage = MakePage(simulator::Api::kSignalWire, SignalWire());
  return kPage;
}

// A caller's read mask of three fields.
FieldSelection ThreeFields() {
  google::protobuf::FieldMask mask;
  for (const char* path : {"participant_sid", "label", "call_status"}) mask.add_paths(path);
  std::vector<std::string> unknown;
  return FieldSelection::FromMask(mask, TwilioVoiceInsights().record_schema().object, unknown);
}

BENCHMARK_CAPTURE(Measure, read, VoiceInsights(), Steps::kRead);
BENCHMARK_CAPTURE(Measure, read_decode, VoiceInsights(), Steps::kDecode);
BENCHMARK_CAPTURE(Measure, read_decode_append, VoiceInsights(), Steps::kAppend);
BENCHMARK_CAPTURE(Measure, read_decode_append_three_fields, VoiceInsights(), Steps::kAppend,
                  ThreeFields());
BENCHMARK_CAPTURE(Measure, read_decode_append_room, VideoInsights(), Steps::kAppend);
BENCHMARK_CAPTURE(Measure, read_decode_append_live, LiveParticipants(), Steps::kAppend);

void NlohmannDom(benchmark::State& state) {
  const Page& page = VoiceInsights();
  for (auto _ : state) {
    const auto document = nlohmann::json::parse(page.json);
    if (document["participants"].size() != kRecords) {
      return state.SkipWithError("not all records were read");
    }
  }
  Count(state, page);
}
BENCHMARK(NlohmannDom)->Name("nlohmann_dom");

void SealToken(benchmark::State& state) {
  ResumeTokens tokens(CurrentSecret(Secret("a credential")), "a list");
  ListPosition position;
  position.page = kTarget;
  for (auto _ : state) {
    position.record.identity = ++position.ordinal * 0x9e3779b97f4a7c15;
    benchmark::DoNotOptimize(tokens.Seal(position));
  }
  const auto opened = tokens.Open(tokens.Seal(position));
  if (!opened || opened->ordinal != position.ordinal) state.SkipWithError("a token does not open");
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(SealToken)->Name("seal_token");

}  // namespace
}  // namespace rollcall::service

BENCHMARK_MAIN();
