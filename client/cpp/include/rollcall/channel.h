// Channels to rollcalld that suit long streams and several replicas, and how a program shows the
// service who it is. Used by programs at their start, on any thread.
#pragma once

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace rollcall {

// How a connection is encrypted. All texts are in PEM form, and read once.
struct ChannelTls {
  // Those who may sign the service's certificate; the system's authorities where empty.
  std::string ca_certificates;

  // The program's own certificate with those that lead from it to an authority, and its key. Both
  // or neither.
  std::string certificate;
  std::string private_key;
};

struct ChannelOptions {
  // Names the program, for proxies and traces.
  std::string user_agent;

  // Not set: without encryption.
  std::optional<ChannelTls> tls;

  // Gives the token that each call is made with. May be called on any thread and for several calls
  // at once, and must not throw; where it gives an empty text, the call is made without one. Not
  // set: no token. Where it is set the channel is encrypted, also without `tls`.
  std::function<std::string()> token;
};

// A channel to `target`: HOST:PORT, or whatever else gRPC takes. Where the name has several
// addresses, calls go to them in turn, and to the others while one is gone or says that it does not
// serve (rollcall/service_config.h). Such a name is dns:///HOST:PORT, or plain HOST:PORT. A lost
// connection is made again within seconds, and the name looked up again. Nothing is connected
// before the first call: what is wrong with the options shows there.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target,
                                           const ChannelOptions& options);

// The same without encryption.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& target);

}  // namespace rollcall
