// One account with one provider: its credentials, and the base URLs of its APIs. Constant after
// start, but for the password, which follows its file. Any thread may read it.
#pragma once

#include <optional>
#include <string>

#include "service/net/base_url.h"
#include "service/secrets/current_secret.h"

namespace rollcall::service {

enum class ProviderType { kTwilio, kSignalWire };

// How the account's pages and records are read.
struct AccountOptions {
  // The page size for requests that do not set one: 1 to 1000.
  int default_page_size = 1000;
  // Whether a record with anything unrecognized fails the call.
  bool strict = false;
};

struct Account {
  // The name that callers use, and the label in logs and metrics. Unique.
  std::string name;
  ProviderType provider;
  // The account in the paths of the API: Twilio's account sid, SignalWire's project id.
  std::string account_sid;
  // For HTTP Basic. The username is not a secret: the account sid, an API key's sid or the project
  // id.
  std::string username;
  CurrentSecret password;
  // Serves conferences and calls: Twilio's core API, or the SignalWire space.
  BaseUrl api;
  // Serves Twilio's Voice and Video Insights. Set for Twilio only.
  std::optional<BaseUrl> insights;
  AccountOptions options = {};
};

}  // namespace rollcall::service
