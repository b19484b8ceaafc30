// rollcalld in front of a KeepAliveServer, to test how responses are matched to requests.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/end_to_end/end_to_end.h"
#include "tests/end_to_end/keep_alive_server.h"

namespace rollcall {

inline constexpr const char* kFirst = kConference;
inline constexpr char kSecond[] = "CF00000000000000000000000000000002";

inline std::string Response(const std::string& status, const std::string& body,
                            const std::string& headers = "") {
  return absl::StrCat("HTTP/1.1 ", status, "\r\n", headers, "Content-Length: ", body.size(),
                      "\r\n\r\n", body);
}

// A page of one record without the conference's sid, so that only the connection distinguishes it
// from another response.
inline std::string Page(const std::string& label, const std::string& next_link = "",
                        size_t padding = 0) {
  return absl::StrCat(R"({"meta":{"next_page_url":)",
                      next_link.empty() ? "null" : absl::StrCat("\"", next_link, "\""),
                      R"(},"participants":[{"conference_sid":null,"label":")", label, R"("}])",
                      std::string(padding, ' '), "}");
}

class KeepAliveFixture : public EndToEndTest {
 protected:
  using Reply = KeepAliveServer::Reply;
  using Request = KeepAliveServer::Request;

  KeepAliveFixture() {
    std::string name = (std::filesystem::temp_directory_path() / "ca-XXXXXX").string();
    close(mkstemp(name.data()));
    ca_file_ = name;
  }
  ~KeepAliveFixture() override { std::filesystem::remove(ca_file_); }

  void SetUp() override {}  // Tests call StartServer() instead.

  // Starts the server, and rollcalld in front of it with changes to its configuration.
  void StartServer(const KeepAliveServer::Options& options,
                   const nlohmann::json& changes = nlohmann::json::object()) {
    server_ = std::make_unique<KeepAliveServer>(options, nullptr);
    std::ofstream(ca_file_) << server_->authority();
    StartDaemon(changes);
  }

  nlohmann::json Configuration() const override {
    nlohmann::json configuration = SimulatorConfiguration(server_->url());
    configuration["event_loops"] = 1;  // so that all requests share connections
    configuration["retry"]["max_attempts"] = 1;
    for (nlohmann::json& upstream : configuration["upstreams"]) upstream["ca_file"] = ca_file_;
    return configuration;
  }

  // Waits until the server is done with every request. Whatever its handler refers to must live
  // until then.
  void WaitForServer() { ASSERT_TRUE(server_->WaitForReplies(server_->requests().size())); }

  static std::vector<std::string> LabelsOf(const Listing& listing) {
    std::vector<std::string> labels;
    for (const v1::Participant& participant : listing.participants) {
      labels.push_back(participant.conference_participant_summary().label());
    }
    return labels;
  }

  void ExpectLabels(const Listing& listing, const std::vector<std::string>& labels,
                    const std::string& what) {
    EXPECT_TRUE(listing.status.ok()) << what << ": " << listing.status.error_message();
    EXPECT_EQ(LabelsOf(listing), labels) << what;
    EXPECT_EQ(listing.trailers.at("rollcall-attempts"), absl::StrCat(labels.size())) << what;
  }

  // Gets a participant of this conference; the label identifies the response.
  grpc::Status GetLabel(const std::string& conference, std::string& label) {
    v1::GetParticipantRequest request;
    request.mutable_conference_participant_summary()->set_conference_sid(conference);
    request.mutable_conference_participant_summary()->set_participant_sid(
        "CP00000000000000000000000000000001");
    v1::Participant participant;
    grpc::Status status = Get(request, participant);
    label = participant.conference_participant_summary().label();
    return status;
  }

  std::unique_ptr<KeepAliveServer> server_;
  std::string ca_file_;
};

}  // namespace rollcall
