// Limits where requests with credentials may go.
//
// A BaseUrl is the origin and path prefix that the operator configured for one API of a provider.
// The configuration parses it once; provider code joins paths to it, and every link that comes from
// outside (a page's next link, a link kept in a resume token, a redirect) goes through Resolve()
// before it is requested, so that credentials reach no other origin or path. Values are immutable,
// so any thread may use them.
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {

class BaseUrl {
 public:
  // Reads "https://host[:port][/prefix]", or the same with http. A trailing slash means nothing.
  // Refuses user information, a query, a fragment, anything but printable ASCII, backslashes, and
  // paths that a server could read as leading elsewhere ("..", also percent-encoded). An error
  // never repeats the text, which may hold a password.
  static absl::StatusOr<BaseUrl> Parse(absl::string_view text);

  // The URL of a path below the prefix, with or without a query. The path begins with '/' and is
  // already encoded: its variable parts come from EncodePathSegment() and AppendQuery().
  std::string Join(absl::string_view path_and_query) const;

  // The path and query of a URL that Join() or Resolve() gave, such that Join() gives it again.
  std::string TargetOf(absl::string_view url) const;

  // Turns a link, absolute or beginning with one '/', into the absolute URL to request. Refuses a
  // link that leaves this scheme, host, port or path prefix, or that two parsers could understand
  // differently. The prefix is compared as it is written, without decoding. An error names the part
  // that differs and never repeats the link's path or query, which may hold personal data.
  absl::StatusOr<std::string> Resolve(absl::string_view link) const;

  // "insights.twilio.com:443", for logs.
  std::string host_and_port() const;

  // The whole in its canonical form: lower-case host, no default port, no trailing slash.
  std::string ToString() const;

  // Whether requests travel unencrypted.
  bool is_plaintext() const { return scheme_ == "http"; }

  // Whether the host is this machine by its name or address: localhost, 127.0.0.0/8 or [::1].
  bool is_loopback() const;

 private:
  BaseUrl(std::string scheme, std::string host, std::string port, std::string prefix)
      : scheme_(std::move(scheme)),
        host_(std::move(host)),
        port_(std::move(port)),
        prefix_(std::move(prefix)) {}

  std::string Origin() const;

  std::string scheme_;  // "http" or "https"
  std::string host_;    // in lower case, an IPv6 address in its brackets
  std::string port_;    // always set, without leading zeros
  std::string prefix_;  // empty, or begins with '/' and does not end with one
};

// Encodes one segment of a path: RFC 3986's unreserved characters stay, all other bytes become %XX.
// No encoding stops servers from reading "." and ".." as steps, so a segment must have more to it
// than one or two dots.
std::string EncodePathSegment(absl::string_view segment);

// Appends `name=value` to the query of `target`, starting a query if it has none. Encodes both as
// EncodePathSegment() does.
void AppendQuery(std::string& target, absl::string_view name, absl::string_view value);

}  // namespace rollcall::service
