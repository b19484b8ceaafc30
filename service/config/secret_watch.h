// Has the secrets of a configuration follow their files. Used by the server at its start.
#pragma once

#include <functional>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "service/config/config.h"
#include "service/config/file_watch.h"

namespace rollcall {

// Hears of a file with new content, on the watch's thread: `what` names the secret. OK: it is in
// use, and another than before or the one that was there before it was found wrong. Otherwise it
// stays what it was; the status says why and holds nothing of the file.
using OnSecretChange = std::function<void(absl::string_view what, const absl::Status& status)>;

// Watches the files of all secrets. These are the configuration's own, so that
// whoever has a copy of it sees the new ones.
void WatchSecrets(const Config& config, FileWatch& watch, const OnSecretChange& on_change);

}  // namespace rollcall
