// Collects a provider's response and converts an error response to a status. Runs on an event
// loop's thread.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "service/http/http_transport.h"
#include "service/provider/account.h"

namespace rollcall::service {

class ProviderAnswer {
 public:
  // Stores the status and the headers that ToStatus() needs.
  void TakeHead(const HttpResponse& response);

  // Stores the beginning of the body. Returns false once it needs no more bytes.
  bool TakeBody(absl::string_view bytes);

  // 0 if there is no response yet.
  int http_status() const { return http_status_; }
  bool has_head() const { return http_status_ != 0; }

  // Whether the status is 200, the only one with the requested document.
  bool ok() const { return http_status_ == 200; }

  // Converts a response that is not ok() to an error. `url` is the request's. The error has the
  // provider's error code but not its message, which may repeat personal data of the request.
  absl::Status ToStatus(const Account& account, absl::string_view url, absl::Time now) const;

 private:
  int http_status_ = 0;
  std::string retry_after_;
  std::string date_;
  std::string request_id_;
  std::string body_;
};

// Adds the upstream's name to the message and the details of `status`.
absl::Status InUpstream(const absl::Status& status, const Account& account);

}  // namespace rollcall::service
