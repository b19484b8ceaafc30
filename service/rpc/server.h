// The gRPC server with everything it serves: the participant service, grpc.health.v1 and
// reflection. Made by main() and by tests; its members may be called from any thread.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "service/access/access.h"
#include "service/admin/admin_pages.h"
#include "service/config/config.h"
#include "service/metrics/telemetry.h"

namespace rollcall {

class Server {
 public:
  // Listens on `config.listen` and serves the callers that `access` admits, or all if it is null.
  // An error says why it cannot. `telemetry` and `admin_pages` must outlive the server, which gives
  // the latter its state.
  static absl::StatusOr<std::unique_ptr<Server>> Start(Config config,
                                                       std::unique_ptr<Access> access,
                                                       Telemetry& telemetry,
                                                       AdminPages& admin_pages);

  // Ends calls that still run.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Host and port, the latter as chosen where the configuration has 0.
  const std::string& address() const;

  // Takes no new calls, tells health checkers so, and gives those that run up to `time`. Those that
  // run still are then ended where they are, with SERVER_DRAINING and, of a list, a resume token.
  void Drain(std::chrono::milliseconds time);

 private:
  class Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace rollcall
