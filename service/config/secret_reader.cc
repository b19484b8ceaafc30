#include "service/config/secret_reader.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "service/files/read_file.h"
#include "service/json/value_form.h"
#include "service/secrets/secret_text.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

bool IsNotEmpty(absl::string_view text) { return !text.empty(); }

struct FoundSecret {
  std::string text;
  std::string file;  // that holds it; empty if none does
};

// nullopt if the key is absent or wrong; a wrong value adds a problem.
std::optional<FoundSecret> FindSecret(JsonObjectReader& reader, absl::string_view key,
                                      const Environment& env, Problems& problems) {
  const json* value = reader.Find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return FoundSecret{value->get<std::string>(), ""};
  if (!value->is_object()) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm));
    return std::nullopt;
  }
  JsonObjectReader source(*value, reader.PathOf(key), problems);
  const bool is_one_source = source.Has("env") != source.Has("file");
  const std::optional<std::string> name =
      source.String("env", "the name of an environment variable", IsNotEmpty);
  const std::optional<std::string> path = source.String("file", kFilePathForm, IsPath);
  source.Finish();
  if (!is_one_source) {
    reader.Problem(key, absl::StrCat("expected ", kSecretForm, ": one of the two keys"));
    return std::nullopt;
  }
  if (name) {
    std::optional<std::string> text = env(*name);
    if (text) return FoundSecret{*std::move(text), ""};
    source.Problem("env", "there is no environment variable of this name");
  }
  if (path) {
    absl::StatusOr<std::string> text = ReadFile(*path, kMaxSecretFileBytes);
    if (text.ok()) return FoundSecret{*std::move(text), *path};
    source.Problem("file", text.status().message());
  }
  return std::nullopt;
}

}  // namespace

std::optional<CurrentSecret> ReadCurrentSecret(JsonObjectReader& reader, absl::string_view key,
                                               const Environment& env, Problems& problems) {
  std::optional<FoundSecret> found = FindSecret(reader, key, env, problems);
  if (!found) return std::nullopt;
  const absl::string_view text = found->file.empty() ? found->text : WithoutLineEnd(found->text);
  const absl::string_view problem = SecretProblem(text);
  std::optional<CurrentSecret> secret;
  if (problem.empty()) {
    secret.emplace(Secret(text), found->file);
  } else {
    reader.Problem(key, problem);
  }
  explicit_bzero(found->text.data(), found->text.size());
  return secret;
}

}  // namespace rollcall::service
