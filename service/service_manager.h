// Notifies the service manager that started rollcalld (systemd, or another that speaks
// sd_notify(3)) when the service is ready and when it stops. Called by main().
#pragma once

#include <chrono>

namespace rollcall::service {

// These do nothing if NOTIFY_SOCKET is not set or the message cannot be sent.

// The service accepts calls.
void TellServiceManagerReady();

// The service is stopping, and needs at most this long.
void TellServiceManagerStopping(std::chrono::milliseconds longest);

}  // namespace rollcall::service
