#include "rollcall/channel.h"

#include <grpc/compression.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "rollcall/service_config.h"

namespace rollcall {
namespace {

// Adds the token to each call.
class TokenPlugin final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenPlugin(std::function<std::string()> token) : token_(std::move(token)) {}

  // The program may read the token from a file.
  bool IsBlocking() const override { return true; }
  const char* GetType() const override { return "rollcall_token"; }

  grpc::Status GetMetadata(grpc::string_ref /*service_url*/, grpc::string_ref /*method_name*/,
                           const grpc::AuthContext& /*channel_auth_context*/,
                           std::multimap<grpc::string, grpc::string>* metadata) override {
    const std::string token = token_();
    if (!token.empty()) metadata->emplace("authorization", "Bearer " + token);
    return grpc::Status::OK;
  }

  // gRPC logs this: it must not hold the token.
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

// gRPC takes times as an int of at least 1.
void SetMilliseconds(grpc::ChannelArguments& arguments, const char* name, absl::Duration time) {
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  arguments.SetInt(name,
                   static_cast<int>(std::clamp<int64_t>(absl::ToInt64Milliseconds(time), 1, kMax)));
}

}  // namespace

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target) {
  return MakeChannel(target, ChannelOptions());
}

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options) {
  grpc::ChannelArguments arguments;
  ApplyChannelOptions(options, arguments);
  return grpc::CreateCustomChannel(target, CredentialsFor(options), arguments);
}

void ApplyChannelOptions(const ChannelOptions& options, grpc::ChannelArguments& arguments) {
  if (!options.user_agent.empty()) arguments.SetUserAgentPrefix(options.user_agent);
  arguments.SetServiceConfigJSON(kServiceConfigJson);
  // Also overrides the retryPolicy of a service config that replaces ours.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // gRPC's default is 30 s, in which a rolling update may replace every replica that it knows.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 1000);
  arguments.SetMaxReceiveMessageSize(options.max_message_bytes);
  // gRPC checks the size of a compressed message only after decompressing it into memory. The
  // service does not compress.
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  // gRPC's default is up to two minutes between attempts to reconnect, during which calls fail at
  // once: retries would end before the server is reached again.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  SetMilliseconds(arguments, GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_time);
  SetMilliseconds(arguments, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout);
  // gRPC's default stops pinging after two pings without data sent, and a caller of a list only
  // reads.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

}  // namespace rollcall
