// A transport whose server is the test: it sees each request and plays the response. Bytes that the
// receiver refuses wait, as they would on a socket, until the transfer is resumed. The test fails
// if a transfer is destroyed inside a callback.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/http_transport.h"
#include "tests/fakes/fake_scheduler.h"

namespace rollcall::service {

class FakeTransport final : public HttpTransport {
 public:
  class Exchange;

  // Called with each request as it is sent. It must not respond before it returns.
  using Server = std::function<void(const std::shared_ptr<Exchange>& request)>;

  explicit FakeTransport(FakeScheduler& scheduler, Server server = nullptr)
      : scheduler_(scheduler), server_(std::move(server)) {}

  std::unique_ptr<Transfer> Get(const HttpRequest& request, Receiver& receiver) override;
  FakeScheduler& scheduler() override { return scheduler_; }

  // All requests so far, in order.
  const std::vector<std::shared_ptr<Exchange>>& requests() const { return requests_; }
  Exchange& last() const { return *requests_.back(); }

 private:
  class FakeTransfer;

  FakeScheduler& scheduler_;
  const Server server_;
  std::vector<std::shared_ptr<Exchange>> requests_;
  // How many callbacks of this transport's transfers are on the stack. Shared with the exchanges,
  // because transfers that wait for their deletion can outlive the transport at a test's end.
  const std::shared_ptr<int> callbacks_ = std::make_shared<int>(0);
};

class FakeTransport::Exchange final : private HttpResponse {
 public:
  using Headers = std::map<std::string, std::string>;

  // Headers that show where the body ends.
  static Headers Chunked() { return {{"Transfer-Encoding", "chunked"}}; }

  Exchange(std::string url, bool new_connection, Receiver& receiver, std::shared_ptr<int> callbacks)
      : url_(std::move(url)),
        new_connection_(new_connection),
        receiver_(&receiver),
        callbacks_(std::move(callbacks)) {}

  const std::string& url() const { return url_; }
  bool new_connection() const { return new_connection_; }

  // These have no effect once the request is cancelled or has ended.

  void Head(int status, Headers headers = Chunked()) {
    if (receiver_ == nullptr) return;
    status_ = status;
    headers_ = std::move(headers);
    Call([this] { receiver_->OnHead(*this); });
  }
  void Body(absl::string_view bytes) {
    waiting_.append(bytes.data(), bytes.size());
    if (!paused_) Deliver();
  }
  void End(absl::Status status = absl::OkStatus()) {
    end_ = std::move(status);
    if (!paused_) Deliver();
  }
  // A complete response.
  void Respond(int status, absl::string_view body, Headers headers = Chunked()) {
    Head(status, std::move(headers));
    Body(body);
    End();
  }

  bool is_in_flight() const { return receiver_ != nullptr; }
  bool is_paused() const { return paused_; }
  bool was_paused() const { return was_paused_; }
  bool is_distrusted() const { return distrusted_; }

 private:
  friend class FakeTransfer;

  int status() const override { return status_; }
  std::optional<std::string> header(const char* name) const override {
    const auto found = headers_.find(name);
    if (found == headers_.end()) return std::nullopt;
    return found->second;
  }

  void Resume() {
    paused_ = false;
    Deliver();
  }

  template <class Callback>
  void Call(Callback callback) {
    ++*callbacks_;
    callback();
    --*callbacks_;
  }

  void Deliver() {
    if (receiver_ != nullptr && !waiting_.empty()) {
      const std::string bytes = std::exchange(waiting_, {});
      bool taken = false;
      Call([&] { taken = receiver_->OnBody(bytes); });
      if (!taken) {
        paused_ = was_paused_ = true;
        waiting_ = bytes;
        return;
      }
    }
    if (receiver_ != nullptr && end_) {
      Call([this] { std::exchange(receiver_, nullptr)->OnDone(*end_); });
    }
  }

  const std::string url_;
  const bool new_connection_;
  Receiver* receiver_;  // null once the request is cancelled or has ended
  const std::shared_ptr<int> callbacks_;
  int status_ = 0;
  Headers headers_;
  std::string waiting_;
  bool paused_ = false;
  bool was_paused_ = false;  // ever
  bool distrusted_ = false;
  std::optional<absl::Status> end_;
};

class FakeTransport::FakeTransfer final : public Transfer {
 public:
  explicit FakeTransfer(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  ~FakeTransfer() override {
    EXPECT_EQ(*exchange_->callbacks_, 0) << "a transfer was destroyed inside a callback";
    Cancel();
  }

  void Cancel() override { exchange_->receiver_ = nullptr; }
  void Resume() override { exchange_->Resume(); }
  void DistrustConnection() override { exchange_->distrusted_ = true; }

 private:
  const std::shared_ptr<Exchange> exchange_;
};

inline std::unique_ptr<HttpTransport::Transfer> FakeTransport::Get(const HttpRequest& request,
                                                                   Receiver& receiver) {
  requests_.push_back(
      std::make_shared<Exchange>(request.url, request.new_connection, receiver, callbacks_));
  auto transfer = std::make_unique<FakeTransfer>(requests_.back());
  if (server_) server_(requests_.back());
  return transfer;
}

}  // namespace rollcall::service
