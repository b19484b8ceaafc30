#include "service/net/base_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <cassert>
#include <charconv>
#include <cstddef>
#include <memory>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace rollcall::service {
namespace {

constexpr std::size_t kMaxUrlBytes = 8192;
// DNS's limit.
constexpr std::size_t kMaxHostBytes = 253;

struct UrlParts {
  std::string scheme;
  std::string host;
  std::string port;
  std::string path;
  std::string query;
};

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

// Refuses every byte on which URL parsers are known to disagree, so that libcurl and the server
// understand a URL in the same way.
absl::Status CheckBytes(absl::string_view url) {
  if (url.empty()) return Bad("must not be empty");
  if (url.size() > kMaxUrlBytes) {
    return Bad(absl::StrCat("must not be longer than ", kMaxUrlBytes, " bytes"));
  }
  for (const char c : url) {
    if (!absl::ascii_isascii(static_cast<unsigned char>(c))) {
      return Bad("must be ASCII: percent-encoded, and a host name in its xn-- form");
    }
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return Bad("must not contain spaces or control characters");
    }
    if (c == '\\') return Bad("must not contain backslashes");
    if (c == '#') return Bad("must not contain a fragment");
  }
  return absl::OkStatus();
}

// Checks the part between "://" and the path.
absl::Status CheckAuthority(absl::string_view authority) {
  if (authority.empty()) return Bad("must name a host");
  if (absl::StrContains(authority, '@')) return Bad("must not contain user information");
  for (const char c : authority) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && !absl::StrContains("-._:[]", c)) {
      return Bad(
          "must have a host of letters, digits, '-', '.' and '_', or an IPv6 address in brackets");
    }
  }
  return absl::OkStatus();
}

// Refuses paths that a proxy or server could read as another path than the one compared here.
absl::Status CheckPath(absl::string_view path) {
  if (absl::StartsWith(path, "//")) return Bad("must not have a path that begins with //");
  for (const absl::string_view segment : absl::StrSplit(path, '/')) {
    std::string decoded;
    for (std::size_t i = 0; i < segment.size(); ++i) {
      if (segment[i] != '%') {
        decoded.push_back(segment[i]);
        continue;
      }
      const absl::string_view digits = segment.substr(i + 1, 2);
      const char* const end = digits.data() + digits.size();
      unsigned char value = 0;
      if (digits.size() != 2 || std::from_chars(digits.data(), end, value, 16).ptr != end) {
        return Bad("must not have a '%' in its path that two hexadecimal digits do not follow");
      }
      const char byte = static_cast<char>(value);
      // An encoded '%' could become any of the others if a server behind a proxy decodes the path a
      // second time.
      if (byte == '/' || byte == '\\' || byte == '%' ||
          absl::ascii_iscntrl(static_cast<unsigned char>(byte))) {
        return Bad("must not have an encoded '/', '\\', '%' or control character in its path");
      }
      decoded.push_back(byte);
      i += 2;
    }
    // Some servers remove parameters from a segment first: "..;a" is ".." to them.
    const absl::string_view name = absl::string_view(decoded).substr(0, decoded.find(';'));
    if (name == "." || name == "..") return Bad("must not have . or .. as a segment of its path");
  }
  return absl::OkStatus();
}

// One part of a URL; empty if the URL does not have it.
std::string Part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, curl_free);
  return text;
}

// Splits an absolute URL that has passed CheckBytes().
absl::StatusOr<UrlParts> Split(const std::string& url) {
  absl::string_view rest = url;
  if (!absl::StartsWithIgnoreCase(rest, "https://") &&
      !absl::StartsWithIgnoreCase(rest, "http://")) {
    return Bad("must begin with https:// or http://");
  }
  rest.remove_prefix(rest.find("://") + 3);
  if (absl::Status s = CheckAuthority(rest.substr(0, rest.find_first_of("/?"))); !s.ok()) return s;

  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> handle(curl_url(), curl_url_cleanup);
  if (handle == nullptr) return absl::ResourceExhaustedError("no memory to parse a URL");
  // PATH_AS_IS keeps libcurl from resolving ".." before CheckPath() can refuse it.
  const CURLUcode code = curl_url_set(handle.get(), CURLUPART_URL, url.c_str(),
                                      CURLU_PATH_AS_IS | CURLU_DISALLOW_USER);
  if (code != CURLUE_OK) return Bad(absl::StrCat("is not a URL: ", curl_url_strerror(code)));

  UrlParts parts;
  parts.scheme = absl::AsciiStrToLower(Part(handle.get(), CURLUPART_SCHEME));
  parts.host = absl::AsciiStrToLower(Part(handle.get(), CURLUPART_HOST));
  parts.port = Part(handle.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  parts.path = Part(handle.get(), CURLUPART_PATH);
  parts.query = Part(handle.get(), CURLUPART_QUERY);
  if (parts.host.empty()) return Bad("must name a host");
  if (parts.host.size() > kMaxHostBytes) {
    return Bad(absl::StrCat("must not have a host longer than ", kMaxHostBytes, " bytes"));
  }
  // "example.com." and "example.com" are one host to DNS and two to certificates.
  if (parts.host.back() == '.') return Bad("must not have a host that ends with a dot");
  if (parts.port == "0") return Bad("must not have port 0");
  if (absl::Status s = CheckPath(parts.path); !s.ok()) return s;
  return parts;
}

// Splits a link, which is an absolute URL or a path of `origin`.
absl::StatusOr<UrlParts> SplitLink(absl::string_view link, absl::string_view origin) {
  if (absl::Status s = CheckBytes(link); !s.ok()) return s;
  if (absl::StartsWith(link, "//")) return Bad("must not begin with //");
  if (absl::StartsWith(link, "/")) return Split(absl::StrCat(origin, link));
  return Split(std::string(link));
}

absl::Status Differs(absl::string_view part, absl::string_view link, absl::string_view base) {
  return Bad(absl::StrCat("link leads to another ", part, ": ", link,
                          " where the configured base URL has ", base));
}

}  // namespace

