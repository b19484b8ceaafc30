#pragma once

// Secrets for tests that search everything the service wrote for a mark which is in each secret and
// nowhere else.

namespace rollcall {

inline constexpr char kMark[] = "xyzzy";
inline constexpr char kTwilioToken[] = "Twilio-xyzzy-token";
inline constexpr char kSignalWireToken[] = "SignalWire-xyzzy-token";

}  // namespace rollcall
