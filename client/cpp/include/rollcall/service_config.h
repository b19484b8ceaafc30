// The gRPC service config for channels that a program makes itself. MakeChannel() and
// ApplyChannelOptions() (rollcall/channel.h) set it.
#pragma once

namespace rollcall {

// JSON for grpc::ChannelArguments::SetServiceConfigJSON(): calls go to all replicas in turn, except
// those that report NOT_SERVING. It is client/service_config.json without that file's retryPolicy,
// because gRPC's retries would multiply those of ParticipantClient. Programs that call without
// ParticipantClient use the file, which is installed as share/rollcall/service_config.json.
extern const char* const kServiceConfigJson;

}  // namespace rollcall
