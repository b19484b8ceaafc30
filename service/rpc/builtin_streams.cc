#include "service/rpc/builtin_streams.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace rollcall::service {

// Lives as long as its stream. gRPC has set the stream's call by the first interception.
class BuiltinStreams::Stream final : public grpc::experimental::Interceptor {
 public:
  Stream(BuiltinStreams& streams, grpc::ServerContextBase& context, bool is_reflection)
      : streams_(streams), context_(context), is_reflection_(is_reflection) {}
  ~Stream() override {
    if (is_added_) streams_.Remove(call_, is_reflection_);
    if (call_ != nullptr) grpc_call_unref(call_);
  }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (call_ == nullptr && context_.c_call() != nullptr) {
      call_ = context_.c_call();
      grpc_call_ref(call_);
      const absl::Status status = streams_.Add(call_, is_reflection_);
      is_added_ = status.ok();
      if (!is_added_) {
        grpc_call_cancel_with_status(call_, static_cast<grpc_status_code>(status.code()),
                                     std::string(status.message()).c_str(), nullptr);
      }
    }
    methods->Proceed();
  }

 private:
  BuiltinStreams& streams_;
  grpc::ServerContextBase& context_;
  const bool is_reflection_;
  grpc_call* call_ = nullptr;
  bool is_added_ = false;
};

class BuiltinStreams::Factory final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  Factory(BuiltinStreams& streams, std::string own_service)
      : streams_(streams), own_service_(std::move(own_service)) {}

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override {
    const absl::string_view method = absl::StripPrefix(info->method(), "/");
    const bool is_own = absl::StartsWith(method, own_service_);
    if (is_own || info->type() == grpc::experimental::ServerRpcInfo::Type::UNARY) return nullptr;
    const bool is_reflection = absl::StartsWith(method, "grpc.reflection.");
    return new Stream(streams_, *info->server_context(), is_reflection);
  }

 private:
  BuiltinStreams& streams_;
  const std::string own_service_;
};

std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>
BuiltinStreams::MakeInterceptorFactory(std::string own_service) {
  return std::make_unique<Factory>(*this, std::move(own_service));
}

absl::Status BuiltinStreams::Add(grpc_call* call, bool is_reflection) {
  const MutexLock lock(mutex_);
  if (ended_) return absl::UnavailableError("replica is draining");
  if (is_reflection && reflection_ == max_reflection_) {
    return absl::ResourceExhaustedError("too many reflection streams");
  }
  if (is_reflection) ++reflection_;
  calls_.insert(call);
  return absl::OkStatus();
}

void BuiltinStreams::Remove(grpc_call* call, bool is_reflection) {
  const MutexLock lock(mutex_);
  if (is_reflection) --reflection_;
  calls_.erase(call);
}

// Not under the lock: cancelling may end streams, which call Remove().
void BuiltinStreams::CancelAll() {
  std::vector<grpc_call*> calls;
  {
    const MutexLock lock(mutex_);
    ended_ = true;
    calls.assign(calls_.begin(), calls_.end());
    for (grpc_call* const call : calls) grpc_call_ref(call);
  }
  for (grpc_call* const call : calls) {
    grpc_call_cancel(call, nullptr);
    grpc_call_unref(call);
  }
}

}  // namespace rollcall::service
