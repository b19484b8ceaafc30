#include "service/upstream/pager.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall {
namespace {

PageLimits PageLimitsOf(const Limits& limits) {
  return {limits.max_record_bytes, limits.max_page_bytes, limits.max_json_depth};
}

}  // namespace

Pager::Pager(HttpClient& client, const Config& config, ListQuery query, ParticipantMonitor& monitor,
             RecordSink& sink)
    : client_(client),
      config_(config),
      query_(std::move(query)),
      layout_(query_.api->page_layout()),
      monitor_(monitor),
      sink_(sink),
      decoder_(query_.api->record_schema(), query_.selection, query_.upstream->strict),
      retry_(config.retry, &RandomFraction) {
  static_assert(PageReader::kPadding >= RecordDecoder::kPadding);
  begin_behind_ = query_.resume;
}

Pager::~Pager() {
  if (retry_timer_) client_.loop().Cancel(*retry_timer_);
}

void Pager::Start() {
  next_url_ = query_.url;
  if (absl::Status status = GoToNextPage(); !status.ok()) End(status);
}

void Pager::Resume() {
  if (ended_ || !sink_is_full_) return;
  sink_is_full_ = false;
  Read();
  if (!ended_ && !sink_is_full_ && page_ != nullptr) page_->Open();
}

std::unique_ptr<PageFetch> Pager::Ask(const std::string& url) {
  ++totals_.attempts;
  PageFetch::Listener& listener = *this;
  return std::make_unique<PageFetch>(client_, *query_.upstream, url, layout_.records_key,
                                     PageLimitsOf(config_.limits), listener);
}

// Hands on all that the page has, as far as there is room.
void Pager::Read() {
  while (!ended_ && page_ != nullptr) {
    if (record_waits_) {
      v1::ListParticipantsResponse* const slot = sink_.NextSlot();
      if (slot == nullptr) {
        sink_is_full_ = true;
        page_->Close();
        return;
      }
      record_waits_ = false;
      if (absl::Status status = TakeRecord(*slot); !status.ok()) return End(status);
      if (query_.limit > 0 && totals_.records == query_.limit) return End(absl::OkStatus());
    }
    const auto event = page_->reader().Next();
    if (!event.ok()) return End(event.status());
    switch (*event) {
      case PageReader::Event::kRecord:
        record_waits_ = true;
        break;
      case PageReader::Event::kEnvelopeMember:
        if (absl::Status status = TakeEnvelopeMember(); !status.ok()) return End(status);
        break;
      case PageReader::Event::kNeedInput:
      case PageReader::Event::kEnd:
        if (page_->ended()) FinishPage();
        return;
    }
  }
}

absl::Status Pager::TakeEnvelopeMember() {
  const PageReader& reader = page_->reader();
  if (reader.envelope_key() != layout_.link_member) return absl::OkStatus();
  if (std::exchange(link_seen_, true)) {
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
        absl::StrCat("the provider's page has its member \"", layout_.link_member, "\" twice"));
  }
  auto link = ReadNextLink(layout_, reader.envelope_value());
  if (!link.ok()) return link.status();
  return ResolveNextLink(link->value_or(""));
}

// Finds where the next page is, and asks for it while this one is still on its way.
absl::Status Pager::ResolveNextLink(const std::string& link) {
  if (link.empty()) {
    next_url_.clear();
    next_page_.reset();
    return absl::OkStatus();
  }
  auto url = query_.api->base_url(*query_.upstream).Resolve(query_.api->AdjustLink(link));
  if (!url.ok()) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                     absl::StrCat("the provider's link to the next page is not followed: ",
                                  url.status().message()));
  }
  next_url_ = *std::move(url);
  // A page that was fetched again may have another link.
  if (next_page_ != nullptr && next_page_->url() != next_url_) next_page_.reset();
  if (next_page_ == nullptr && WantsPrefetch()) next_page_ = Ask(next_url_);
  return absl::OkStatus();
}

bool Pager::WantsPrefetch() const {
  if (!config_.prefetch || urls_seen_.contains(std::hash<std::string>()(next_url_))) return false;
  // A page that the limit makes needless is not asked for.
  const int64_t of_this_page =
      query_.page_size - static_cast<int64_t>(taken_.size() + expected_again_.size());
  return query_.limit == 0 || totals_.records + of_this_page < query_.limit;
}

