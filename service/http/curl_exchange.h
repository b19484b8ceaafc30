// One request of a CurlTransport: its CURL handle, the handle's callbacks, and its Transfer.
#pragma once

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/http/connections.h"
#include "service/http/curl_transport.h"

namespace rollcall {

class CurlExchange;

class CurlTransfer final : public HttpTransport::Transfer {
 public:
  CurlTransfer(CurlTransport& transport, CurlExchange& exchange);
  ~CurlTransfer() override;

  void Resume() override;
  void DistrustConnection() override;

 private:
  friend class CurlExchange;

  CurlTransport& transport_;
  CurlExchange* exchange_;                  // null once it has ended
  std::shared_ptr<Connection> connection_;  // null before the request is sent, and with HTTP/2
};

// Lives until its handle may be removed from libcurl, which can be after its transfer is gone.
class CurlExchange final : private HttpResponse {
 public:
  // Passes nothing to libcurl's multi handle yet.
  CurlExchange(CurlTransport& transport, const HttpRequest& request,
               HttpTransport::Receiver& receiver);
  ~CurlExchange() = default;
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  CURL* easy() const { return easy_.get(); }

  // An error if libcurl rejected an option. The request must not be sent then.
  absl::Status SetupStatus() const;

  // Ends the exchange with this error, but not from here.
  void FailSoon(const absl::Status& status);

  void set_transfer(CurlTransfer* transfer) { transfer_ = transfer; }

  // Neither the receiver nor the transfer is used any more.
  void Detach() {
    receiver_ = nullptr;
    transfer_ = nullptr;
  }

  void Resume();

  // Prepares to send the request again on a new connection, if a reused one brought, or had
  // waiting, something else than its response. False if the transfer is over.
  bool StartOver(CURLcode result);

  // libcurl has ended the transfer.
  void Finish(CURLcode result);

  // Calls the receiver's OnDone().
  void End(const absl::Status& status);

 private:
  // libcurl's callbacks; `self` is the exchange.
  static int OnConnection(void* self, char* remote_ip, char* local_ip, int remote_port,
                          int local_port);
  static size_t OnHeader(char* data, size_t one, size_t size, void* self);
  static size_t OnWrite(char* data, size_t one, size_t size, void* self);

  int status() const override;
  std::optional<std::string> header(const char* name) const override;

  template <class T>
  void Set(CURLoption option, T value);
  void SetTls(const HttpRequest& request);
  void SetProxy(const HttpRequest& request);
  void SetCallbacks();

  void StartIdleTimer();
  std::optional<Scheduler::Clock::time_point> WhenSent() const;
  Scheduler::Clock::time_point TimeoutAt() const;

  bool MaySendOn(const Connections::Ends& ends);
  void UseConnection(std::shared_ptr<Connection> connection);
  SSL* Tls() const;
  bool IsNotItsResponse() const;

  size_t TakeHeader(absl::string_view line);
  void DeliverHead();
  size_t DeliverBody(absl::string_view bytes);

  CurlTransport& transport_;
  HttpTransport::Receiver* receiver_;  // null after Detach()
  CurlTransfer* transfer_ = nullptr;   // likewise
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  CURLcode setup_ = CURLE_OK;  // the first error
  const bool may_use_https_proxy_;
  const std::chrono::milliseconds connect_timeout_;
  const std::chrono::milliseconds idle_timeout_;
  Scheduler::Clock::time_point start_;
  Scheduler::Clock::time_point last_bytes_;
  Timer idle_timer_;
  size_t header_bytes_ = 0;
  bool head_delivered_ = false;
  bool paused_ = false;
  std::shared_ptr<Connection> connection_;  // as in the transfer
  bool reuses_connection_ = false;
  bool not_its_response_ = false;  // a response began that belongs to another request
};

}  // namespace rollcall
