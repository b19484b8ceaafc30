#include "client/channel.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include "client/service_config.h"

namespace rollcall {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const std::string& user_agent) {
  grpc::ChannelArguments arguments;
  if (!user_agent.empty()) arguments.SetUserAgentPrefix(user_agent);
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
  return grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace rollcall
