#pragma once

// The responses of the four providers: routes, credentials, filters, pages, next links and errors,
// from the published examples and from generated lists (participants.h). Independent of sockets.
//
// Immutable once constructed: any thread may call it.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "tests/simulator/participants.h"

namespace rollcall::simulator {

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

// The accounts that the simulator serves, with their credentials.
struct Accounts {
  std::string twilio_account_sid = DefaultAccount(Api::kTwilioCore);
  // The account's sid or an API key's sid.
  std::string twilio_username = twilio_account_sid;
  std::string twilio_password = "simulator";
  std::string signalwire_project = DefaultAccount(Api::kSignalWire);
  std::string signalwire_token = "simulator";
};

class ProviderApis {
 public:
  explicit ProviderApis(Accounts accounts);

  // `target` is the path with its query, as sent. `authorization` is the value of that header,
  // empty if absent. `origin` is the provider's URL as the client sees it, "http://HOST:PORT".
  Answer Serve(absl::string_view method, absl::string_view target, absl::string_view authorization,
               absl::string_view origin) const;

 private:
  struct Request;

  bool Authorized(Api api, absl::string_view authorization) const;
  Answer ServeList(const Request& request) const;
  Answer ServeParticipant(const Request& request) const;

  const Accounts accounts_;
};

// The response header with the request's id, which the provider's support asks for.
std::pair<std::string, std::string> RequestIdHeader(uint64_t number);

}  // namespace rollcall::simulator
