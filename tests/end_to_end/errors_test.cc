// Every error of a caller or provider gives the caller a fitting status, and the service keeps
// working.
#include <gmock/gmock.h>

#include <functional>

#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"
#include "tests/end_to_end/end_to_end.h"

namespace rollcall {
namespace {

using simulator::Fault;
using simulator::Request;
using ::testing::HasSubstr;
using ::testing::Not;

class BadRequestTest : public EndToEndTest {
 protected:
  void ExpectRefused(const v1::ListParticipantsRequest& request,
                     const std::vector<std::string>& fields) {
    const Listing listing = List(request);
    EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(Reason(listing.status), "INVALID_REQUEST");
    EXPECT_EQ(Retry(listing.status), "no");
    EXPECT_EQ(ViolatedFields(listing.status), fields) << listing.status.error_message();
    EXPECT_TRUE(simulator_->requests().empty());
  }
};

TEST_F(BadRequestTest, NamesTheFieldAndSendsNoRequest) {
  ExpectRefused({}, {"query"});
  for (const char* sid :
       {"", "CF", "CA00000000000000000000000000000001", "CF0000000000000000000000000000000",
        "CF000000000000000000000000000000000", "CF../../../../../../../../../../..",
        "cf00000000000000000000000000000001", "CF0000000000000000000000000000000g"}) {
    ExpectRefused(ConferenceRequest(sid), {"conference_participant_summaries.conference_sid"});
  }
  v1::ListParticipantsRequest request = ConferenceRequest(1);
  request.set_page_size(-1);
  ExpectRefused(request, {"page_size"});
  request = ConferenceRequest(1);
  request.set_limit(-1);
  ExpectRefused(request, {"limit"});
  request = ConferenceRequest(1);
  request.set_upstream("unknown");
  ExpectRefused(request, {"upstream"});
  request.set_upstream("signalwire");
  ExpectRefused(request, {"upstream"});
  request = ConferenceRequest(1);
  request.mutable_conference_participant_summaries()->set_participant_sid("PA1");
  ExpectRefused(request, {"conference_participant_summaries.participant_sid"});
  request = ConferenceRequest(1);
  request.mutable_read_mask()->add_paths("call_sid");
  request.mutable_read_mask()->add_paths("metrics.inbound.nonsense");
  request.mutable_read_mask()->add_paths("from");
  ExpectRefused(request, {"read_mask", "read_mask"});
  for (const char* path : {"**", "metrics.*", "*.label", " *"}) {
    request = ConferenceRequest(1);
    request.mutable_read_mask()->add_paths("*");
    request.mutable_read_mask()->add_paths(path);
    ExpectRefused(request, {"read_mask"});
  }
  request = ConferenceRequest(1);
  request.set_resume_token("forged");
  ExpectRefused(request, {"resume_token"});
  request = ConferenceRequest(1);
  request.mutable_provider_page()->set_page(2);
  ExpectRefused(request, {"provider_page.page_token"});
  request.mutable_provider_page()->set_page(-2);
  ExpectRefused(request, {"provider_page.page"});

  // Two upstreams serve live participants.
  request = {};
  request.mutable_live_participants()->set_conference_sid("x");
  ExpectRefused(request, {"upstream"});
  request.set_upstream("signalwire");
  request.mutable_live_participants()->set_coaching(true);
  ExpectRefused(request, {"live_participants.conference_sid", "live_participants.coaching"});
  request = {};
  request.mutable_room_participant_summaries()->set_room_sid("CF00000000000000000000000000000001");
  ExpectRefused(request, {"room_participant_summaries.room_sid"});
}

TEST_F(BadRequestTest, FiltersThatMakeTheUrlTooLongAreRefused) {
  v1::ListParticipantsRequest request = ConferenceRequest(1);
  request.mutable_conference_participant_summaries()->set_label(std::string(9000, 'x'));
  ExpectRefused(request, {"conference_participant_summaries"});
  request = ConferenceRequest(1);
  request.mutable_provider_page()->set_page_token(std::string(9000, 'x'));
  ExpectRefused(request, {"provider_page.page_token"});
}

TEST_F(BadRequestTest, ReportsAllViolationsAtOnce) {
  v1::ListParticipantsRequest request = ConferenceRequest("nonsense");
  request.set_page_size(-1);
  request.set_limit(-1);
  ExpectRefused(request, {"limit", "conference_participant_summaries.conference_sid", "page_size"});
}

TEST_F(BadRequestTest, GetParticipantNamesTheField) {
  const auto expect = [this](const v1::GetParticipantRequest& request,
                             const std::vector<std::string>& fields) {
    v1::Participant participant;
    const grpc::Status status = Get(request, participant);
    EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
    EXPECT_EQ(ViolatedFields(status), fields) << status.error_message();
    EXPECT_TRUE(simulator_->requests().empty());
  };
  v1::GetParticipantRequest request;
  expect(request, {"participant"});
  request.mutable_conference_participant_summary();
  expect(request, {"conference_participant_summary.conference_sid",
                   "conference_participant_summary.participant_sid"});
  request.set_upstream("twilio");
  request.mutable_live_participant()->set_conference_sid("CF00000000000000000000000000000001");
  expect(request, {"live_participant.call_sid"});
}

// A response of the provider, and the resulting error.
struct ErrorCase {
  const char* name;
  Fault fault;
  grpc::StatusCode code;
  const char* reason;
  const char* retry;
};

void PrintTo(const ErrorCase& error_case, std::ostream* out) { *out << error_case.name; }

Fault Cut(size_t after) {
  Fault fault;
  fault.cut_after = after;
  return fault;
}

Fault CutBeforeHead() {
  Fault fault;
  fault.cut_before_head = true;
  return fault;
}

Fault Body(const std::string& body) {
  Fault fault;
  fault.edit_body = [body](const std::string&) { return body; };
  return fault;
}

class ErrorCaseTest : public EndToEndTest, public ::testing::WithParamInterface<ErrorCase> {};

INSTANTIATE_TEST_SUITE_P(
    Upstream, ErrorCaseTest,
    ::testing::Values(
        ErrorCase{"Unauthorized", simulator::Respond(401, R"({"code":20003,"status":401})"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_CREDENTIALS_REJECTED", "no"},
        ErrorCase{"Forbidden", simulator::Respond(403, R"({"code":20403,"status":403})"),
                  grpc::StatusCode::PERMISSION_DENIED, "UPSTREAM_ACCESS_DENIED", "no"},
        ErrorCase{"FeatureOff", simulator::Respond(403, R"({"code":17000,"status":403})"),
                  grpc::StatusCode::FAILED_PRECONDITION, "UPSTREAM_FEATURE_DISABLED", "no"},
        ErrorCase{"NotFound", simulator::Respond(404, R"({"code":20404,"status":404})"),
                  grpc::StatusCode::NOT_FOUND, "UPSTREAM_NOT_FOUND", "no"},
        ErrorCase{"NotFoundWithoutJson", simulator::Respond(404, "<h1>not here</h1>"),
                  grpc::StatusCode::NOT_FOUND, "UPSTREAM_NOT_FOUND", "no"},
        ErrorCase{"MalformedSid", simulator::Respond(405, R"({"code":20004,"status":405})"),
                  grpc::StatusCode::INVALID_ARGUMENT, "UPSTREAM_REJECTED_REQUEST", "no"},
        ErrorCase{"BadRequest", simulator::Respond(400, R"({"errors":[{"code":"54453"}]})"),
                  grpc::StatusCode::INVALID_ARGUMENT, "UPSTREAM_REJECTED_REQUEST", "no"},
        ErrorCase{"TooManyRequests", simulator::Respond(429, R"({"code":20429,"status":429})"),
                  grpc::StatusCode::RESOURCE_EXHAUSTED, "UPSTREAM_RATE_LIMITED", "later"},
        ErrorCase{"ServerErrorWithoutBody", simulator::Respond(500), grpc::StatusCode::UNAVAILABLE,
                  "UPSTREAM_UNAVAILABLE", "resume"},
        ErrorCase{"BadGatewayInHtml", simulator::Respond(502, "<html>Bad Gateway</html>"),
                  grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "resume"},
        ErrorCase{"Unavailable", simulator::Respond(503, R"({"code":20503})"),
                  grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNAVAILABLE", "resume"},
        ErrorCase{"Redirect", simulator::RedirectTo("http://127.0.0.1:1/elsewhere"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"NoContent", simulator::Respond(204), grpc::StatusCode::INTERNAL,
                  "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"HtmlInsteadOfJson", simulator::Respond(200, "<html>Welcome</html>"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"EmptyBody", simulator::Respond(200, ""), grpc::StatusCode::INTERNAL,
                  "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"TruncatedJson",
                  Body(R"({"meta":{"next_page_url":null},"participants":[{"a":1},)"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"NoList", Body(R"({"meta":{"next_page_url":null}})"), grpc::StatusCode::INTERNAL,
                  "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"BrokenRecord", Body(R"({"participants":[{"label":}]})"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"InvalidUtf8", Body("{\"participants\":[{\"label\":\"\xC3\x28\"}]}"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"LoneSurrogate", Body(R"({"participants":[{"label":"\ud800"}]})"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"LinkIsNoString", Body(R"({"participants":[],"meta":{"next_page_url":{}}})"),
                  grpc::StatusCode::INTERNAL, "UPSTREAM_MALFORMED_RESPONSE", "no"},
        ErrorCase{"DeepNesting",
                  Body(absl::StrCat(R"({"participants":[{"x":)", std::string(100000, '['))),
                  grpc::StatusCode::RESOURCE_EXHAUSTED, "UPSTREAM_LIMIT_EXCEEDED", "no"},
        ErrorCase{"HugeRecord",
                  Body(absl::StrCat(R"({"participants":[{"x":")", std::string(3 << 20, 'x'))),
                  grpc::StatusCode::RESOURCE_EXHAUSTED, "UPSTREAM_LIMIT_EXCEEDED", "no"},
        ErrorCase{"CutBeforeHead", CutBeforeHead(), grpc::StatusCode::UNAVAILABLE,
                  "UPSTREAM_UNREACHABLE", "resume"},
        ErrorCase{"CutAfterHead", Cut(0), grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNREACHABLE",
                  "resume"},
        ErrorCase{"CutInBody", Cut(3000), grpc::StatusCode::UNAVAILABLE, "UPSTREAM_UNREACHABLE",
                  "resume"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST_P(ErrorCaseTest, ListEndsWithFittingError) {
  simulator_->InjectFaults([](const Request&) { return GetParam().fault; });
  const Listing listing = List(ConferenceRequest(10));
  EXPECT_EQ(listing.status.error_code(), GetParam().code) << listing.status.error_message();
  EXPECT_EQ(Reason(listing.status), GetParam().reason);
  EXPECT_EQ(Retry(listing.status), GetParam().retry);
  EXPECT_THAT(listing.status.error_message(), HasSubstr("upstream \"twilio\": "));
  EXPECT_EQ(DetailOf<google::rpc::ErrorInfo>(listing.status).metadata().at("upstream"), "twilio");
  ExpectStillServes();
}

TEST_P(ErrorCaseTest, GetEndsWithFittingError) {
  simulator_->InjectFaults([](const Request&) { return GetParam().fault; });
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  request.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  v1::Participant participant;
  const grpc::Status status = Get(request, participant);
  const std::string name = GetParam().name;
  // A defect of a page is not always one of a record, and a record is shorter than where the page
  // is cut.
  if (name != "NoList" && name != "BrokenRecord" && name != "LinkIsNoString" &&
      name != "CutInBody" && name != "DeepNesting") {
    EXPECT_EQ(status.error_code(), GetParam().code) << status.error_message();
    EXPECT_EQ(Reason(status), GetParam().reason);
    EXPECT_EQ(Retry(status), GetParam().retry);
  }
  ExpectStillServes();
}

class UpstreamErrorTest : public EndToEndTest {};

TEST_F(UpstreamErrorTest, WrongCredentialsAreAnInternalError) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0]["auth_token"] = "wrong-s3cret";
  StartDaemon(configuration);
  const Listing listing = List(ConferenceRequest(1));
  EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_CREDENTIALS_REJECTED");
  EXPECT_THAT(listing.status.error_message(), Not(HasSubstr("s3cret")));
}

TEST_F(UpstreamErrorTest, DetailsHaveProviderCodeAndRequestId) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault =
        simulator::Respond(429, R"({"code":20429,"message":"+15551234 label","status":429})");
    fault.answer->headers.emplace_back("Retry-After", "7");
    return fault;
  });
  const grpc::Status status = List(ConferenceRequest(1)).status;
  const auto info = DetailOf<google::rpc::ErrorInfo>(status);
  EXPECT_EQ(info.domain(), "rollcall");
  EXPECT_EQ(info.metadata().at("http_status"), "429");
  EXPECT_EQ(info.metadata().at("provider_code"), "20429");
  EXPECT_EQ(info.metadata().at("provider_request_id").substr(0, 2), "RQ");
  EXPECT_EQ(DetailOf<google::rpc::RetryInfo>(status).retry_delay().seconds(), 7);
  EXPECT_EQ(DetailOf<google::rpc::RequestInfo>(status).request_id(),
            info.metadata().at("request_id"));
  EXPECT_THAT(DetailOf<google::rpc::Help>(status).links(0).url(), HasSubstr("20429"));
  // The provider's message may repeat personal data.
  EXPECT_THAT(status.error_details(), Not(HasSubstr("5551234")));
}

TEST_F(UpstreamErrorTest, TrailersStaySmall) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault =
        simulator::Respond(400, absl::StrCat(R"({"code":")", std::string(60000, '9'),
                                             R"(","message":")", std::string(60000, 'm'), R"("})"));
    fault.answer->headers.emplace_back("Twilio-Request-Id", std::string(6000, 'R'));
    return fault;
  });
  const grpc::Status status = List(ConferenceRequest(1)).status;
  EXPECT_EQ(Reason(status), "UPSTREAM_REJECTED_REQUEST");
  EXPECT_LT(status.error_details().size() * 4 / 3 + status.error_message().size() * 3, 8192u);
}

TEST_F(UpstreamErrorTest, HugeErrorBodyIsNotReadToItsEnd) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault = simulator::Respond(503, std::string(size_t{4} << 20, 'x'));
    fault.hold_after = size_t{1} << 20;
    return fault;
  });
  EXPECT_EQ(Reason(List(ConferenceRequest(1)).status), "UPSTREAM_UNAVAILABLE");
  v1::GetParticipantRequest request;
  request.mutable_conference_participant_summary()->set_conference_sid(kSeedConference);
  request.mutable_conference_participant_summary()->set_participant_sid(
      "CPaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  v1::Participant participant;
  EXPECT_EQ(Reason(Get(request, participant)), "UPSTREAM_UNAVAILABLE");
}

TEST_F(UpstreamErrorTest, TruncatedErrorBodyKeepsItsStatus) {
  simulator_->InjectFaults([](const Request&) {
    Fault fault = simulator::Respond(401, R"({"code":20003,"status":401})");
    fault.cut_after = 3;
    return fault;
  });
  EXPECT_EQ(Reason(List(ConferenceRequest(1)).status), "UPSTREAM_CREDENTIALS_REJECTED");
}

TEST_F(UpstreamErrorTest, RefusedConnectionIsUnavailable) {
  simulator_.reset();  // closes its port
  const Listing listing = List(ConferenceRequest(1));
  EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_UNREACHABLE");
  EXPECT_THAT(listing.status.error_message(),
              HasSubstr("connection to the provider failed: Connection refused"));
}

TEST_F(UpstreamErrorTest, SilentProviderTimesOut) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0]["idle_timeout_seconds"] = 1;
  StartDaemon(configuration);
  for (const bool in_body : {false, true}) {
    simulator_->InjectFaults([in_body](const Request&) {
      Fault fault;
      if (in_body) {
        fault.hold_after = 5000;
      } else {
        fault.hold_before_head = true;
      }
      return fault;
    });
    const Listing listing = List(ConferenceRequest(10));
    EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_TIMEOUT");
    EXPECT_EQ(listing.participants.empty(), !in_body);
  }
  ExpectStillServes();
}

