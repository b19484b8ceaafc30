// Who may call, with real certificates: TLS, callers' certificates, and their change.
#include <gmock/gmock.h>
#include <unistd.h>

#include "tests/end_to_end/access.h"

namespace rollcall {
namespace {

using simulator::Direction;
using simulator::Request;
using ::testing::HasSubstr;

class TlsTest : public AccessTest {
 protected:
  // Whether a caller gets a list at all.
  bool Serves(const Certificate* certificate) const {
    return ListOver(*Connect(certificate), ConferenceRequest(3)).status.ok();
  }
};

TEST_F(TlsTest, ServesOverTlsAlone) {
  StartDaemon({{"tls", Tls()}});
  EXPECT_EQ(ListOver(*Connect(), ConferenceRequest(500)).participants.size(), 500u);
  const Listing plain = ListOver(*ConnectWithoutTls(), ConferenceRequest(3));
  EXPECT_EQ(plain.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_TRUE(plain.participants.empty());
}

TEST_F(TlsTest, WithAnAuthorityOnlyThoseItSignedAreServed) {
  StartDaemon({{"tls", MutualTls()}});
  const Certificate good = authority_.SignNames("URI:spiffe://test/caller");
  EXPECT_TRUE(Serves(&good));
  EXPECT_FALSE(Serves(nullptr));
  const Certificate stranger =
      Certificate::Authority("Test authority").SignNames("URI:spiffe://test/caller");
  EXPECT_FALSE(Serves(&stranger));
  const Certificate expired = authority_.SignNames("URI:spiffe://test/caller", -7200, -3600);
  EXPECT_FALSE(Serves(&expired));
  const Certificate early = authority_.SignNames("URI:spiffe://test/caller", 3600, 7200);
  EXPECT_FALSE(Serves(&early));
  EXPECT_TRUE(Serves(&good));
}

TEST_F(TlsTest, ANewCertificateIsMetByNewConnectionsAndARunningListGoesOn) {
  StartDaemon({{"tls", Tls()}});
  const auto stub = Connect();
  simulator_->Direct([](const Request&) {
    Direction direction;
    direction.hold_after = 20000;
    return direction;
  });
  grpc::ClientContext context;
  const auto reader = stub->ListParticipants(&context, ConferenceRequest(500));
  v1::ListParticipantsResponse response;
  ASSERT_TRUE(reader->Read(&response));
  ASSERT_TRUE(simulator_->WaitUntilHolding(1));

  const Certificate renewed = RenewCertificate();
  while (daemon_->IsRunning() && CertificateMet() != renewed.certificate()) {
  }
  EXPECT_TRUE(WaitForLog(R"("event":"reloaded","what":"tls")"));
  simulator_->Release();
  int count = 1;
  while (reader->Read(&response)) ++count;
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(count, 500);
}

TEST_F(TlsTest, ThePairInUseGoesOnWhereTheNewOneIsOfNoUse) {
  StartDaemon({{"tls", Tls()}});
  const std::string met = CertificateMet();
  ASSERT_NE(met, "");
  // A key of somebody else's.
  Write("server.key", authority_.key());
  EXPECT_TRUE(
      WaitForLog(R"("event":"reload refused","what":"tls","problem":"tls.private_key_file: )"
                 R"(the key does not belong)"));
  EXPECT_EQ(CertificateMet(), met);
  unlink(PathOf("server.pem").c_str());
  EXPECT_TRUE(WaitForLog("tls.certificate_file: cannot open the file"));
  EXPECT_EQ(CertificateMet(), met);
  // Whatever was wrong, the next good pair counts.
  const Certificate renewed = RenewCertificate();
  while (daemon_->IsRunning() && CertificateMet() != renewed.certificate()) {
  }
  EXPECT_TRUE(daemon_->IsRunning());
}

TEST_F(TlsTest, WhoSignsCallersChangesToo) {
  StartDaemon({{"tls", MutualTls()}});
  const Certificate other = Certificate::Authority("Other authority");
  const Certificate theirs = other.SignNames("DNS:their.example");
  const Certificate ours = authority_.SignNames("DNS:our.example");
  EXPECT_FALSE(Serves(&theirs));
  Write("ca.pem", authority_.certificate() + other.certificate());
  while (daemon_->IsRunning() && !Serves(&theirs)) {
  }
  EXPECT_TRUE(Serves(&ours));
  Write("ca.pem", other.certificate());
  while (daemon_->IsRunning() && Serves(&ours)) {
  }
  EXPECT_TRUE(Serves(&theirs));
}

TEST(PlaintextTest, OthersAreServedUnencryptedOnlyWhereTheOperatorSaysSo) {
  const nlohmann::json configuration = SimulatorConfiguration("http://127.0.0.1:1");
  nlohmann::json open = configuration;
  open["listen"] = "0.0.0.0:0";
  const auto refused = Daemon::WithConfiguration(open);
  EXPECT_EQ(refused->Wait(), 78);
  EXPECT_THAT(refused->Errors(), HasSubstr("allow_plaintext_callers"));
  open["allow_plaintext_callers"] = true;
  EXPECT_NE(Daemon::WithConfiguration(open)->address(), "");
}

}  // namespace
}  // namespace rollcall
