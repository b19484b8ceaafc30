#include "rollcall/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <map>
#include <utility>

#include "rollcall/service_config.h"

namespace rollcall {

namespace {

// Adds the token to each call.
class TokenPlugin final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenPlugin(std::function<std::string()> token) : token_(std::move(token)) {}

  // Whoever gives the token may read a file for it.
  bool IsBlocking() const override { return true; }
  const char* GetType() const override { return "rollcall_token"; }

  grpc::Status GetMetadata(grpc::string_ref /*service_url*/, grpc::string_ref /*method_name*/,
                           const grpc::AuthContext& /*channel_auth_context*/,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    const std::string token = token_();
    if (!token.empty()) metadata->emplace("authorization", "Bearer " + token);
    return grpc::Status::OK;
  }

  // Without the token, which gRPC would log.
  grpc::string DebugString() override { return GetType(); }

 private:
  const std::function<std::string()> token_;
};

std::shared_ptr<grpc::ChannelCredentials> CredentialsFor(const ChannelOptions& options) {
  if (!options.tls && options.token == nullptr) return grpc::InsecureChannelCredentials();
  const ChannelTls tls = options.tls.value_or(ChannelTls());
  std::shared_ptr<grpc::ChannelCredentials> credentials =
      grpc::SslCredentials({.pem_root_certs = tls.ca_certificates,
                            .pem_private_key = tls.private_key,
                            .pem_cert_chain = tls.certificate});
  if (options.token == nullptr) return credentials;
  return grpc::CompositeChannelCredentials(
      credentials,
      grpc::MetadataCredentialsFromPlugin(std::make_unique<TokenPlugin>(options.token)));
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  return MakeChannel(target, ChannelOptions());
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  if (!options.user_agent.empty()) arguments.SetUserAgentPrefix(options.user_agent);
  arguments.SetServiceConfigJSON(kServiceConfigJson);
  // ParticipantClient tries again itself, with what it knows of the list and of the error; both
  // together would be too often.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // By default gRPC asks DNS no sooner than 30 s after the last time, and by then a rolling update
  // may have replaced all the replicas that it knows.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  // The service bounds the size of a record; the client takes what it sends.
  arguments.SetMaxReceiveMessageSize(-1);
  // By default gRPC lets up to two minutes pass before it tries a lost address again, and calls
  // fail at once until then: a retry would never meet the server that came back.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  // Finds out that a silent peer is gone. Servers refuse more than one ping in five minutes while
  // nothing else is sent, unless they are told otherwise.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 330 * 1000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 20 * 1000);
  return grpc::CreateCustomChannel(target, CredentialsFor(options), arguments);
}

}  // namespace rollcall
