#pragma once

// Secrets for tests that search all output of the service. Each secret contains a mark that occurs
// nowhere else.

namespace rollcall {

inline constexpr char kMark[] = "xyzzy";
inline constexpr char kTwilioToken[] = "Twilio-xyzzy-token";
inline constexpr char kSignalWireToken[] = "SignalWire-xyzzy-token";

}  // namespace rollcall
