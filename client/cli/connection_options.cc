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

// gRPC would take a target without a port for one with port 443, which nobody means here.
std::string CheckServer(const std::string& server) {
  if (server.find("://") != std::string::npos) {
    if (absl::StartsWith(server, "http")) return server + " is a URL; HOST:PORT is wanted";
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
    return "an IPv6 address is written in brackets: [::1]:50051";
  }
  return "";
}

// The text of a file that is small. Throws as the parser does.
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
    throw CLI::ValidationError(option, absl::StrCat(path, " is over 1 MiB"));
  }
  return text;
}

std::string ReadCertificates(const std::string& option, const std::string& path) {
  std::string text = ReadFile(option, path);
  if (!HoldsCertificates(text)) {
    throw CLI::ValidationError(
        option, absl::StrCat(path, " holds no certificate in PEM form, or one that is broken"));
  }
  return text;
}

std::string ReadKey(const std::string& option, const std::string& path,
                    const std::string& certificate) {
  std::string text = ReadFile(option, path);
  if (!HoldsPrivateKey(text)) {
    throw CLI::ValidationError(
        option, absl::StrCat(path, " holds no private key in PEM form without a password"));
  }
  if (!BelongTogether(certificate, text)) {
    throw CLI::ValidationError(
        option,
        absl::StrCat("the key in ", path, " does not belong to the first certificate of --cert"));
  }
  return text;
}

}  // namespace

ConnectionArguments::ConnectionArguments()
    : server(FromEnvironment("ROLLCALL_SERVER", "localhost:50051")),
      token_file(FromEnvironment("ROLLCALL_TOKEN_FILE", "")) {}

void AddConnectionOptions(CLI::App& command, ConnectionArguments& arguments) {
  // The environment is not left to the parser, which would apply it to every command that was not
  // given.
  command
      .add_option("--server", arguments.server,
                  "Where rollcalld listens (default: ROLLCALL_SERVER, else localhost:50051)")
      ->type_name("HOST:PORT");
  command.add_flag("--tls", arguments.tls,
                   "Encrypt; the system's authorities vouch for rollcalld unless --ca-file does");
  command
      .add_option("--ca-file", arguments.ca_file,
                  "PEM file of those who may sign rollcalld's certificate; encrypts")
      ->type_name("FILE");
  CLI::Option* cert =
      command.add_option("--cert", arguments.cert, "PEM file of your own certificate; encrypts")
          ->type_name("FILE");
  CLI::Option* key =
      command.add_option("--key", arguments.key, "PEM file of its key")->type_name("FILE");
  cert->needs(key);
  key->needs(cert);
  command
      .add_option("--token-file", arguments.token_file,
                  "File with the token to call with (default: ROLLCALL_TOKEN_FILE); needs --tls, "
                  "--ca-file or --cert")
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
                               "a token is only sent encrypted; add --tls, --ca-file or --cert");
  }
  const std::string text = ReadFile(kOption, arguments.token_file);
  std::string token(absl::StripAsciiWhitespace(text));
  const bool good = !token.empty() && std::all_of(token.begin(), token.end(), [](char c) {
    return absl::ascii_isgraph(static_cast<unsigned char>(c));
  });
  if (!good) {
    throw CLI::ValidationError(kOption, absl::StrCat(arguments.token_file, " holds no token"));
  }
  options.token = [token = std::move(token)] { return token; };
  return options;
}

}  // namespace rollcall
