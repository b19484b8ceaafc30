#include "service/upstream/pager.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/error/error.h"

namespace rollcall {
namespace {

PageLimits PageLimitsOf(const Limits& limits) {
  return {limits.max_record_bytes, limits.max_page_bytes, limits.max_json_depth};
}

}  // namespace

Pager::Pager(HttpClient& client, const Limits& limits, ListQuery query, ParticipantMonitor& monitor,
             RecordSink& sink)
    : client_(client),
      limits_(limits),
      query_(std::move(query)),
      layout_(query_.api->page_layout()),
      monitor_(monitor),
      sink_(sink),
      reader_(layout_.records_key, PageLimitsOf(limits)),
      decoder_(query_.api->record_schema(), query_.selection, query_.upstream->strict) {
  static_assert(PageReader::kPadding >= RecordDecoder::kPadding);
}

void Pager::Start() { GetPage(query_.url); }

void Pager::Resume() {
  if (ended_ || !sink_is_full_) return;
  sink_is_full_ = false;
  ReadPage();
  if (ended_ || sink_is_full_) return;
  if (body_end_) {
    FinishPage();
  } else if (std::exchange(refused_body_, false)) {
    transfer_->Resume();
  }
}

void Pager::GetPage(const std::string& url) {
  if (totals_.pages >= limits_.max_pages_per_list) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                  absl::StrCat("the list has more than ", limits_.max_pages_per_list,
                               " pages (limits.max_pages_per_list)")));
    return;
  }
  if (!urls_seen_.insert(std::hash<std::string>()(url)).second) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                  "the provider's link to the next page leads back to a page already read"));
    return;
  }
  reader_.Reset();
  answer_ = ProviderAnswer();
  body_end_.reset();
  refused_body_ = false;
  next_link_.clear();
  ++totals_.attempts;
  const UpstreamConfig& upstream = *query_.upstream;
  transfer_ = client_.Get(
      {url, upstream.username, upstream.password, upstream.connect_timeout, upstream.idle_timeout},
      *this);
}

void Pager::OnHead(const HttpResponse& response) {
  answer_.TakeHead(response);
  if (answer_.ok()) ++totals_.pages;
}

bool Pager::OnBody(absl::string_view bytes) {
  if (!answer_.ok()) {
    answer_.TakeBody(bytes);
    return true;
  }
  if (sink_is_full_) {
    refused_body_ = true;
    return false;
  }
  reader_.Append(bytes);
  ReadPage();
  return true;
}

void Pager::OnDone(absl::Status status) {
  body_end_ = std::move(status);
  if (!sink_is_full_) FinishPage();
}

// Hands on all that the reader has, as far as there is room.
void Pager::ReadPage() {
  while (!ended_) {
    if (record_waits_) {
      v1::ListParticipantsResponse* const slot = sink_.NextSlot();
      if (slot == nullptr) {
        sink_is_full_ = true;
        return;
      }
      record_waits_ = false;
      if (auto status = DeliverRecord(*slot); !status.ok()) return End(status);
      if (totals_.records == query_.limit) return End(absl::OkStatus());
    }
    const auto event = reader_.Next();
    if (!event.ok()) return End(event.status());
    switch (*event) {
      case PageReader::Event::kRecord:
        record_waits_ = true;
        break;
      case PageReader::Event::kEnvelopeMember:
        if (auto status = TakeEnvelopeMember(); !status.ok()) return End(status);
        break;
      case PageReader::Event::kNeedInput:
      case PageReader::Event::kEnd:
        return;
    }
  }
}

absl::Status Pager::TakeEnvelopeMember() {
  if (reader_.envelope_key() != layout_.link_member) return absl::OkStatus();
  auto link = ReadNextLink(layout_, reader_.envelope_value());
  if (!link.ok()) return link.status();
  next_link_ = std::move(*link).value_or("");
  return absl::OkStatus();
}

absl::Status Pager::DeliverRecord(v1::ListParticipantsResponse& slot) {
  v1::Participant& participant = *slot.mutable_participant();
  const absl::Status status = decoder_.Decode(reader_.record(), participant);
  monitor_.OnParticipant(participant);  // an unrecognized value may be the error
  if (!status.ok()) return status;
  totals_.unrecognized += participant.unrecognized_size();
  ++totals_.records;
  sink_.Commit(reader_.record().size());
  return absl::OkStatus();
}

void Pager::FinishPage() {
  if (ended_) return;
  if (!body_end_->ok()) return End(*body_end_);
  if (!answer_.ok()) return End(answer_.ToStatus(*query_.upstream, absl::Now()));
  if (auto status = reader_.Finish(); !status.ok()) return End(status);
  if (next_link_.empty()) return End(absl::OkStatus());

  const BaseUrl& base = query_.api->base_url(*query_.upstream);
  const auto url = base.Resolve(query_.api->AdjustLink(std::exchange(next_link_, {})));
  if (!url.ok()) {
    return End(MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                         absl::StrCat("the provider's link to the next page is not followed: ",
                                      url.status().message())));
  }
  GetPage(*url);
}

void Pager::End(const absl::Status& status) {
  ended_ = true;
  transfer_.reset();
  sink_.OnListEnd(InUpstream(status, *query_.upstream), totals_);
}

}  // namespace rollcall
