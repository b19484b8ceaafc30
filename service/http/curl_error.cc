#include "service/http/curl_error.h"

#include <openssl/x509.h>

#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "service/error/error.h"

namespace rollcall::service {
namespace {

constexpr long kProxyAuthenticationRequired = 407;

}  // namespace

absl::Status ErrorOf(CURL* easy, CURLcode code) {
  long proxy_status = 0;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  if (proxy_status >= 300) {
    return MakeError(
        v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
        absl::StrCat("the proxy refused to connect to the provider (HTTP ", proxy_status, ")",
                     proxy_status == kProxyAuthenticationRequired
                         ? "; the service's operator must set credentials in HTTPS_PROXY"
                         : ""));
  }
  switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION: {
      // libcurl leaves it unspecified if the signatures are valid, but the name is not.
      long result = X509_V_ERR_UNSPECIFIED;
      curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
      return MakeError(
          v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED,
          absl::StrCat("the provider's certificate is not trusted (",
                       result == X509_V_ERR_UNSPECIFIED ? "it is not for this host"
                                                        : X509_verify_cert_error_string(result),
                       "); the service's operator must check the base URL and ca_file"));
    }
    case CURLE_SSL_CACERT_BADFILE:
      return MakeError(v1::ERROR_REASON_UPSTREAM_NOT_TRUSTED,
                       "the file of trusted certificates cannot be read; the service's operator "
                       "must check ca_file");
    case CURLE_SSL_CONNECT_ERROR:
      return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "TLS handshake with the provider failed: no common version, or the "
                       "connection broke");
    case CURLE_OPERATION_TIMEDOUT:
      return MakeError(v1::ERROR_REASON_UPSTREAM_TIMEOUT,
                       "connecting to the provider timed out (connect_timeout_seconds)");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the proxy's host name cannot be resolved; the service's operator must "
                       "check proxy, or HTTPS_PROXY");
    case CURLE_COULDNT_RESOLVE_HOST:
      return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the provider's host name cannot be resolved");
    case CURLE_COULDNT_CONNECT: {
      long error = 0;  // an errno
      curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &error);
      return MakeError(
          v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
          absl::StrCat(
              "connection to the provider failed",
              error == 0 ? "" : ": " + std::generic_category().message(static_cast<int>(error))));
    }
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the connection to the provider broke before its response was complete");
    case CURLE_ABORTED_BY_CALLBACK:
      return MakeError(v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
                       "the provider sent data on a new connection before the request, or closed "
                       "it; no request was sent");
    // Newer versions of libcurl refuse encodings themselves.
    case CURLE_BAD_CONTENT_ENCODING:
      return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                       "the provider's response has a transfer encoding other than chunked");
    // The first is libcurl's error for a head that is too large for it.
    case CURLE_OUT_OF_MEMORY:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
      return MakeError(v1::ERROR_REASON_UPSTREAM_MALFORMED_RESPONSE,
                       "the provider's response is not HTTP, or its head is too large");
    default:
      return MakeError(
          v1::ERROR_REASON_UPSTREAM_UNREACHABLE,
          absl::StrCat("the request to the provider failed: ", curl_easy_strerror(code)));
  }
}

}  // namespace rollcall::service
