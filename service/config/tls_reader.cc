#include "service/config/tls_reader.h"

#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "service/json/value_form.h"
#include "service/tls/tls_files.h"

namespace rollcall::service {
namespace {

bool IsClientCertificates(absl::string_view text) {
  return text == "required" || text == "optional";
}

}  // namespace

std::optional<ServerTlsOptions> ReadTls(JsonObjectReader& document, Problems& problems) {
  using ClientCertificates = ServerTlsOptions::ClientCertificates;
  const nlohmann::json* value = document.Find("tls");
  if (value == nullptr) return std::nullopt;
  JsonObjectReader reader(*value, "tls", problems);
  const auto certificate_file = reader.RequiredString("certificate_file", kFilePathForm, IsPath);
  const auto private_key_file = reader.RequiredString("private_key_file", kFilePathForm, IsPath);
  const auto client_ca_file = reader.String("client_ca_file", kFilePathForm, IsPath);
  const auto client_certificates =
      reader.String("client_certificates", "\"required\" or \"optional\"", IsClientCertificates);
  reader.Finish();
  if (client_certificates && !reader.Has("client_ca_file")) {
    reader.Problem("client_ca_file",
                   absl::StrCat("missing beside client_certificates; expected ", kFilePathForm));
  }
  if (!certificate_file || !private_key_file) return std::nullopt;
  ServerTlsOptions tls{*certificate_file, *private_key_file, client_ca_file.value_or("")};
  if (client_ca_file) {
    tls.client_certificates = client_certificates == "optional" ? ClientCertificates::kOptional
                                                                : ClientCertificates::kRequired;
  }
  ReadTlsFiles(tls, problems);
  return tls;
}

}  // namespace rollcall::service
