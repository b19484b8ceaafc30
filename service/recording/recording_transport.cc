#include "service/recording/recording_transport.h"

#include <utility>

#include "service/provider/participant_api.h"

namespace rollcall::service {
namespace {

// Receives the response, records it, and passes it on to the receiver of the request.
class RecordedTransfer final : public HttpTransport::Transfer, private HttpTransport::Receiver {
 public:
  RecordedTransfer(HttpTransport& transport, const HttpRequest& request,
                   HttpTransport::Receiver& receiver, std::shared_ptr<Recording::Answer> answer)
      : receiver_(receiver), answer_(std::move(answer)), transfer_(transport.Get(request, *this)) {}

  void Cancel() override {
    answer_.reset();  // The rest of the response is not recorded.
    transfer_->Cancel();
  }
  void Resume() override { transfer_->Resume(); }
  void DistrustConnection() override { transfer_->DistrustConnection(); }

 private:
  void OnHead(const HttpResponse& response) override {
    answer_->TakeHead(response);
    receiver_.OnHead(response);
  }

  bool OnBody(absl::string_view bytes) override {
    // Not only answer_, which Cancel() resets: bytes that the receiver has accepted are recorded.
    const std::shared_ptr<Recording::Answer> answer = answer_;
    if (!receiver_.OnBody(bytes)) return false;
    answer->TakeBody(bytes);
    return true;
  }

  void OnDone(absl::Status status) override {
    answer_->Finish(status.ok());
    receiver_.OnDone(std::move(status));
  }

  HttpTransport::Receiver& receiver_;
  std::shared_ptr<Recording::Answer> answer_;                // null after Cancel()
  const std::unique_ptr<HttpTransport::Transfer> transfer_;  // destroyed first
};

}  // namespace

std::shared_ptr<Recording::Answer> RecordingTransport::Begin(const HttpRequest& request) {
  for (const Account& account : accounts_) {
    if (account.name != request.upstream) continue;
    for (const ParticipantApi* api : ApisOf(account.provider)) {
      if (api->name() == request.api) return recording_.Begin(*api, account, request.url);
    }
  }
  return nullptr;
}

std::unique_ptr<HttpTransport::Transfer> RecordingTransport::Get(const HttpRequest& request,
                                                                 Receiver& receiver) {
  std::shared_ptr<Recording::Answer> answer = Begin(request);
  if (answer == nullptr) return transport_->Get(request, receiver);
  return std::make_unique<RecordedTransfer>(*transport_, request, receiver, std::move(answer));
}

}  // namespace rollcall::service