TEST_F(UpstreamErrorTest, DeliversRecordsBeforeAFault) {
  const simulator::List list(simulator::Api::kVoiceInsights, 10);
  simulator_->InjectFaults([](const Request& request) {
    // The second page breaks off.
    return request.target.find("PageToken") == std::string::npos ? Fault() : Cut(50);
  });
  v1::ListParticipantsRequest request = RequestFor(list);
  request.set_page_size(5);
  const Listing listing = List(request);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_UNREACHABLE");
  EXPECT_EQ(listing.participants.size(), 5u);
}

// Links to the next page are followed only below the provider's base URL.
class NextLinkTest : public EndToEndTest {
 protected:
  // Serves a page of one record with this member beside the list.
  void ServePage(const std::string& envelope) {
    simulator_->AddPage("/v1/Conferences/CF00000000000000000000000000000001/Participants",
                        absl::StrCat(R"({"participants":[{"label":"first"}],)", envelope, "}"));
  }
  Listing ListPages() { return List(ConferenceRequest("CF00000000000000000000000000000001")); }
};

TEST_F(NextLinkTest, LinkElsewhereIsNotFollowed) {
  auto elsewhere = simulator::Simulator::Start();
  ASSERT_TRUE(elsewhere.ok());
  const std::string path = "/v1/Conferences/CF00000000000000000000000000000001/Participants?Page=1";
  const std::string port = simulator_->base_url().substr(simulator_->base_url().rfind(':'));
  for (const std::string& link :
       {absl::StrCat((*elsewhere)->base_url(), path), absl::StrCat("http://localhost", port, path),
        absl::StrCat("https://127.0.0.1", port, path),
        absl::StrCat("http://u:p@127.0.0.1", port, path),
        absl::StrCat("http://127.0.0.1", port, "@", (*elsewhere)->base_url().substr(7), path),
        absl::StrCat("//", (*elsewhere)->base_url().substr(7), path),
        std::string("file:///etc/passwd"), absl::StrCat("http://127.0.0.1", port, "/v1/../../x")}) {
    ServePage(absl::StrCat(R"("meta":{"next_page_url":)", nlohmann::json(link).dump(), "}"));
    const Listing listing = ListPages();
    EXPECT_EQ(listing.status.error_code(), grpc::StatusCode::INTERNAL) << link;
    EXPECT_EQ(Reason(listing.status), "UPSTREAM_BAD_NEXT_LINK") << link;
    EXPECT_EQ(listing.participants.size(), 1u);
  }
  EXPECT_TRUE((*elsewhere)->requests().empty());
}

