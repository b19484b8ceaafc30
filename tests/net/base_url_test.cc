#include "service/net/base_url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace rollcall::service {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

BaseUrl Url(absl::string_view text) {
  absl::StatusOr<BaseUrl> url = BaseUrl::Parse(text);
  EXPECT_TRUE(url.ok()) << text << ": " << url.status();
  return *url;
}

struct Refused {
  absl::string_view text;
  absl::string_view why;
};

TEST(BaseUrlParse, CanonicalForm) {
  struct {
    absl::string_view text, canonical, host_and_port;
  } const cases[] = {
      {"https://insights.twilio.com", "https://insights.twilio.com", "insights.twilio.com:443"},
      {"https://insights.twilio.com/", "https://insights.twilio.com", "insights.twilio.com:443"},
      {"HTTPS://Insights.Twilio.COM", "https://insights.twilio.com", "insights.twilio.com:443"},
      {"https://insights.twilio.com:443", "https://insights.twilio.com", "insights.twilio.com:443"},
      {"https://insights.twilio.com:0443/", "https://insights.twilio.com",
       "insights.twilio.com:443"},
      {"https://insights.twilio.com:80", "https://insights.twilio.com:80",
       "insights.twilio.com:80"},
      {"http://simulator_1:8080", "http://simulator_1:8080", "simulator_1:8080"},
      {"https://gateway/Twilio/insights/", "https://gateway/Twilio/insights", "gateway:443"},
      {"https://gateway/a///", "https://gateway/a", "gateway:443"},
      {"http://[::1]:8080/x", "http://[::1]:8080/x", "[::1]:8080"},
      {"http://[0:0::0001]", "http://[::1]", "[::1]:80"},
      {"http://[2001:DB8::1]", "http://[2001:db8::1]", "[2001:db8::1]:80"},
      {"https://xn--bcher-kva.example", "https://xn--bcher-kva.example",
       "xn--bcher-kva.example:443"},
      {"https://host/a%20b/..c/.d", "https://host/a%20b/..c/.d", "host:443"},
  };
  for (const auto& c : cases) {
    const BaseUrl url = Url(c.text);
    EXPECT_EQ(url.ToString(), c.canonical);
    EXPECT_EQ(url.host_and_port(), c.host_and_port);
    EXPECT_EQ(Url(url.ToString()).ToString(), c.canonical);
  }
}

