// A gRPC server call that can be cancelled at any time, also after its context is gone: a context
// must outlive TryCancel(), and gRPC may destroy it in the middle of that. Any thread.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>

namespace rollcall::service {

class CallHandle {
 public:
  explicit CallHandle(grpc::CallbackServerContext& context) : call_(context.c_call()) {
    grpc_call_ref(call_);
  }
  ~CallHandle() { grpc_call_unref(call_); }
  CallHandle(const CallHandle&) = delete;
  CallHandle& operator=(const CallHandle&) = delete;

  // May call the call's reactor. Has no effect once the call has ended.
  void Cancel() { grpc_call_cancel(call_, nullptr); }

 private:
  grpc_call* const call_;
};

}  // namespace rollcall::service
