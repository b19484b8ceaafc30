// An answer of a provider that is not the document asked for, and the error that it becomes. Used
// by the pager and by GetParticipant, on an event loop's thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/config/config.h"
#include "service/http/http_transport.h"

namespace rollcall {

class ProviderAnswer {
 public:
  // Keeps what an error may need of the head.
  void TakeHead(const HttpResponse& response);

  // Keeps the beginning of the body. False where that is enough, however much more there is.
  bool TakeBody(absl::string_view bytes);

  // 0 where there is no answer.
  int http_status() const { return http_status_; }
  bool has_head() const { return http_status_ != 0; }

  // Whether the answer is the document asked for.
  bool ok() const { return http_status_ == 200; }

  // What an answer that is not ok() means, to a request for `url`. The provider's own words are not
  // passed on, since they can repeat what was asked for, which may be personal data; its error code
  // is.
  absl::Status ToStatus(const UpstreamConfig& upstream, absl::string_view url,
                        absl::Time now) const;

 private:
  int http_status_ = 0;
  std::string retry_after_;
  std::string date_;
  std::string request_id_;
  std::string body_;
};

// `status` as an error of this upstream: named in the message and in the details.
absl::Status InUpstream(const absl::Status& status, const UpstreamConfig& upstream);

}  // namespace rollcall
