#include "service/upstream/participant_fetch.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "service/error/error.h"
#include "service/record/record_decoder.h"

namespace rollcall {

ParticipantFetch::ParticipantFetch(HttpClient& client, const Limits& limits, GetQuery query,
                                   ParticipantMonitor& monitor, v1::Participant& participant,
                                   Done done)
    : limits_(limits),
      query_(std::move(query)),
      monitor_(monitor),
      participant_(participant),
      done_(std::move(done)) {
  const UpstreamConfig& upstream = *query_.upstream;
  transfer_ = client.Get({query_.url, upstream.username, upstream.password,
                          upstream.connect_timeout, upstream.idle_timeout},
                         *this);
}

void ParticipantFetch::OnHead(const HttpResponse& response) { answer_.TakeHead(response); }

bool ParticipantFetch::OnBody(absl::string_view bytes) {
  if (!answer_.ok()) {
    answer_.TakeBody(bytes);
    return true;
  }
  body_.append(bytes.data(), bytes.size());
  if (body_.size() > limits_.max_record_bytes) {
    End(MakeError(v1::ERROR_REASON_UPSTREAM_LIMIT_EXCEEDED,
                  absl::StrCat("the record is over ", limits_.max_record_bytes,
                               " bytes (limits.max_record_bytes)")));
  }
  return true;
}

void ParticipantFetch::OnDone(absl::Status status) {
  if (!status.ok()) return End(status);
  if (!answer_.ok()) return End(answer_.ToStatus(*query_.upstream, absl::Now()));
  End(Decode());
}

absl::Status ParticipantFetch::Decode() {
  RecordDecoder decoder(query_.api->record_schema(), query_.selection, query_.upstream->strict);
  const size_t size = body_.size();
  body_.append(RecordDecoder::kPadding, '\0');
  const absl::Status status = decoder.Decode(absl::string_view(body_.data(), size), participant_);
  monitor_.OnParticipant(participant_);  // an unrecognized value may be the error
  return status;
}

void ParticipantFetch::End(const absl::Status& status) {
  transfer_.reset();
  // The last thing done: it may destroy this fetch.
  done_(InUpstream(status, *query_.upstream));
}

}  // namespace rollcall
