#include "client/cli/call.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rollcall {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const std::string& server) {
  grpc::ChannelArguments arguments;
  arguments.SetUserAgentPrefix("rollcall-cli/" ROLLCALL_VERSION);
  return grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments);
}

ListCounts CountsIn(const grpc::ClientContext& context) {
  ListCounts counts;
  for (const char* name :
       {"records", "pages", "attempts", "duplicates-suppressed", "unrecognized"}) {
    const auto found = context.GetServerTrailingMetadata().find(absl::StrCat("rollcall-", name));
    if (found == context.GetServerTrailingMetadata().end()) continue;
    int64_t count;
    const absl::string_view text(found->second.data(), found->second.size());
    if (absl::SimpleAtoi(text, &count)) counts[name] = count;
  }
  return counts;
}

}  // namespace

ParticipantCall::ParticipantCall(const std::string& server, std::optional<absl::Duration> timeout,
                                 Interrupt& interrupt)
    : stub_(v1::ParticipantService::NewStub(MakeChannel(server))),
      timeout_(timeout),
      interrupt_(interrupt) {}

void ParticipantCall::Prepare(grpc::ClientContext& context) const {
  if (timeout_.has_value()) context.set_deadline(absl::ToChronoTime(absl::Now() + *timeout_));
  interrupt_.Watch(&context);
}

grpc::Status ParticipantCall::List(
    const v1::ListParticipantsRequest& request,
    absl::FunctionRef<bool(const v1::ListParticipantsResponse&)> on_response, ListCounts& counts) {
  grpc::ClientContext context;
  Prepare(context);
  const absl::Cleanup unwatch = [this] { interrupt_.Watch(nullptr); };
  const auto reader = stub_->ListParticipants(&context, request);
  v1::ListParticipantsResponse response;
  while (reader->Read(&response)) {
    if (!on_response(response)) {
      context.TryCancel();
      break;
    }
  }
  grpc::Status status = reader->Finish();
  counts = CountsIn(context);
  return status;
}

grpc::Status ParticipantCall::Get(const v1::GetParticipantRequest& request,
                                  v1::GetParticipantResponse& response) {
  grpc::ClientContext context;
  Prepare(context);
  const absl::Cleanup unwatch = [this] { interrupt_.Watch(nullptr); };
  return stub_->GetParticipant(&context, request, &response);
}

}  // namespace rollcall