absl::Status Pager::TakeRecord(v1::ListParticipantsResponse& slot) {
  const absl::string_view json = page_->reader().record();
  v1::Participant& participant = *slot.mutable_participant();
  if (absl::Status status = decoder_.Decode(json, participant); !status.ok()) {
    monitor_.OnParticipant(participant);  // an unrecognized value may be the error
    return status;
  }
  const uint64_t identity = decoder_.identity();
  if (!IsNew(identity)) return absl::OkStatus();
  monitor_.OnParticipant(participant);

  totals_.resume_token = query_.tokens.Seal({page_target_, identity, taken_[identity]});
  slot.set_resume_token(totals_.resume_token);
  totals_.unrecognized += participant.unrecognized_size();
  ++totals_.records;
  retry_.Progress();
  sink_.Commit(json.size() + totals_.resume_token.size());
  return absl::OkStatus();
}

// Whether a record is to be handed on, rather than having been so before this page was fetched
// (again).
bool Pager::IsNew(uint64_t identity) {
  const auto again = expected_again_.find(identity);
  const bool repeated = again != expected_again_.end();
  if (repeated) {
    ++totals_.duplicates;
    if (--again->second == 0) expected_again_.erase(again);
  }
  const uint32_t occurrence = ++taken_[identity];
  if (begin_behind_) {
    if (begin_behind_->record == identity && begin_behind_->occurrence == occurrence) {
      begin_behind_.reset();
    }
    return false;
  }
  return !repeated;
}

void Pager::FinishPage() {
  const absl::Status outcome = page_->Outcome();
  if (!outcome.ok()) return Retry(outcome);
  if (begin_behind_) {
    return End(MakeError(v1::ERROR_REASON_UPSTREAM_LIST_CHANGED,
                         "the participant that the resume token names is not on its page any more; "
                         "the list must be read anew"));
  }
  if (!link_seen_ && !layout_.link_key.empty()) {
    return End(MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                         absl::StrCat("the provider's page has no member \"", layout_.link_member,
                                      "\", so nobody knows whether the list is complete")));
  }
  retry_.Progress();
  if (next_url_.empty()) return End(absl::OkStatus());
  if (absl::Status status = GoToNextPage(); !status.ok()) End(status);
}

absl::Status Pager::GoToNextPage() {
  if (static_cast<int64_t>(urls_seen_.size()) >= config_.limits.max_pages_per_list) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("the list has more than ", config_.limits.max_pages_per_list,
                                  " pages (limits.max_pages_per_list)"));
  }
  if (!urls_seen_.insert(std::hash<std::string>()(next_url_)).second) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                     "the provider's link to the next page leads back to a page already read");
  }
  const std::string url = std::exchange(next_url_, {});
  page_target_ = query_.api->base_url(*query_.upstream).TargetOf(url);
  taken_.clear();
  expected_again_.clear();
  link_seen_ = false;
  LeavePage();
  page_ = next_page_ != nullptr ? std::move(next_page_) : Ask(url);
  page_->Open();
  return absl::OkStatus();
}

// Fetches the page again where that may help.
void Pager::Retry(const absl::Status& failure) {
  const auto wait = retry_.AfterFailure(failure, query_.deadline.TimeLeft());
  if (!wait) return End(failure);
  for (const auto& [identity, times] : std::exchange(taken_, {})) {
    expected_again_[identity] += times;
  }
  next_url_.clear();
  link_seen_ = false;
  retry_timer_ = client_.loop().After(*wait, [this, url = page_->url()] {
    retry_timer_.reset();
    page_ = Ask(url);
    page_->Open();
  });
  LeavePage();
}

void Pager::LeavePage() {
  if (page_ != nullptr && page_->begun()) ++totals_.pages;
  page_.reset();
}

void Pager::End(const absl::Status& status) {
  ended_ = true;
  LeavePage();
  next_page_.reset();
  sink_.OnListEnd(InUpstream(status, *query_.upstream), totals_);
}

}  // namespace rollcall
