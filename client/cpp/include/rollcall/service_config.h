// The gRPC service config of callers: calls go to all replicas in turn, not to those that say that
// they do not serve, and again where one was not there. It is client/service_config.json, which
// programs in other languages can use as it stands. Used by MakeChannel(), and by programs that
// make channels themselves.
#pragma once

namespace rollcall {

// JSON, for grpc::ChannelArguments::SetServiceConfigJSON().
extern const char* const kServiceConfigJson;

}  // namespace rollcall
