// Exit codes of the program `rollcall`. Scripts rely on these numbers: --help lists them, and they
// do not change.
#pragma once

namespace rollcall {

// Success. A list is complete up to its limit.
inline constexpr int kExitOk = 0;

// Any other failure, for example INTERNAL, FAILED_PRECONDITION or a full disk.
inline constexpr int kExitFailure = 1;

// The command line is wrong, or the service returned INVALID_ARGUMENT.
inline constexpr int kExitUsage = 2;

// NOT_FOUND.
inline constexpr int kExitNotFound = 3;

// PERMISSION_DENIED or UNAUTHENTICATED.
inline constexpr int kExitAccessDenied = 4;

// Likely to succeed later: UNAVAILABLE, ABORTED (without --resume), RESOURCE_EXHAUSTED unless the
// cause is a configured limit, and other codes if the service advises to call again.
inline constexpr int kExitTryAgain = 5;

// DEADLINE_EXCEEDED.
inline constexpr int kExitDeadline = 6;

// A signal ended the command: this plus the signal's number, so 130 for Ctrl-C.
inline constexpr int kExitSignalBase = 128;

// The reader of the output closed it, as in `rollcall ... | head`. Shells report this code for a
// program that SIGPIPE ended. It is not 0, because the list was not written completely.
inline constexpr int kExitBrokenPipe = 141;

}  // namespace rollcall
