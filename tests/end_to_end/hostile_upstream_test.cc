// A hostile provider can end lists, but can neither fill rollcalld's memory nor redirect
// credentials. Certificates are in nginx_test, deep and broken pages in errors_test, all forms of
// links in base_url_test.
#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/hostile_server.h"
#include "tests/end_to_end/resident_memory.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Peer = HostileServer::Peer;

constexpr size_t kGigabyte = size_t{1} << 30;

std::string Answer(const std::string& status, const std::string& headers, const std::string& body) {
  return absl::StrCat("HTTP/1.1 ", status, "\r\nContent-Length: ", body.size(), "\r\n", headers,
                      "\r\n", body);
}

std::string Page(const std::string& next_link) {
  return absl::StrCat(R"({"participants":[{"label":"first"}],"meta":{"next_page_url":)", next_link,
                      "}}");
}

class HostileUpstreamTest : public EndToEndTest {
 protected:
  HostileUpstreamTest()
      : server_([](const Peer& peer) { peer.Send(Answer("200 OK", "", Page("null"))); }) {}

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = SimulatorConfiguration(server_.url());
    configuration["retry"]["max_attempts"] = 1;
    return configuration;
  }

  Listing ListFrom(const HostileServer::Answer& answer) {
    server_.SetAnswer(answer);
    v1::ListParticipantsRequest request = ConferenceRequest(kConference);
    request.mutable_read_mask()->add_paths(
        "call_sid");  // keeps the caller's part of the work small
    return List(request);
  }
  Listing ListFrom(const std::string& answer) {
    return ListFrom([answer](const Peer& peer) { peer.Send(answer); });
  }

  // The same; also returns the largest growth of the service's memory meanwhile.
  Listing ListMeasured(const std::string& name, const HostileServer::Answer& answer) {
    ListFrom(Answer("200 OK", "", Page("null")));  // so that one-time allocations are not counted
    const size_t before = daemon_->ResidentBytes();
    std::atomic<bool> over = false;
    size_t most = before;
    std::thread watcher([&] {
      while (!over) {
        most = std::max(most, daemon_->ResidentBytes());
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
    Listing listing = ListFrom(answer);
    over = true;
    watcher.join();
    growth_ = most - before;
    std::cout << name << ": resident memory " << before / 1024 << " KiB before, " << most / 1024
              << " KiB at the most\n";
    RecordProperty(name + "_resident_growth", static_cast<int>(growth_));
    return listing;
  }

  // What a list may use: the largest record a few times over, a queue, and as much as socket
  // buffers hold.
  void ExpectGrewByNoMoreThan(size_t bytes) const {
    if (kMemoryIsGivenBack) {
      EXPECT_LE(growth_, bytes);
    }
  }

  HostileServer server_;
  size_t growth_ = 0;
};

std::string HeadOfGigabyte() {
  return absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kGigabyte, "\r\n\r\n");
}

TEST_F(HostileUpstreamTest, GigabyteRecordEndsTheListAtTheLimit) {
  std::promise<size_t> sent;
  const Listing listing = ListMeasured("one_record", [&sent](const Peer& peer) {
    peer.Send(HeadOfGigabyte());
    peer.Send(R"({"participants":[{"label":")");
    sent.set_value(peer.SendOver(std::string(1 << 20, 'x'), kGigabyte));
  });
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_LIMIT_EXCEEDED");
  EXPECT_THAT(listing.status.error_message(), HasSubstr("max_record_bytes"));
  ExpectGrewByNoMoreThan(size_t{8} << 20);
  EXPECT_LT(sent.get_future().get(), size_t{64} << 20);  // the rest was not read
}

TEST_F(HostileUpstreamTest, GigabyteOfSpacesUsesNoMemory) {
  // If memory cannot be measured, only the result is tested.
  constexpr size_t kSpaces = kMemoryIsGivenBack ? kGigabyte : kGigabyte / 16;
  StartDaemon({{"limits", {{"max_page_bytes", 2 * kGigabyte}}}});
  const Listing listing = ListMeasured("spaces", [](const Peer& peer) {
    const std::string page = Page("null");
    peer.Send(
        absl::StrCat("HTTP/1.1 200 OK\r\nContent-Length: ", kSpaces + page.size(), "\r\n\r\n"));
    peer.SendOver(std::string(1 << 20, ' '), kSpaces);
    peer.Send(page);
  });
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_THAT(listing.participants, SizeIs(1));
  ExpectGrewByNoMoreThan(size_t{8} << 20);
}

TEST_F(HostileUpstreamTest, GigabytePageEndsTheListAtTheLimit) {
  StartDaemon({{"limits", {{"max_records_per_page", 1000000}}}});
  const std::string record = absl::StrCat(R"({"label":")", std::string(4000, 'x'), R"("},)");
  std::string records;
  for (int i = 0; i < 256; ++i) records += record;
  const Listing listing = ListMeasured("small_records", [&records](const Peer& peer) {
    peer.Send(HeadOfGigabyte());
    peer.Send(R"({"participants":[)");
    peer.SendOver(records, kGigabyte);
  });
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_LIMIT_EXCEEDED");
  EXPECT_THAT(listing.status.error_message(), HasSubstr("max_page_bytes"));
  // The records before the piece that exceeds the limit are delivered.
  constexpr size_t kPiece = size_t{64} << 10;
  EXPECT_GE(listing.participants.size(), ((size_t{256} << 20) - kPiece) / record.size());
  ExpectGrewByNoMoreThan(size_t{16} << 20);
}

// A response head, or something like one, that never ends.
struct Flood {
  const char* name;
  const char* begin;
  std::string piece;
};

void PrintTo(const Flood& flood, std::ostream* out) { *out << flood.name; }

class HeaderFloodTest : public HostileUpstreamTest, public ::testing::WithParamInterface<Flood> {};

INSTANTIATE_TEST_SUITE_P(
    All, HeaderFloodTest,
    ::testing::Values(Flood{"Headers", "HTTP/1.1 200 OK\r\n", "X-Filler: 0123456789\r\n"},
                      Flood{"OneHeader", "HTTP/1.1 200 OK\r\nX-Filler: ", std::string(4096, 'x')},
                      Flood{"FoldedHeader", "HTTP/1.1 200 OK\r\nX-Filler: a\r\n", " b\r\n"},
                      Flood{"Cookies", "HTTP/1.1 200 OK\r\n", "Set-Cookie: a=0123456789\r\n"},
                      Flood{"StatusLine", "HTTP/1.1 200 ", std::string(4096, 'x')},
                      Flood{"NoHttp", "\x16\x03\x01", std::string(4096, '\xff')},
                      Flood{"InformationalAnswers", "",
                            "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"},
                      Flood{"Continues", "", "HTTP/1.1 100 Continue\r\n\r\n"},
                      Flood{"Trailers",
                            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x\r\n\r\n"
                            "2\r\n{}\r\n0\r\n",
                            "X-Filler: 0123456789\r\n"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(HeaderFloodTest, EndsTheListAndUsesNoMemory) {
  const Flood& flood = GetParam();
  std::string piece;
  while (piece.size() < (size_t{64} << 10)) piece += flood.piece;
  std::promise<size_t> sent;
  const Listing listing = ListMeasured(flood.name, [&](const Peer& peer) {
    peer.Send(flood.begin);
    sent.set_value(peer.SendOver(piece, kGigabyte));
  });
  EXPECT_THAT(Reason(listing.status),
              ::testing::AnyOf("UPSTREAM_MALFORMED_RESPONSE", "UPSTREAM_UNREACHABLE"))
      << listing.status.error_message();
  EXPECT_THAT(listing.participants, IsEmpty());
  ExpectGrewByNoMoreThan(size_t{8} << 20);
  EXPECT_LT(sent.get_future().get(), size_t{64} << 20);
  server_.SetAnswer([](const Peer& peer) { peer.Send(Answer("200 OK", "", Page("null"))); });
  EXPECT_TRUE(List(ConferenceRequest(kConference)).status.ok());
}

// Bytes without content do not reset the idle timeout.
TEST_F(HostileUpstreamTest, EndlessChunkHeadTimesOut) {
  nlohmann::json upstreams = Configuration()["upstreams"];
  upstreams[0]["idle_timeout_seconds"] = 0.3;
  StartDaemon({{"upstreams", upstreams}});
  const Listing listing = ListMeasured("chunk_extension", [](const Peer& peer) {
    peer.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;");
    peer.SendOver(std::string(4096, 'x'), 64 * kGigabyte);
  });
  EXPECT_THAT(Reason(listing.status), ::testing::AnyOf("UPSTREAM_TIMEOUT", "UPSTREAM_UNREACHABLE"))
      << listing.status.error_message();
  ExpectGrewByNoMoreThan(size_t{8} << 20);
}

// The other server must not even get a connection.
class RedirectedElsewhereTest : public HostileUpstreamTest {
 protected:
  void TearDown() override {
    EXPECT_EQ(elsewhere_.connections(), 0u);
    EXPECT_THAT(elsewhere_.heads(), IsEmpty());
    for (const std::string& head : server_.heads()) {
      EXPECT_THAT(head, HasSubstr(absl::StrCat("\r\nHost: 127.0.0.1:", server_.port(), "\r\n")));
      EXPECT_THAT(head, HasSubstr("\r\nAuthorization: Basic "));
      EXPECT_FALSE(absl::StrContains(head, "\r\nCookie:")) << head;
    }
  }

  HostileServer elsewhere_{[](const Peer&) {}};
};

TEST_F(RedirectedElsewhereTest, RedirectIsNotFollowed) {
  const std::string path = absl::StrCat("/v1/Conferences/", kConference, "/Participants?Page=1");
  size_t asked = 0;
  for (const char* status :
       {"300 Choices", "301 Moved", "302 Found", "303 Other", "307 Temporary", "308 Permanent"}) {
    for (const std::string& location :
         {absl::StrCat(elsewhere_.url(), path), absl::StrCat(server_.url(), path),
          absl::StrCat("//127.0.0.1:", elsewhere_.port(), path), path,
          absl::StrCat("http://simulator:simulator@127.0.0.1:", elsewhere_.port(), "/")}) {
      const Listing listing =
          ListFrom(Answer(status, absl::StrCat("Location: ", location, "\r\n"), ""));
      EXPECT_EQ(Reason(listing.status), "UPSTREAM_MALFORMED_RESPONSE") << status << location;
      EXPECT_EQ(server_.heads().size(), ++asked) << status << location;
    }
  }
}

TEST_F(RedirectedElsewhereTest, RefreshLinkAndAltSvcAreNotFollowed) {
  const std::string target = absl::StrCat("127.0.0.1:", elsewhere_.port());
  for (const std::string& header :
       {absl::StrCat("Refresh: 0; url=", elsewhere_.url(), "\r\n"),
        absl::StrCat("Link: <", elsewhere_.url(), ">; rel=next\r\n"),
        absl::StrCat("Alt-Svc: http/1.1=\"", target, "\"; ma=86400; persist=1\r\n"),
        absl::StrCat("Content-Location: ", elsewhere_.url(), "\r\n"),
        std::string("Set-Cookie: a=b; Path=/\r\n"),
        std::string("Strict-Transport-Security: max-age=31536000\r\n")}) {
    for (int times = 0; times < 2; ++times) {
      const Listing listing = ListFrom(Answer("200 OK", header, Page("null")));
      EXPECT_TRUE(listing.status.ok()) << header << listing.status.error_message();
    }
  }
}

// The provider does not get credentials by another scheme than Basic.
TEST_F(RedirectedElsewhereTest, AuthenticationChallengeIsNotAnswered) {
  size_t asked = 0;
  for (const char* challenge :
       {"WWW-Authenticate: Digest realm=\"x\", nonce=\"1\"\r\n", "WWW-Authenticate: NTLM\r\n",
        "WWW-Authenticate: Negotiate\r\n", "WWW-Authenticate: Bearer\r\n",
        "Proxy-Authenticate: Basic realm=\"x\"\r\n"}) {
    for (const char* status : {"401 Unauthorized", "407 Proxy Authentication Required"}) {
      const Listing listing = ListFrom(Answer(status, challenge, "{}"));
      EXPECT_FALSE(listing.status.ok());
      EXPECT_EQ(server_.heads().size(), ++asked) << challenge;
      EXPECT_FALSE(absl::StrContains(server_.heads().back(), "Proxy-Authorization"));
    }
  }
}

TEST_F(RedirectedElsewhereTest, LinkIsNotFollowed) {
  const std::string path = absl::StrCat("/v1/Conferences/", kConference, "/Participants?Page=1");
  const std::string own = absl::StrCat("127.0.0.1:", server_.port());
  const std::string other = absl::StrCat("127.0.0.1:", elsewhere_.port());
  const std::vector<std::string> links = {
      absl::StrCat("http://", other, path),
      absl::StrCat("https://", own, path),
      absl::StrCat("ftp://", own, path),
      absl::StrCat("HTTP://", other, path),
      absl::StrCat("//", other, path),
      absl::StrCat("\\\\", other, path),
      absl::StrCat("http:\\\\", other, path),
      absl::StrCat("http:/", other, path),
      absl::StrCat("http:", other, path),
      absl::StrCat("http:///", other, path),
      absl::StrCat("http://", own, "@", other, path),
      absl::StrCat("http://", own, ":80@", other, path),
      absl::StrCat("http://", own, "\\@", other, path),
      absl::StrCat("http://", own, "#@", other, path),
      absl::StrCat("http://", own, "%40", other, path),
      absl::StrCat("http://simulator:simulator@", own, path),
      absl::StrCat("http://@", own, path),
      absl::StrCat("http://", own, "\t@", other, path),
      absl::StrCat("http://", own, "\n", path),
      absl::StrCat("\thttp://", own, path),
      absl::StrCat("http://", own, path, " HTTP/1.1\r\nHost: evil\r\n\r\n"),
      absl::StrCat("http://", own, path, "\r\nAuthorization: none"),
      absl::StrCat("http://[::ffff:127.0.0.1]:", elsewhere_.port(), path),
      absl::StrCat("http://[::1]:", server_.port(), path),
      absl::StrCat("http://[::ffff:7f00:1%25lo]:", elsewhere_.port(), path),
      absl::StrCat("http://127.1:", elsewhere_.port(), path),
      absl::StrCat("http://2130706433:", elsewhere_.port(), path),
      absl::StrCat("http://0x7f000001:", elsewhere_.port(), path),
      absl::StrCat("http://0177.0.0.1:", elsewhere_.port(), path),
      absl::StrCat("http://localhost:", elsewhere_.port(), path),
      absl::StrCat("http://127.0.0.1.:", server_.port(), path),
      absl::StrCat("http://127.0.0.1:", server_.port(), "0", path),
      absl::StrCat("http://127.0.0.1", path),
      absl::StrCat("http://127。0。0。1:", server_.port(), path),
      absl::StrCat("http://", own, "/v1/../../etc", path),
      absl::StrCat("http://", own, "/v1/%2e%2e/%2E%2E/x"),
      absl::StrCat("http://", own, "/v1/.%2e/x"),
      absl::StrCat("http://", own, "/v1/%252e%252e/x"),
      absl::StrCat("http://", own, "/v1/..%2fx"),
      absl::StrCat("http://", own, "/v1/..%5cx"),
      absl::StrCat("http://", own, "/v1\\..\\x"),
      absl::StrCat("http://", own, "/v1/..;/x"),
      absl::StrCat("http://", own, "/v1/%00x"),
      absl::StrCat("http://", own, "/v1/%0d%0aHost:%20evil"),
      absl::StrCat("http://", own, "//", other, path),
      std::string("file:///etc/passwd"),
      std::string("gopher://127.0.0.1/"),
      std::string("javascript:alert(1)"),
      absl::StrCat("http://", own, "/", std::string(9000, 'x')),
  };
  size_t asked = 0;
  for (const std::string& link : links) {
    const Listing listing = ListFrom(Answer("200 OK", "", Page(nlohmann::json(link).dump())));
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_BAD_NEXT_LINK") << link;
    EXPECT_EQ(server_.heads().size(), ++asked) << link;
    // The link may contain personal data or another account's password.
    EXPECT_THAT(listing.status.error_message(), ::testing::Not(HasSubstr(path))) << link;
  }
}

// Another spelling of the same URL is followed.
TEST_F(RedirectedElsewhereTest, EquivalentLinkIsFollowed) {
  const std::string path = absl::StrCat("/v1/Conferences/", kConference, "/Participants?Page=1");
  for (const std::string& link :
       {absl::StrCat("HTTP://127.0.0.1:", server_.port(), path), path,
        absl::StrCat("http://127.0.0.1:0", server_.port(), path, "&q=%0d%0aHost:%20evil")}) {
    std::atomic<int> pages = 0;
    const Listing listing = ListFrom([&](const Peer& peer) {
      peer.Send(Answer("200 OK", "", Page(pages++ == 0 ? nlohmann::json(link).dump() : "null")));
    });
    EXPECT_TRUE(listing.status.ok()) << link << listing.status.error_message();
    EXPECT_THAT(listing.participants, SizeIs(2)) << link;
    EXPECT_THAT(server_.heads().back(), ::testing::StartsWith(absl::StrCat("GET ", path)));
  }
}

}  // namespace
}  // namespace rollcall
