// The streams of gRPC's own services, health (Watch) and reflection. gRPC does not limit them, each
// reflection stream takes a thread, and each delays a shutdown to its deadline. Thread-safe.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/support/server_interceptor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>

#include "service/sync/mutex.h"

namespace rollcall::service {

class BuiltinStreams {
 public:
  explicit BuiltinStreams(size_t max) : max_(max) {}
  BuiltinStreams(const BuiltinStreams&) = delete;
  BuiltinStreams& operator=(const BuiltinStreams&) = delete;

  // For the server's builder. This must outlive the server. Calls of `own_service`, a full name,
  // and unary calls are not watched.
  std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeInterceptorFactory(
      std::string own_service);

  // Cancels all streams, and each that begins later.
  void CancelAll();

 private:
  class Factory;
  class Stream;

  // False if the stream must be cancelled.
  bool Add(grpc_call* call);
  void Remove(grpc_call* call);

  const size_t max_;

  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::unordered_set<grpc_call*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall::service
