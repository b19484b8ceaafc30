// The command's error messages if it and the server disagree on TLS, from gRPC's real messages.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "client/cli/exit_code.h"
#include "tests/client/fake_server.h"
#include "tests/client/run_command.h"
#include "tests/end_to_end/certificate.h"

namespace rollcall {
namespace {

using ::testing::HasSubstr;

class TlsCommandTest : public ::testing::Test {
 protected:
  TlsCommandTest() {
    std::string path = (std::filesystem::temp_directory_path() / "rollcall-tls-XXXXXX").string();
    if (mkdtemp(path.data()) == nullptr) throw std::runtime_error("no folder for the test");
    folder_ = path;
  }
  ~TlsCommandTest() override { std::filesystem::remove_all(folder_); }

  // Credentials of a server whose certificate is for `names`.
  std::shared_ptr<grpc::ServerCredentials> Credentials(
      grpc_ssl_client_certificate_request_type request,
      const std::string& names = "IP:127.0.0.1") const {
    const Certificate server = authority_.SignNames(names);
    grpc::SslServerCredentialsOptions options(request);
    options.pem_key_cert_pairs.push_back({server.key(), server.certificate()});
    options.pem_root_certs = authority_.certificate();
    return grpc::SslServerCredentials(options);
  }

  std::string File(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }

  // The options for a certificate and its key.
  std::vector<std::string> Pair(const std::string& name, const Certificate& certificate) const {
    return {"--cert", File(name + ".pem", certificate.certificate()), "--key",
            File(name + ".key", certificate.key())};
  }

  // Lists with these options.
  static Result List(const FakeServer& server, const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"list",           "live",      "X", "--server",
                                          server.address(), "--retries", "0"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return RunCaptured(arguments);
  }

  // Lists, expects failure, and returns the error message.
  static std::string ErrorOf(const FakeServer& server, const std::vector<std::string>& options) {
    const Result result = List(server, options);
    EXPECT_EQ(result.exit_code, kExitTryAgain);
    return result.err;
  }

  const Certificate authority_ = Certificate::Authority();
  std::filesystem::path folder_;
};

TEST_F(TlsCommandTest, ServerWithoutTls) {
  const FakeServer server;
  EXPECT_THAT(ErrorOf(server, {"--ca-file", File("ca.pem", authority_.certificate())}),
              HasSubstr("does not use TLS: remove --tls, --ca-file and --cert"));
}

TEST_F(TlsCommandTest, ServerWithTls) {
  const FakeServer server(Credentials(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE));
  const std::string ca = File("ca.pem", authority_.certificate());
  const std::string other = File("other.pem", Certificate::Authority("Other").certificate());
  EXPECT_EQ(List(server, {"--ca-file", ca}).exit_code, kExitOk);
  EXPECT_THAT(ErrorOf(server, {}), HasSubstr("may require TLS: add --tls or --ca-file"));
  EXPECT_THAT(ErrorOf(server, {"--ca-file", other}),
              HasSubstr("is not signed by an authority in --ca-file"));
  const FakeServer named(Credentials(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, "DNS:rollcalld"));
  EXPECT_THAT(ErrorOf(named, {"--ca-file", ca}),
              HasSubstr("for another name: set --server to a name in it"));
}

TEST_F(TlsCommandTest, ServerThatRequiresAClientCertificate) {
  const FakeServer server(Credentials(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY));
  const std::vector<std::string> tls = {"--ca-file", File("ca.pem", authority_.certificate())};
  const auto with = [&tls](std::vector<std::string> options) {
    options.insert(options.end(), tls.begin(), tls.end());
    return options;
  };
  const Certificate caller = authority_.SignNames("DNS:caller");
  const Certificate stranger = Certificate::Authority("Other").SignNames("DNS:caller");
  EXPECT_EQ(List(server, with(Pair("caller", caller))).exit_code, kExitOk);
  EXPECT_THAT(ErrorOf(server, tls), HasSubstr("add --cert and --key"));
  EXPECT_THAT(ErrorOf(server, with(Pair("stranger", stranger))),
              HasSubstr("may require another certificate than --cert"));
}

}  // namespace
}  // namespace rollcall
