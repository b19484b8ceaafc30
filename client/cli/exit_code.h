#pragma once

// What the program `rollcall` tells the shell. Scripts rely on these numbers: they are listed in
// the program's help and do not change. Used by everything that may end a command, on the main
// thread.

namespace rollcall {

// The command did what it was asked to. A list is complete up to its limit.
inline constexpr int kExitOk = 0;

// Any other failure, for example INTERNAL, FAILED_PRECONDITION or a full disk.
inline constexpr int kExitFailure = 1;

// The command line is wrong, or the service answered INVALID_ARGUMENT.
inline constexpr int kExitUsage = 2;

// NOT_FOUND.
inline constexpr int kExitNotFound = 3;

// PERMISSION_DENIED or UNAUTHENTICATED.
inline constexpr int kExitAccessDenied = 4;

// Worth another try later: UNAVAILABLE, ABORTED, and RESOURCE_EXHAUSTED unless by a configured
// limit.
inline constexpr int kExitTryAgain = 5;

// DEADLINE_EXCEEDED.
inline constexpr int kExitDeadline = 6;

// A signal ended the command: this and the signal's number, so 130 for Ctrl-C.
inline constexpr int kExitSignalBase = 128;

// The reader of the output went away, as in `rollcall ... | head`. It is what a shell reports for a
// program that SIGPIPE ended; it is not 0 because the list was not written to its end.
inline constexpr int kExitBrokenPipe = 141;

}  // namespace rollcall
