#include "service/upstream/participant_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/error/error.h"
#include "service/record/record_decoder.h"

namespace rollcall {

ParticipantFetch::ParticipantFetch(HttpClient& client, const Config& config, GetQuery query,
                                   ParticipantMonitor& monitor, v1::Participant& participant,
                                   Done done)
    : client_(client),
      config_(config),
      query_(std::move(query)),
      monitor_(monitor),
      participant_(participant),
      done_(std::move(done)),
      retry_(config.retry, &RandomFraction) {
  Ask();
}

ParticipantFetch::~ParticipantFetch() {
  if (retry_timer_) client_.loop().Cancel(*retry_timer_);
}

void ParticipantFetch::Ask() {
  answer_ = ProviderAnswer();
  body_.clear();
  const UpstreamConfig& upstream = *query_.upstream;
  transfer_ = client_.Get({query_.url, upstream.username, upstream.password,
                           upstream.connect_timeout, upstream.idle_timeout},
                          *this);
}

void ParticipantFetch::OnHead(const HttpResponse& response) { answer_.TakeHead(response); }

bool ParticipantFetch::OnBody(absl::string_view bytes) {
  if (!answer_.ok()) {
    if (!answer_.TakeBody(bytes)) {
      transfer_.reset();
      OnDone(absl::OkStatus());  // the last thing done: it may destroy this fetch
    }
    return true;
  }
  body_.append(bytes.data(), bytes.size());
  if (body_.size() > config_.limits.max_record_bytes) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                  absl::StrCat("the record is over ", config_.limits.max_record_bytes,
                               " bytes (limits.max_record_bytes)")));
  }
  return true;
}

void ParticipantFetch::OnDone(absl::Status status) {
  // A status that refuses says enough, even where its body breaks.
  if (answer_.has_head() && !answer_.ok()) {
    return RetryOrEnd(answer_.ToStatus(*query_.upstream, absl::Now()));
  }
  if (!status.ok()) return RetryOrEnd(status);
  End(Decode());
}

void ParticipantFetch::RetryOrEnd(const absl::Status& failure) {
  const auto wait = retry_.AfterFailure(failure, query_.deadline.TimeLeft());
  if (!wait) return End(failure);
  retry_timer_ = client_.loop().After(*wait, [this] {
    retry_timer_.reset();
    Ask();
  });
}

absl::Status ParticipantFetch::Decode() {
  RecordDecoder decoder(query_.api->record_schema(), query_.selection, query_.upstream->strict);
  const size_t size = body_.size();
  body_.append(RecordDecoder::kPadding, '\0');
  absl::Status status = decoder.Decode(absl::string_view(body_.data(), size), participant_);
  monitor_.OnParticipant(participant_);  // an unrecognized value may be the error
  return status;
}

void ParticipantFetch::End(const absl::Status& status) {
  transfer_.reset();
  // The last thing done: it may destroy this fetch.
  done_(InUpstream(status, *query_.upstream));
}

}  // namespace rollcall
