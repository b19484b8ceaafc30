#include "service/secrets/secret_text.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace rollcall::service {

absl::string_view WithoutLineEnd(absl::string_view text) {
  while (absl::ConsumeSuffix(&text, "\n") || absl::ConsumeSuffix(&text, "\r")) {
  }
  return text;
}

absl::string_view SecretProblem(absl::string_view text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > kMaxSecretBytes) return "must not be longer than 4096 bytes";
  // The HTTP header encodes the secret, so control characters would do no harm there. They are a
  // sign that the file or variable holds something else.
  if (std::any_of(text.begin(), text.end(),
                  [](char c) { return absl::ascii_iscntrl(static_cast<unsigned char>(c)); })) {
    return "must not contain line breaks or other control characters";
  }
  return "";
}

absl::string_view ResumeKeyProblem(absl::string_view text) {
  const absl::string_view problem = SecretProblem(text);
  if (!problem.empty()) return problem;
  return text.size() < kMinResumeKeyBytes ? "must have at least 32 bytes" : "";
}

}  // namespace rollcall::service
