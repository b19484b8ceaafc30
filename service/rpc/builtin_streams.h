// The streams of gRPC's own services, health (Watch) and reflection. gRPC does not limit them: each
// reflection stream takes a thread, and a stream of either service delays a shutdown to its
// deadline. Only reflection is limited here, because each connection of a client that checks health
// has a Watch stream. Thread-safe.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/support/server_interceptor.h>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_set>

#include "absl/status/status.h"
#include "service/sync/mutex.h"

namespace rollcall::service {

class BuiltinStreams {
 public:
  explicit BuiltinStreams(size_t max_reflection) : max_reflection_(max_reflection) {}
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

  // OK, or the reason to cancel the stream.
  absl::Status Add(grpc_call* call, bool is_reflection);
  void Remove(grpc_call* call, bool is_reflection);

  const size_t max_reflection_;

  Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  size_t reflection_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unordered_set<grpc_call*> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rollcall::service
