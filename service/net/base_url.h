// Limits where requests with credentials may go.
//
// A BaseUrl is the origin and path prefix that the operator configured for one API of a provider.
// The configuration parses it once, and provider code joins paths to it. Every link from outside (a
// page's next link, a link in a resume token) passes through Resolve() before it is requested, so
// that credentials are sent to no other origin or path. Values are immutable, so any thread may use
// them.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {

class BaseUrl {
 public:
  // Parses "https://host[:port][/prefix]", or the same with http. A trailing slash is ignored.
  // Refuses user information, a query, a fragment, anything but printable ASCII, backslashes, and
  // paths that a server could resolve to another one ("..", also percent-encoded). An error never
  // repeats the text, which may contain a password.
  static absl::StatusOr<BaseUrl> Parse(absl::string_view text);

  // The URL of a path below the prefix, with or without a query. The path begins with '/' and must
  // be encoded: by EncodePathSegment() and AppendQuery() in its variable parts.
  std::string Join(absl::string_view path_and_query) const;

  // The inverse of Join(), for a URL that Join() or Resolve() returned.
  std::string TargetOf(absl::string_view url) const;

  // Turns a link, absolute or beginning with one '/', into the absolute URL to request. Refuses a
  // link that leaves this scheme, host, port or path prefix, or that two parsers could understand
  // differently. The prefix is compared byte by byte, without decoding. An error names the part
  // that differs, and never repeats the link's path or query, which may contain personal data.
  absl::StatusOr<std::string> Resolve(absl::string_view link) const;

  // "insights.twilio.com:443", for logs.
  std::string host_and_port() const;

  // The URL in its canonical form: lower-case host, no default port, no trailing slash.
  std::string ToString() const;

  // Whether requests travel unencrypted.
  bool is_plaintext() const { return scheme_ == "http"; }

  // Whether the host is localhost, or an address in 127.0.0.0/8 or [::1].
  bool is_loopback() const;

 private:
  BaseUrl(std::string scheme, std::string host, std::string port, std::string prefix)
      : scheme_(std::move(scheme)),
        host_(std::move(host)),
        port_(std::move(port)),
        prefix_(std::move(prefix)) {}

  std::string Origin() const;

  std::string scheme_;  // "http" or "https"
  std::string host_;    // in lower case; an IPv6 address in brackets
  std::string port_;    // always set, without leading zeros
  std::string prefix_;  // empty, or begins with '/' and does not end with one
};

// Encodes one segment of a path: RFC 3986's unreserved characters stay, all other bytes become %XX.
// Servers resolve "." and ".." even if they are encoded, so a segment must not be one of these.
std::string EncodePathSegment(absl::string_view segment);

// Appends `name=value` to the query of `target`, starting a query if it has none. Encodes both as
// EncodePathSegment() does.
void AppendQuery(std::string& target, absl::string_view name, absl::string_view value);

}  // namespace rollcall::service
