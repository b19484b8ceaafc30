// The gRPC server with its services: the participant service, grpc.health.v1 and reflection.
// Thread-safe.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "service/access/access.h"
#include "service/admin/admin_pages.h"
#include "service/config/config.h"
#include "service/metrics/telemetry.h"

namespace rollcall::service {

class Server {
 public:
  // Listens on `config.listen` and serves the callers that `access` admits, or all if it is null.
  // An error says why it cannot. `telemetry` and `admin_pages` must outlive the server, which gives
  // the latter its state.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Config config,
                                                       std::unique_ptr<Access> access,
                                                       Telemetry& telemetry,
                                                       AdminPages& admin_pages);

  // Ends running calls at once.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Host and port; the actual port if the configuration has 0.
  const std::string& address() const;

  // Refuses new calls, turns health NOT_SERVING, and gives running calls up to `time`. Then ends
  // the remaining ones with SERVER_DRAINING; lists get a resume token.
  void Drain(std::chrono::milliseconds time);

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace rollcall::service
