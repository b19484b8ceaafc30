#include "service/upstream/pager.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

PageLimits PageLimitsOf(const ResponseLimits& limits) {
  return {limits.max_record_bytes, limits.max_page_bytes, limits.max_json_depth};
}

absl::Status ListChanged() {
  return MakeError(v1::ERROR_REASON_UPSTREAM_LIST_CHANGED,
                   "the list has changed: the participant to resume after is not where it was; "
                   "restart the list");
}

}  // namespace

Pager::Pager(HttpTransport& transport, DecoderScratch& scratch, const ReadOptions& options,
             Upstream& upstream, ListQuery query, RecordSink& sink, RetryPolicy::Random random)
    : transport_(transport),
      options_(options),
      upstream_(upstream),
      query_(std::move(query)),
      layout_(query_.api->page_layout()),
      sink_(sink),
      decoder_(scratch, query_.api->record_schema(), query_.selection,
               upstream.options.account.options.strict, query_.ids),
      retry_(options.retry, std::move(random)),
      cursor_(!query_.first_url.empty(), query_.resume),
      retry_timer_(transport.scheduler()) {
  static_assert(PageReader::kPadding >= RecordDecoder::kPadding);
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

void Pager::Stop(const absl::Status& reason) {
  if (!ended_) Finish(reason);
}

std::unique_ptr<PageFetch> Pager::Ask(ProviderRequest::Target target) {
  PageFetch::Listener& listener = *this;
  return std::make_unique<PageFetch>(upstream_, transport_, *query_.api, std::move(target),
                                     query_.call.caller, query_.call.trace,
                                     PageLimitsOf(options_.limits), listener);
}

// Passes on all records that have arrived, as far as the sink has room.
void Pager::Read() {
  ReadPage();
  if (ended_) return;
  CountParticipants();
  sink_.Flush();
}

void Pager::ReadPage() {
  while (!ended_ && page_ != nullptr) {
    if (record_waits_) {
      if (!sink_.HasRoom()) {
        sink_is_full_ = true;
        page_->Close();
        return;
      }
      record_waits_ = false;
      if (absl::Status status = TakeRecord(); !status.ok()) return FailPage(status);
      if (query_.limit > 0 && totals_.records == query_.limit) return End(absl::OkStatus());
    }
    const auto event = page_->reader().Next();
    if (!event.ok()) return FailPage(event.status());
    switch (*event) {
      case PageReader::Event::kRecord:
        record_waits_ = true;
        break;
      case PageReader::Event::kEnvelopeMember:
        if (absl::Status status = TakeEnvelopeMember(); !status.ok()) return FailPage(status);
        break;
      case PageReader::Event::kNeedInput:
      case PageReader::Event::kEnd:
        if (page_->ended()) FinishPage();
        return;
    }
  }
}

// Fetches a malformed page again: it may be complete the next time. Ends the list on any other
// failure.
void Pager::FailPage(const absl::Status& failure) {
  if (ReasonOf(failure) != v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE) return End(failure);
  Retry(failure);
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
  return ResolveNextLink(*link);
}

// Resolves the link to the next page, and prefetches that page while this one is arriving.
absl::Status Pager::ResolveNextLink(const std::string& link) {
  if (link.empty()) {
    next_url_.clear();
    Leave(next_page_);
    return absl::OkStatus();
  }
  auto url = query_.api->base_url(upstream_.options.account).Resolve(query_.api->AdjustLink(link));
  if (!url.ok()) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                     absl::StrCat("the provider's link to the next page is not followed: ",
                                  url.status().message()));
  }
  if (LeadsToAnotherList(*url, query_.url, query_.ids.front())) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                     "the provider's response belongs to another request: its next link leads to "
                     "the participants of another conference or room");
  }
  next_url_ = *std::move(url);
  // A page that was fetched again may have another link.
  if (next_page_ != nullptr && next_page_->request().url() != next_url_) Leave(next_page_);
  if (next_page_ == nullptr && WantsPrefetch()) {
    next_page_ = Ask({next_url_, ConcurrencyLimiter::Kind::kPrefetch});
  }
  return absl::OkStatus();
}

bool Pager::WantsPrefetch() const {
  if (!options_.prefetch || cursor_.WasRead(TargetOf(next_url_))) return false;
  // A page that the limit makes unnecessary is not requested.
  const int64_t left_on_page = query_.page_size - cursor_.records_on_page();
  return query_.limit == 0 || totals_.records + left_on_page < query_.limit;
}

absl::Status Pager::TakeRecord() {
  if (absl::Status status = decoder_.Decode(page_->reader().record()); !status.ok()) {
    // An unrecognized value may be the error.
    upstream_.participants.OnParticipant(decoder_.record(), decoder_.unrecognized());
    return status;
  }
  const ReplayCursor::Action action = cursor_.OnRecord(decoder_.identity());
  if (cursor_.records_on_page() > options_.limits.max_records_per_page) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("a page has more than ", options_.limits.max_records_per_page,
                                  " records (limits.max_records_per_page)"));
  }
  if (action == ReplayCursor::Action::kSkip) return absl::OkStatus();
  if (action == ReplayCursor::Action::kListChanged) return ListChanged();
  if (!decoder_.unrecognized().empty()) {
    upstream_.participants.OnUnrecognized(decoder_.unrecognized());
  }
  ++not_counted_;

  totals_.unrecognized += decoder_.unrecognized().size();
  ++totals_.records;
  retry_.Progress();
  sink_.Take(decoder_.bytes(), cursor_.position());
  return absl::OkStatus();
}