TEST_F(NextLinkTest, LinkToAPageAlreadyReadEndsTheList) {
  ServePage(absl::StrCat(
      R"("meta":{"next_page_url":")", simulator_->base_url(),
      R"(/v1/Conferences/CF00000000000000000000000000000001/Participants?Page=1\u0026PageToken=x"})"));
  const Listing listing = ListPages();
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_BAD_NEXT_LINK");
  EXPECT_EQ(listing.participants.size(), 2u);  // the page, and the same one again by its link
}

TEST_F(NextLinkTest, DuplicateLinksMakeThePageMalformed) {
  std::string links;
  for (int i = 0; i < 1000; ++i) {
    absl::StrAppend(&links, R"("meta":{"next_page_url":")", simulator_->base_url(),
                    "/v1/Conferences/CF00000000000000000000000000000001/Participants?Page=", i,
                    R"("},)");
  }
  ServePage(absl::StrCat(links, R"("page":0)"));
  const Listing listing = ListPages();
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_MALFORMED_RESPONSE");
  EXPECT_LE(std::stoi(listing.trailers.at("rollcall-attempts")), 2);
}

TEST_F(NextLinkTest, LinkToTheBaseUrlItselfIsNotFollowed) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0]["insights_base_url"] = simulator_->base_url() + "/gateway";
  StartDaemon(configuration);
  simulator_->AddPage("/gateway/v1/Conferences/CF00000000000000000000000000000001/Participants",
                      absl::StrCat(R"({"participants":[],"meta":{"next_page_url":")",
                                   simulator_->base_url(), R"(/gateway?Page=1"}})"));
  EXPECT_EQ(Reason(ListPages().status), "UPSTREAM_BAD_NEXT_LINK");
}

