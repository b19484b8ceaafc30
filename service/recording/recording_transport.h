// An HttpTransport that passes everything on to another one, and records the responses that pass.
// The server puts it in front of each event loop's transport if the operator asks for a recording.
// Runs on the scheduler's thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "service/http/http_transport.h"
#include "service/provider/account.h"
#include "service/recording/recording.h"

namespace rollcall::service {

class RecordingTransport final : public HttpTransport {
 public:
  // `recording` and `accounts` must outlive the transport.
  RecordingTransport(std::unique_ptr<HttpTransport> transport, Recording& recording,
                     const std::vector<Account>& accounts)
      : transport_(std::move(transport)), recording_(recording), accounts_(accounts) {}

  // Records what the receiver accepts. A request without a known `upstream` and `api` cannot be
  // redacted, so it is not recorded; nor is any request after the recording has ended.
  std::unique_ptr<Transfer> Get(const HttpRequest& request, Receiver& receiver) override;

  Scheduler& scheduler() override { return transport_->scheduler(); }

 private:
  std::shared_ptr<Recording::Answer> Begin(const HttpRequest& request);

  const std::unique_ptr<HttpTransport> transport_;
  Recording& recording_;
  const std::vector<Account>& accounts_;
};

}  // namespace rollcall::service
