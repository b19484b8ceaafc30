// Channels to rollcalld with settings for long streams and several replicas, and the program's
// credentials. Thread-safe.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/support/channel_arguments.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"

namespace rollcall {

// How a connection is encrypted. All texts are PEM and are read once.
struct ChannelTls {
  // The authorities that may sign the service's certificate. Empty: the system's.
  std::string ca_certificates;

  // The program's own certificate, followed by its intermediate certificates, and the private key.
  // Set both or neither.
  std::string certificate;
  std::string private_key;
};

struct ChannelOptions {
  // Names the program, for proxies and traces.
  std::string user_agent;

  // Not set: no encryption.
  std::optional<ChannelTls> tls;

  // Returns the token for each call; an empty token is not sent. May be called on any thread, for
  // several calls at once, and must not throw. Not set: no token. If it is set, the channel is
  // encrypted even without `tls`.
  std::function<std::string()> token;

  // The largest message that the channel accepts, which bounds the memory of a call. A larger one
  // ends the call with RESOURCE_EXHAUSTED, which is not retried. A message is one participant;
  // rollcalld bounds it by its setting max_record_bytes.
  int max_message_bytes = 64 * 1024 * 1024;

  // While a call runs on a connection from which nothing has arrived for `keepalive_time`, the
  // channel pings the server. If nothing arrives for `keepalive_timeout` after that, the calls on
  // the connection end with UNAVAILABLE, and lists resume on another. rollcalld allows a ping every
  // 20 s, and closes connections that ping more often.
  absl::Duration keepalive_time = absl::Seconds(30);
  absl::Duration keepalive_timeout = absl::Seconds(20);
};

// A channel to `target`: HOST:PORT, or any other gRPC target. If the name has several addresses,
// calls go to them in turn, and a replica that is gone or reports NOT_SERVING gets none
// (rollcall/service_config.h). Names with several addresses are dns:///HOST:PORT or plain
// HOST:PORT. A lost connection is made again within seconds, after resolving the name again.
// Messages are not compressed. The channel connects at the first call: errors in the options show
// there.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options);

// The same without encryption.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target);

// Sets on `arguments` what MakeChannel() sets, for a channel that the program makes itself; `tls`
// and `token` are credentials and have no effect here. It turns gRPC's own retries off, even if a
// service config asks for them: ParticipantClient retries by itself, and each of its attempts would
// become several.
void ApplyChannelOptions(const ChannelOptions& options, grpc::ChannelArguments& arguments);

}  // namespace rollcall
