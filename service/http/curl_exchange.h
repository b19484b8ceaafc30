// One request of a CurlTransport: a Transfer, its CURL handle and the handle's callbacks.
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

namespace rollcall::service {

class CurlExchange final : public HttpTransport::Transfer, private HttpResponse {
 public:
  // Passes nothing to libcurl's multi handle yet.
  CurlExchange(CurlTransport& transport, const HttpRequest& request,
               HttpTransport::Receiver& receiver);
  ~CurlExchange() override;
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  void Cancel() override;
  void Resume() override;
  void DistrustConnection() override;

  CURL* easy() const { return easy_.get(); }

  // An error if libcurl rejected an option. The request must not be sent then.
  absl::Status SetupStatus() const;

  // Ends the exchange with this error, from the event loop.
  void FailSoon(const absl::Status& status);

  // Prepares to send the request again on a new connection, if a reused one had unread input or
  // brought another request's response. False if the transfer is over.
  bool StartOver(CURLcode result);

  // libcurl has ended the transfer, and its handle is removed from the multi handle.
  void Finish(CURLcode result);

  // Where the exchange is on its way to the address of its host. An exchange that reuses a
  // connection, or whose host is in libcurl's DNS cache, needs no lookup.
  enum class Lookup {
    kNone,     // has not begun, or is over
    kRefused,  // all permits were held, so OnLookup() has ended the transfer
    kWaiting,  // for a permit; not passed to libcurl
    kGranted,  // holds a permit
    kRunning,  // holds a permit; libcurl has a thread for it
  };
  Lookup lookup() const { return lookup_; }
  void SetLookup(Lookup lookup) { lookup_ = lookup; }
  // Whose address is looked up, as a key.
  const std::string& host() const { return host_; }

  // Releases the handle of a transfer whose lookup is running, which stays in the multi handle and
  // does not call the exchange any more. After the lookup libcurl ends it without connecting.
  CURL* AbandonLookup();

 private:
  // libcurl's callbacks; `self` is the exchange.
  static int OnLookup(void* resolver, void* reserved, void* self);
  static int OnOpenSocket(void* self, int socket, curlsocktype purpose);
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

  void Fail(const absl::Status& status);
  void End(const absl::Status& status);
  void FreeHandle();
  void FreePausedBody();

  void StartIdleTimer();
  Scheduler::Clock::time_point TimeoutAt() const;

  bool MayLookUp();
  bool MaySendOn(const Connections::Ends& ends);
  SSL* Tls() const;
  bool IsNotItsResponse() const;

  size_t TakeHeader(absl::string_view line);
  absl::Status CheckHeader(absl::string_view line) const;
  void DeliverHead();
  size_t DeliverBody(absl::string_view bytes);

  CurlTransport& transport_;
  HttpTransport::Receiver* receiver_;  // null once the transfer has ended or was cancelled
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
  // Null once OnDone() has returned, or the lookup is abandoned.
  std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> easy_;
  CURLcode setup_ = CURLE_OK;  // the first error
  const bool may_use_https_proxy_;
  const std::string host_;
  Lookup lookup_ = Lookup::kNone;
  const std::chrono::milliseconds connect_timeout_;
  const std::chrono::milliseconds idle_timeout_;
  Scheduler::Clock::time_point start_;
  bool sent_ = false;                        // has a connection
  Scheduler::Clock::time_point last_bytes_;  // sent or received
  Timer idle_timer_;
  // Of all heads of the response, with 1xx and trailers.
  size_t header_bytes_ = 0;
  int header_lines_ = 0;
  absl::Status refusal_;  // why the response is refused; OK if it is not
  bool head_delivered_ = false;
  bool paused_ = false;
  std::shared_ptr<Connection> connection_;  // null before the request is sent, and with HTTP/2
  bool is_http2_ = false;
  bool reuses_connection_ = false;
  bool not_its_response_ = false;  // a response began that belongs to another request
};

}  // namespace rollcall::service
