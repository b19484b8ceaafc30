// What started rollcalld as a service, where that is systemd or speaks its protocol (sd_notify(3)):
// it is told when the service has come to listen and when it begins to end. main() only.
#pragma once

#include <chrono>

namespace rollcall {

// These do nothing where NOTIFY_SOCKET is not set, and where nobody reads it: the service serves
// either way.

// The service listens.
void TellServiceManagerReady();

// The service ends, which may take so long.
void TellServiceManagerStopping(std::chrono::milliseconds longest);

}  // namespace rollcall
