#include "service/net/listen_address.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "service/net/base_url.h"
#include "service/net/unix_socket.h"

namespace rollcall::service {
namespace {

template <class Accepts>
bool AllCharacters(absl::string_view text, Accepts accepts) {
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return accepts(static_cast<unsigned char>(c)); });
}

}  // namespace

bool IsHostAndPort(absl::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return false;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  int number = 0;
  if (port.empty() || port.size() > 5 || !AllCharacters(port, absl::ascii_isdigit) ||
      !absl::SimpleAtoi(port, &number) || number > 65535) {
    return false;
  }
  if (absl::ConsumePrefix(&host, "[")) {
    return absl::ConsumeSuffix(&host, "]") && !host.empty() &&
           AllCharacters(host, [](unsigned char c) {
             return absl::ascii_isxdigit(c) || c == ':' || c == '.';
           });
  }
  return !host.empty() && AllCharacters(host, [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsListenAddress(absl::string_view text) {
  return IsHostAndPort(text) || IsUnixSocketAddress(text);
}

bool IsLoopback(absl::string_view host_and_port) {
  const absl::StatusOr<BaseUrl> url =
      BaseUrl::Parse(absl::StrCat("http://", host_and_port.substr(0, host_and_port.rfind(':'))));
  return url.ok() && url->is_loopback();
}

}  // namespace rollcall::service