// Many at once, since the counter is shared with other threads.
void Pager::CountParticipants() {
  if (not_counted_ == 0) return;
  upstream_.participants.OnParticipants(query_.api->record_schema().record,
                                        std::exchange(not_counted_, 0));
}

void Pager::FinishPage() {
  const absl::Status outcome = page_->Outcome();
  if (ReasonOf(outcome) == v1::ERROR_REASON_UPSTREAM_PAGE_EXPIRED && cursor_.CanRestart()) {
    return RestartList();
  }
  if (!outcome.ok()) return Retry(outcome);
  if (!link_seen_) {
    return FailPage(
        MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                  absl::StrCat("the provider's page has no member \"", layout_.link_member,
                               "\", so it does not say whether the list is complete")));
  }
  if (!cursor_.IsConsistentAtPageEnd(next_url_.empty())) return End(ListChanged());
  retry_.Progress();
  if (next_url_.empty()) return End(absl::OkStatus());
  if (absl::Status status = GoToNextPage(); !status.ok()) End(status);
}

std::string Pager::TargetOf(const std::string& url) const {
  return query_.api->base_url(upstream_.options.account).TargetOf(url);
}

absl::Status Pager::GoToNextPage() {
  if (cursor_.pages() == options_.limits.max_pages_per_list) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                     absl::StrCat("the list has more than ", options_.limits.max_pages_per_list,
                                  " pages (limits.max_pages_per_list)"));
  }
  const bool is_first = cursor_.pages() == 0 && cursor_.restarts() == 0;
  const auto kind = is_first ? ConcurrencyLimiter::Kind::kFirst : ConcurrencyLimiter::Kind::kNext;
  const std::string url = std::exchange(next_url_, {});
  if (!cursor_.BeginPage(TargetOf(url))) {
    return MakeError(v1::ERROR_REASON_UPSTREAM_BAD_NEXT_LINK,
                     "the provider's link to the next page leads back to a page already read");
  }
  link_seen_ = false;
  retry_.BeginPage();
  Leave(page_);
  // A prefetch that the limiter denied may be granted a permit now.
  if (next_page_ != nullptr && next_page_->request().denied()) Leave(next_page_);
  page_ = next_page_ != nullptr ? std::move(next_page_) : Ask({url, kind});
  page_->Open();
  return absl::OkStatus();
}

// Fetches the page again if the failure is transient and attempts are left.
void Pager::Retry(const absl::Status& failure) {
  const std::string url = page_->request().url();
  const bool new_connection = NeedsNewConnection(failure);
  page_->Reject(failure);
  Leave(page_);
  // A list that waits for a permit must not hold one: prefetches that wait for their lists could
  // use up all connections, and no list would go on.
  Leave(next_page_);
  // If the limiter refuses a new call, nothing was sent, and the call ends at once.
  const auto wait = totals_.attempts > 0
                        ? retry_.AfterFailure(
                              failure, query_.call.deadline.TimeLeft(transport_.scheduler().Now()))
                        : std::nullopt;
  if (!wait) {
    return End(retry_.page_is_exhausted()
                   ? WithMessage(failure, absl::StrCat(failure.message(), "; the page has failed ",
                                                       options_.retry.max_attempts_per_page,
                                                       " times (retry.max_attempts_per_page)"))
                   : failure);
  }
  upstream_.requests.OnRetry();
  cursor_.RefetchPage();
  next_url_.clear();
  link_seen_ = false;
  retry_timer_.Start(*wait, [this, url, new_connection] {
    page_ = Ask({url, ConcurrencyLimiter::Kind::kNext, new_connection});
    page_->Open();
  });
}

void Pager::RestartList() {
  cursor_.RestartList();
  Leave(next_page_);
  next_url_ = query_.first_url;
  if (absl::Status status = GoToNextPage(); !status.ok()) End(status);
}

void Pager::Leave(std::unique_ptr<PageFetch>& page) {
  if (page == nullptr) return;
  totals_.attempts += page->request().times_sent();
  if (page->request().answered()) {
    ++totals_.pages;
    upstream_.requests.OnPage();
  }
  page->Cancel();
  transport_.scheduler().DeleteLater(std::move(page));
}

void Pager::End(const absl::Status& status) {
  Finish(InUpstream(status, upstream_.options.account));
}

void Pager::Finish(const absl::Status& status) {
  ended_ = true;
  retry_timer_.Stop();
  Leave(page_);
  Leave(next_page_);
  CountParticipants();
  totals_.duplicates = cursor_.duplicates();
  sink_.OnListEnd(status, totals_);
}

}  // namespace rollcall::service