absl::StatusOr<BaseUrl> BaseUrl::Parse(absl::string_view text) {
  if (absl::Status s = CheckBytes(text); !s.ok()) return s;
  if (absl::StrContains(text, '?')) return Bad("must not contain a query");
  absl::StatusOr<UrlParts> parts = Split(std::string(text));
  if (!parts.ok()) return parts.status();
  std::string& prefix = parts->path;
  while (absl::EndsWith(prefix, "/")) prefix.pop_back();
  return BaseUrl(std::move(parts->scheme), std::move(parts->host), std::move(parts->port),
                 std::move(prefix));
}

std::string BaseUrl::Join(absl::string_view path_and_query) const {
  assert(absl::StartsWith(path_and_query, "/"));
  return absl::StrCat(Origin(), prefix_, path_and_query);
}

std::string BaseUrl::TargetOf(absl::string_view url) const {
  const std::string base = Join("/");
  assert(absl::StartsWith(url, base));
  return std::string(url.substr(base.size() - 1));
}

absl::StatusOr<std::string> BaseUrl::Resolve(absl::string_view link) const {
  absl::StatusOr<UrlParts> parts = SplitLink(link, Origin());
  if (!parts.ok()) {
    return absl::Status(parts.status().code(), absl::StrCat("link ", parts.status().message()));
  }
  if (parts->scheme != scheme_) return Differs("scheme", parts->scheme, scheme_);
  if (parts->host != host_) return Differs("host", parts->host, host_);
  if (parts->port != port_) return Differs("port", parts->port, port_);
  absl::string_view below = parts->path;
  if (!absl::ConsumePrefix(&below, prefix_) || below.empty() || below.front() != '/') {
    return Bad(absl::StrCat("link leads to another path: not below ", prefix_,
                            " as the configured base URL has it"));
  }
  return absl::StrCat(Origin(), parts->path, parts->query.empty() ? "" : "?", parts->query);
}

std::string BaseUrl::host_and_port() const { return absl::StrCat(host_, ":", port_); }

std::string BaseUrl::ToString() const { return absl::StrCat(Origin(), prefix_); }

bool BaseUrl::is_loopback() const {
  if (host_ == "localhost" || host_ == "[::1]") return true;
  // Compares the first byte of the address; "127.example.com" is not an address.
  in_addr address{};
  return inet_pton(AF_INET, host_.c_str(), &address) == 1 && (ntohl(address.s_addr) >> 24) == 127;
}

std::string BaseUrl::Origin() const {
  const bool is_default = port_ == (scheme_ == "https" ? "443" : "80");
  return absl::StrCat(scheme_, "://", host_, is_default ? "" : ":", is_default ? "" : port_);
}

std::string EncodePathSegment(absl::string_view segment) {
  constexpr absl::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(segment.size());
  for (const char c : segment) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || absl::StrContains("-._~", c)) {
      encoded.push_back(c);
    } else {
      encoded.push_back('%');
      encoded.push_back(kHex[byte >> 4]);
      encoded.push_back(kHex[byte & 0xF]);
    }
  }
  return encoded;
}

void AppendQuery(std::string& target, absl::string_view name, absl::string_view value) {
  absl::StrAppend(&target, absl::StrContains(target, '?') ? "&" : "?", EncodePathSegment(name), "=",
                  EncodePathSegment(value));
}

}  // namespace rollcall::service