TEST_F(NextLinkTest, EmptyPageWithALinkContinues) {
  const std::string path = "/v1/Conferences/CF00000000000000000000000000000001/Participants";
  for (int page = 0; page < 4; ++page) {
    const std::string next =
        page == 3 ? "null"
                  : absl::StrCat("\"", simulator_->base_url(), R"(\/v1\/Conferences)",
                                 path.substr(15), "?Page=", page + 1, R"(\u0026PageToken=t")");
    simulator_->AddPage(page == 0 ? absl::StrCat(path, "?PageSize=1000")
                                  : absl::StrCat(path, "?Page=", page, "&PageToken=t"),
                        absl::StrCat(R"({"meta":{"next_page_url":)", next, R"(},"participants":[)",
                                     page == 1 ? "" : R"({"label":"x"})", "]}"));
  }
  const Listing listing = ListPages();
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 3u);
}

TEST_F(NextLinkTest, SignalWireLinksWithoutPrefixAreFollowed) {
  const std::string base =
      absl::StrCat("/2010-04-01/Accounts/", simulator::DefaultAccount(simulator::Api::kSignalWire),
                   "/Conferences/00000000-0000-0000-0000-000000000001/Participants");
  simulator_->AddPage(absl::StrCat("/api/laml", base, "?PageSize=1000"),
                      absl::StrCat(R"({"participants":[{}],"next_page_uri":")", base,
                                   R"(?Page=1&PageToken=PA1"})"));
  simulator_->AddPage(absl::StrCat("/api/laml", base, "?Page=1&PageToken=PA1"),
                      R"({"next_page_uri":null,"participants":[{},{}]})");
  v1::ListParticipantsRequest request;
  request.set_upstream("signalwire");
  request.mutable_live_participants()->set_conference_sid("00000000-0000-0000-0000-000000000001");
  const Listing listing = List(request);
  EXPECT_TRUE(listing.status.ok()) << listing.status.error_message();
  EXPECT_EQ(listing.participants.size(), 3u);
}

TEST_F(NextLinkTest, ListEndsAtMaxPages) {
  StartDaemon({{"limits", {{"max_pages_per_list", 3}}}});
  v1::ListParticipantsRequest request = ConferenceRequest(50);
  request.set_page_size(10);
  const Listing listing = List(request);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_LIMIT_EXCEEDED");
  EXPECT_EQ(listing.participants.size(), 30u);
}

TEST_F(UpstreamErrorTest, StrictUpstreamFailsOnUnrecognizedValues) {
  nlohmann::json configuration = Configuration();
  configuration["upstreams"][0]["strict"] = true;
  StartDaemon(configuration);
  simulator_->AddPage("/v1/Conferences/CF00000000000000000000000000000001/Participants",
                      R"({"meta":{"next_page_url":null},
                          "participants":[{"call_type":"sip"},{"call_type":"pigeon"}]})");
  const Listing listing = List(ConferenceRequest("CF00000000000000000000000000000001"));
  EXPECT_EQ(listing.participants.size(), 1u);
  EXPECT_EQ(Reason(listing.status), "UPSTREAM_UNRECOGNIZED_VALUE");
  EXPECT_THAT(listing.status.error_message(), HasSubstr("call_type"));
}

}  // namespace
}  // namespace rollcall