TEST(BaseUrlParse, Refuses) {
  const std::string overlong = absl::StrCat("https://host/", std::string(8180, 'a'));
  const std::string long_host = absl::StrCat("https://", std::string(254, 'a'));
  const Refused cases[] = {
      {"", "must not be empty"},
      {overlong, "must not be longer than 8192 bytes"},
      {"insights.twilio.com", "must begin with https:// or http://"},
      {"/v1", "must begin with"},
      {"ftp://host", "must begin with"},
      {"file:///etc/passwd", "must begin with"},
      {"httpss://host", "must begin with"},
      {"https:host", "must begin with"},
      {"https:/host", "must begin with"},
      {"://host", "must begin with"},
      {"https://", "must name a host"},
      {"https:///host", "must name a host"},
      {"https://?x", "must not contain a query"},
      {"https://:443", "is not a URL"},
      {"https://user:hunter2@host", "must not contain user information"},
      {"https://hunter2@host", "must not contain user information"},
      {"https://@host", "must not contain user information"},
      {"https://host?hunter2", "must not contain a query"},
      {"https://host/?", "must not contain a query"},
      {"https://host/#hunter2", "must not contain a fragment"},
      {"https://host\\hunter2", "must not contain backslashes"},
      {" https://host", "must not contain spaces"},
      {"https://host/a b", "must not contain spaces"},
      {"https://host\t", "must not contain spaces or control characters"},
      {"https://host\r\nX: y", "must not contain spaces or control characters"},
      {absl::string_view("https://host\0.evil", 18), "must not contain spaces or control"},
      {"https://b\xc3\xbc"
       "cher.example",
       "must be ASCII"},
      {"https://ho%73t", "must have a host of letters"},
      {"https://host.", "must not have a host that ends with a dot"},
      {"https://host:0", "must not have port 0"},
      {"https://host:65536", "is not a URL"},
      {"https://host:https", "is not a URL"},
      {"https://host:443:443", "is not a URL"},
      {"https://::1", "is not a URL"},
      {"https://[::1", "is not a URL"},
      {"https://[::1]x", "is not a URL"},
      {"https://[fe80::1%25eth0]", "must have a host of letters"},
      {"https://[]", "is not a URL"},
      {long_host, "must not have a host longer than 253 bytes"},
      {"https://host//a", "must not have a path that begins with //"},
      {"https://host//", "must not have a path that begins with //"},
      {"https://host/.", "must not have . or .."},
      {"https://host/a/../b", "must not have . or .."},
      {"https://host/a/%2e%2E/b", "must not have . or .."},
      {"https://host/a/.%2e", "must not have . or .."},
      {"https://host/a/..;x/b", "must not have . or .."},
      {"https://host/a/%2e%2e%3bx", "must not have . or .."},
      {"https://host/a%2fb", "must not have an encoded"},
      {"https://host/a%5Cb", "must not have an encoded"},
      {"https://host/%252e%252e", "must not have an encoded"},
      {"https://host/a%00", "must not have an encoded"},
      {"https://host/a%0a", "must not have an encoded"},
      {"https://host/a%", "must not have a '%'"},
      {"https://host/a%2", "must not have a '%'"},
      {"https://host/a%zz", "must not have a '%'"},
      {"https://host/a%2g", "must not have a '%'"},
      {"https://host/a%g2", "must not have a '%'"},
      {"https://host/a%-2", "must not have a '%'"},
  };
  for (const Refused& c : cases) {
    const absl::StatusOr<BaseUrl> url = BaseUrl::Parse(c.text);
    ASSERT_FALSE(url.ok()) << absl::CHexEscape(c.text);
    EXPECT_EQ(url.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(url.status().message(), HasSubstr(std::string(c.why)));
    EXPECT_THAT(url.status().message(), Not(HasSubstr("hunter2")));
  }
}

TEST(BaseUrlTest, RecognizesLoopbackByAddress) {
  for (const char* text :
       {"http://localhost:1", "http://LOCALHOST", "http://127.0.0.1", "http://127.255.255.254:99",
        "http://[::1]", "http://127.1", "http://0x7f.0.0.1", "http://2130706433"}) {
    EXPECT_TRUE(Url(text).is_loopback()) << text;
  }
  for (const char* text : {"http://127.example.com", "http://127.0.0.1.example.com",
                           "http://localhost.example.com", "http://notlocalhost", "http://0.0.0.0",
                           "http://128.0.0.1", "http://10.0.0.1", "http://[::2]", "http://[::]"}) {
    EXPECT_FALSE(Url(text).is_loopback()) << text;
  }
  EXPECT_TRUE(Url("http://host").is_plaintext());
  EXPECT_FALSE(Url("https://host").is_plaintext());
}

TEST(BaseUrlTest, JoinAppendsThePathToThePrefix) {
  EXPECT_EQ(Url("https://insights.twilio.com").Join("/v1/Conferences/CF1/Participants?PageSize=5"),
            "https://insights.twilio.com/v1/Conferences/CF1/Participants?PageSize=5");
  EXPECT_EQ(Url("http://GATEWAY:8080/twilio/").Join("/v1"), "http://gateway:8080/twilio/v1");
}

TEST(BaseUrlResolve, FollowsLinksBelowTheBase) {
  struct {
    absl::string_view base, link, resolved;
  } const cases[] = {
      {"https://insights.twilio.com",
       "https://insights.twilio.com/v1/Conferences/CF1/"
       "Participants?Label=a%20%26b&PageToken=P%2bT=",
       "https://insights.twilio.com/v1/Conferences/CF1/"
       "Participants?Label=a%20%26b&PageToken=P%2bT="},
      {"https://example.signalwire.com", "/api/laml/2010-04-01/Accounts/x?Page=1",
       "https://example.signalwire.com/api/laml/2010-04-01/Accounts/x?Page=1"},
      // The same place, spelt otherwise: the answer is always the configured spelling.
      {"https://host", "HTTPS://HOST:443/a", "https://host/a"},
      {"https://host", "https://host:/a", "https://host/a"},
      {"https://host:443", "https://host/a", "https://host/a"},
      {"http://host", "http://host:80/a", "http://host/a"},
      {"http://host:80", "http://Host:0080/a", "http://host/a"},
      {"http://[::1]:8080", "http://[0::1]:8080/a", "http://[::1]:8080/a"},
      {"http://127.0.0.1:8080", "http://127.1:8080/a", "http://127.0.0.1:8080/a"},
      {"https://host", "https://host", "https://host/"},
      {"https://host", "https://host?Page=1", "https://host/?Page=1"},
      {"https://host", "/", "https://host/"},
      {"https://host/api", "https://host/api/?Page=1", "https://host/api/?Page=1"},
      {"https://host/api", "/api/list", "https://host/api/list"},
      // Dots, slashes, '@' and '%' have no meaning in a query or inside a longer segment.
      {"https://host", "/a?b=../../c&d=%2e%2e%2f&u=http://evil.example/@host&p=100%",
       "https://host/a?b=../../c&d=%2e%2e%2f&u=http://evil.example/@host&p=100%"},
      {"https://host", "/a/..b/c../...;x/@evil.example:80/",
       "https://host/a/..b/c../...;x/@evil.example:80/"},
      {"https://host", "/a//b", "https://host/a//b"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<std::string> resolved = Url(c.base).Resolve(c.link);
    ASSERT_TRUE(resolved.ok()) << c.link << ": " << resolved.status();
    EXPECT_EQ(*resolved, c.resolved);
    // Resolve() accepts its own result, which resume tokens rely on.
    EXPECT_EQ(Url(c.base).Resolve(*resolved).value(), c.resolved);
    EXPECT_EQ(Url(c.base).Join(Url(c.base).TargetOf(*resolved)), c.resolved);
  }
}

TEST(BaseUrlResolve, RefusesLinksThatLeaveTheBase) {
  const std::string overlong = absl::StrCat("/api/?q=", std::string(8192, 'a'));
  const Refused cases[] = {
      {"", "must not be empty"},
      {overlong, "must not be longer than 8192 bytes"},
      // Another origin or path.
      {"http://host.example/api/a?secret",
       "another scheme: http where the configured base URL has https"},
      {"http://host.example:443/api/a?secret", "another scheme"},
      {"https://evil.example/api/a?secret",
       "another host: evil.example where the configured base URL has host.example"},
      {"https://host.example.evil.example/api/a?secret", "another host"},
      {"https://evilhost.example/api/a?secret", "another host"},
      {"https://127.0.0.1/api/a?secret", "another host: 127.0.0.1"},
      {"https://2130706433/api/a?secret", "another host: 127.0.0.1"},
      {"https://[::1]/api/a?secret", "another host: [::1]"},
      {"https://host.example:8443/api/a?secret",
       "another port: 8443 where the configured base URL has 443"},
      {"https://host.example:80/api/a?secret", "another port"},
      {"https://host.example/?secret", "another path"},
      {"https://host.example?secret", "another path"},
      {"/?secret", "another path"},
      {"/other/a?secret", "another path: not below /api"},
      {"/apis/a?secret", "another path"},
      {"/API/a?secret", "another path"},
      {"/%61pi/a?secret", "another path"},
      {"/api;x/a?secret", "another path"},
      {"/x/api/a?secret", "another path"},
      // Disguised credentials or hosts.
      {"https://host.example@evil.example/api/a?secret", "must not contain user information"},
      {"https://secret:pw@host.example/api/a", "must not contain user information"},
      {"https://@host.example/api/a", "must not contain user information"},
      {"https://host.example:443@evil.example/api/a", "must not contain user information"},
      {"//evil.example/api/a?secret", "must not begin with //"},
      {"//host.example/api/a?secret", "must not begin with //"},
      {"///evil.example/api/a", "must not begin with //"},
      {"/\\evil.example/api/a", "must not contain backslashes"},
      {"\\\\evil.example/api/a", "must not contain backslashes"},
      {"https:\\\\host.example\\api", "must not contain backslashes"},
      {"https://evil.example\\@host.example/api/a", "must not contain backslashes"},
      {"https://host.example\\.evil.example/api/a", "must not contain backslashes"},
      {"/\t/evil.example/api/a", "spaces or control"},
      {"https://host.example\t.evil.example/api/a", "spaces or control"},
      {"https://host.example/api/a\r\nAuthorization:secret", "spaces or control"},
      {"/api/a\nsecret", "spaces or control"},
      {absl::string_view("https://host.example\0.evil.example/api/a", 39), "spaces or control"},
      {"/api/a?q=\x7f", "spaces or control"},
      {" https://host.example/api/a", "spaces or control"},
      {"/api/a b", "spaces or control"},
      {"/api/\xc3\xa9", "must be ASCII"},
      {"/api/a?q=\xff", "must be ASCII"},
      {"https://host\xe3\x80\x82"
       "example/api/a",
       "must be ASCII"},
      {"https://host.ex\xd0\xb0mple/api/a", "must be ASCII"},
      {"https://xn--hostexmple-2nf/api/a", "another host"},
      {"https://host%2eexample/api/a", "must have a host of letters"},
      {"https://evil.example%2f@host.example/api/a", "must not contain user information"},
      {"https://host.example./api/a", "must not have a host that ends with a dot"},
      {"https://host.example,evil.example/api/a", "must have a host of letters"},
      {"https://host.example&evil/api/a", "must have a host of letters"},
      {"https://[host.example]/api/a", "is not a URL"},
      {"https://host.example:0/api/a", "must not have port 0"},
      {"https://host.example:65979/api/a", "is not a URL"},
      {"https://host.example:+443/api/a", "must have a host of letters"},
      {"https://host.example:443:80/api/a", "is not a URL"},
      // Unsupported forms.
      {"https:host.example/api/a", "must begin with"},
      {"https:/host.example/api/a", "must begin with"},
      {"https:///host.example/api/a", "must name a host"},
      {"https:////host.example/api/a", "must name a host"},
      {"ftp://host.example/api/a", "must begin with"},
      {"file:///api/a", "must begin with"},
      {"javascript:alert(1)", "must begin with"},
      {"?Page=1&secret", "must begin with"},
      {"api/a?secret", "must begin with"},
      {"host.example/api/a", "must begin with"},
      {"/api/a#secret", "must not contain a fragment"},
      {"https://evil.example#@host.example/api/a", "must not contain a fragment"},
      // Out of the prefix by "..".
      {"/api/..", "must not have . or .."},
      {"/api/../other?secret", "must not have . or .."},
      {"/../api/a", "must not have . or .."},
      {"/api/./a", "must not have . or .."},
      {"/api/%2e%2e/other", "must not have . or .."},
      {"/api/%2E./other", "must not have . or .."},
      {"/api/.%2e", "must not have . or .."},
      {"/api/..;/other", "must not have . or .."},
      {"/api/..%3b/other", "must not have . or .."},
      {"/api/..%2fother", "must not have an encoded"},
      {"/api/..%5cother", "must not have an encoded"},
      {"/api/%252e%252e/other", "must not have an encoded"},
      {"/api/a%00b", "must not have an encoded"},
      {"/api/a%0d%0ab", "must not have an encoded"},
      {"/api%2fa", "must not have an encoded"},
      {"/api/%", "must not have a '%'"},
      {"/api/%u002e", "must not have a '%'"},
      {"https://host.example//evil.example/api/a", "must not have a path that begins with //"},
  };
  const BaseUrl base = Url("https://host.example/api");
  for (const Refused& c : cases) {
    const absl::StatusOr<std::string> resolved = base.Resolve(c.text);
    ASSERT_FALSE(resolved.ok()) << absl::CHexEscape(c.text) << " became " << *resolved;
    EXPECT_EQ(resolved.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(resolved.status().message(), HasSubstr(std::string(c.why)))
        << absl::CHexEscape(c.text);
    EXPECT_THAT(resolved.status().message(), Not(HasSubstr("secret")));
    EXPECT_LT(resolved.status().message().size(), 1024u);
  }
}

TEST(BaseUrlResolve, RefusesEveryByteThatIsNotPrintableAscii) {
  const BaseUrl base = Url("https://host.example/api");
  for (int byte = 0; byte < 256; ++byte) {
    if (byte > 0x20 && byte < 0x7f) continue;
    const std::string c(1, static_cast<char>(byte));
    for (const std::string& link :
         {c + "/api/a", "/" + c + "/api/a", "/api/" + c, "/api/a?q=" + c,
          "https:" + c + "//host.example/api", "https://" + c + "host.example/api",
          "https://host.example" + c + "/api"}) {
      EXPECT_FALSE(base.Resolve(link).ok()) << absl::CHexEscape(link);
    }
  }
}

TEST(UrlEncoding, KeepsOnlyUnreservedCharacters) {
  EXPECT_EQ(EncodePathSegment("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(EncodePathSegment("a/b?c#d%e f+g\\;@:&="),
            "a%2Fb%3Fc%23d%25e%20f%2Bg%5C%3B%40%3A%26%3D");
  EXPECT_EQ(EncodePathSegment(absl::string_view("\0\n\x7f\xc3\xa9", 5)), "%00%0A%7F%C3%A9");
  EXPECT_EQ(EncodePathSegment(""), "");
}

TEST(UrlEncoding, AppendQueryAddsOneQuestionMark) {
  std::string target = "/v1/Conferences/CF1/Participants";
  AppendQuery(target, "PageSize", "1000");
  AppendQuery(target, "Label", "A&B=?\xc3\xa9");
  AppendQuery(target, "Events", "");
  EXPECT_EQ(target,
            "/v1/Conferences/CF1/Participants?PageSize=1000&Label=A%26B%3D%3F%C3%A9&Events=");
}

}  // namespace
}  // namespace rollcall::service
