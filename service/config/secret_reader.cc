#include "service/config/secret_reader.h"

#include <cerrno>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "service/config/forms.h"

namespace rollcall {
namespace {

using nlohmann::json;

bool IsNotEmpty(absl::string_view text) { return !text.empty(); }

// Finds a secret's text where the configuration says that it is.
std::optional<std::string> SecretText(JsonObjectReader& reader, absl::string_view key,
                                      const Environment& env, Problems& problems) {
  const json* value = reader.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  if (!value->is_object()) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm));
    return std::nullopt;
  }
  JsonObjectReader source(*value, reader.PathOf(key), problems);
  const bool is_one_source = source.Has("env") != source.Has("file");
  const std::optional<std::string> name =
      source.String("env", "the name of an environment variable", IsNotEmpty);
  const std::optional<std::string> path = source.String("file", "the path of a file", IsPath);
  source.Finish();
  if (!is_one_source) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm, ": one of the two keys"));
    return std::nullopt;
  }
  if (name) {
    std::optional<std::string> text = env(*name);
    if (!text) source.Problem("env", "there is no environment variable of this name");
    return text;
  }
  if (path) {
    absl::StatusOr<std::string> text = ReadFile(*path, kMaxSecretBytes);
    if (!text.ok()) {
      source.Problem("file", text.status().message());
      return std::nullopt;
    }
    // Editors and `echo` end a file with a line break, which is not part of the secret.
    absl::string_view stripped = *text;
    while (absl::ConsumeSuffix(&stripped, "\n") || absl::ConsumeSuffix(&stripped, "\r")) {
    }
    return std::string(stripped);
  }
  return std::nullopt;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  if (file == nullptr) return absl::ErrnoToStatus(errno, "cannot open the file");
  std::string text(max_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) return absl::ErrnoToStatus(errno, "cannot read the file");
  return text;
}

std::optional<Secret> ReadSecret(JsonObjectReader& reader, absl::string_view key,
                                 const Environment& env, Problems& problems) {
  const std::optional<std::string> text = SecretText(reader, key, env, problems);
  if (!text) return std::nullopt;
  const absl::string_view problem = SecretProblem(*text);
  if (!problem.empty()) {
    reader.Problem(key, problem);
    return std::nullopt;
  }
  return Secret(*text);
}

}  // namespace rollcall
