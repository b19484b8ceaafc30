#include "client/cli/connection_options.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/cli/pem_check.h"

namespace rollcall {
namespace {

std::string FromEnvironment(const char* name, const char* otherwise) {
  const char* const value = std::getenv(name);
  return value == nullptr || *value == '\0' ? otherwise : value;
}

bool IsPort(absl::string_view text) {
  int port;
  return absl::SimpleAtoi(text, &port) && port > 0 && port <= 65535;
}

// gRPC would use port 443 for a target without a port, which is not rollcalld's.
std::string CheckServer(const std::string& server) {
  if (server.find("://") != std::string::npos) {
    if (absl::StartsWith(server, "http")) return server + " is a URL; use HOST:PORT";
    return "";
  }
  for (absl::string_view scheme : {"unix:", "dns:", "ipv4:", "ipv6:", "xds:"}) {
    if (absl::StartsWith(server, scheme)) return "";
  }
  const size_t colon = server.rfind(':');
  if (colon == std::string::npos || colon == 0 ||
      !IsPort(absl::string_view(server).substr(colon + 1))) {
    return "\"" + server + "\" is not HOST:PORT, for example localhost:50051";
  }
  const absl::string_view host = absl::string_view(server).substr(0, colon);
  if (absl::StrContains(host, ":") && !(host.front() == '[' && host.back() == ']')) {
    return "write an IPv6 address in brackets: [::1]:50051";
  }
  return "";
}

// The content of a file of at most 1 MiB. Throws CLI::ValidationError.
std::string ReadFile(const std::string& option, const std::string& path) {
  constexpr size_t kMaxBytes = size_t{1} << 20;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             std::fclose);
  std::string text(kMaxBytes + 1, '\0');
  if (file != nullptr) text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (file == nullptr || std::ferror(file.get()) != 0) {
    throw CLI::ValidationError(option,
                               absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  }
  if (text.size() > kMaxBytes) {
    throw CLI::ValidationError(option, absl::StrCat(path, " is larger than 1 MiB"));
  }
  return text;
}

std::string ReadCertificates(const std::string& option, const std::string& path) {
  std::string text = ReadFile(option, path);
  if (!HoldsCertificates(text)) {
    throw CLI::ValidationError(option,
                               absl::StrCat(path, " has no PEM certificate, or a malformed one"));
  }
  return text;
}

std::string ReadKey(const std::string& option, const std::string& path,
                    const std::string& certificate) {
  std::string text = ReadFile(option, path);
  if (!HoldsPrivateKey(text)) {
    throw CLI::ValidationError(
        option, absl::StrCat(path, " has no PEM private key, or one with a password"));
  }
  if (!BelongTogether(certificate, text)) {
    throw CLI::ValidationError(
        option,
        absl::StrCat("the key in ", path, " does not match the first certificate of --cert"));
  }
  return text;
}

}  // namespace

ConnectionArguments::ConnectionArguments()
    : server(FromEnvironment("ROLLCALL_SERVER", "localhost:50051")),
      token_file(FromEnvironment("ROLLCALL_TOKEN_FILE", "")) {}

void AddConnectionOptions(CLI::App& command, ConnectionArguments& arguments) {
  // Not the parser's own support for environment variables, which would apply them to all commands,
  // given or not.
  command
      .add_option("--server", arguments.server,
                  "Address of rollcalld (default: ROLLCALL_SERVER, otherwise localhost:50051)")
      ->type_name("HOST:PORT");
  command.add_flag(
      "--tls", arguments.tls,
      "Encrypt; verify rollcalld's certificate by the system's authorities, or --ca-file");
  command
      .add_option(
          "--ca-file", arguments.ca_file,
          "PEM file of the authorities that may sign rollcalld's certificate; implies --tls")
      ->type_name("FILE");
  CLI::Option* cert =
      command
          .add_option("--cert", arguments.cert, "PEM file of your own certificate; implies --tls")
          ->type_name("FILE");
  CLI::Option* key =
      command.add_option("--key", arguments.key, "PEM file of the private key of --cert")
          ->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  command
      .add_option("--token-file", arguments.token_file,
                  "File with your token (default: ROLLCALL_TOKEN_FILE); needs --tls, --ca-file or "
                  "--cert")
      ->type_name("FILE");
}

std::string ServerOf(const ConnectionArguments& arguments) {
  if (const std::string error = CheckServer(arguments.server); !error.empty()) {
    throw CLI::ValidationError("--server or ROLLCALL_SERVER", error);
  }
  return arguments.server;
}

ChannelOptions ReadChannelOptions(const ConnectionArguments& arguments) {
  ChannelOptions options;
  if (arguments.tls || !arguments.ca_file.empty() || !arguments.cert.empty()) {
    ChannelTls& tls = options.tls.emplace();
    if (!arguments.ca_file.empty()) {
      tls.ca_certificates = ReadCertificates("--ca-file", arguments.ca_file);
    }
    if (!arguments.cert.empty()) {
      tls.certificate = ReadCertificates("--cert", arguments.cert);
      tls.private_key = ReadKey("--key", arguments.key, tls.certificate);
    }
  }
  if (arguments.token_file.empty()) return options;
  constexpr char kOption[] = "--token-file or ROLLCALL_TOKEN_FILE";
  if (!options.tls) {
    throw CLI::ValidationError(kOption,
                               "a token is only sent over TLS; add --tls, --ca-file or --cert");
  }
  const std::string text = ReadFile(kOption, arguments.token_file);
  std::string token(absl::StripAsciiWhitespace(text));
  const bool good = !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!good) {
    throw CLI::ValidationError(kOption,
                               absl::StrCat(arguments.token_file, " does not hold a token"));
  }
  options.token = [token = std::move(token)] { return token; };
  return options;
}

}  // namespace rollcall
