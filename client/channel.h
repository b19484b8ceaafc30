// Channels to rollcalld that suit long streams and several replicas. Used by programs at their
// start, on any thread.
#pragma once

#include <grpcpp/channel.h>

#include <memory>
#include <string>

namespace rollcall {

// A channel without encryption to `target`: HOST:PORT, or whatever else gRPC takes. Where the name
// has several addresses, calls go to them in turn, and to the others while one is gone or says that
// it does not serve (client/service_config.h). Such a name is dns:///HOST:PORT, or plain HOST:PORT.
// A lost connection is made again within seconds, and the name looked up again. `user_agent` names
// the program, for proxies and traces. Nothing is connected before the first call.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const std::string& user_agent = "");

}  // namespace rollcall
