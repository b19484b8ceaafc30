#include "service/access/policy.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "rollcall/v1/participant_service.pb.h"
#include "service/json/json_object_reader.h"
#include "service/json/value_form.h"

namespace rollcall::service {
namespace {

using nlohmann::json;

constexpr absl::string_view kSpiffe = "spiffe://";
constexpr absl::string_view kAll = "all";

bool IsUri(absl::string_view text) {
  const size_t colon = text.find("://");
  return text.size() <= 2048 && colon != absl::string_view::npos && colon > 0 &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); });
}

bool IsDnsName(absl::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("-_.*", c);
  });
}

bool IsHash(absl::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_isxdigit(static_cast<unsigned char>(c));
         });
}

// The kinds of list: names of the cases of ListParticipantsRequest.query.
std::vector<std::string> ListKinds() {
  std::vector<std::string> kinds;
  const auto* const query = v1::ListParticipantsRequest::descriptor()->FindOneofByName("query");
  for (int i = 0; i < query->field_count(); ++i) kinds.push_back(query->field(i)->name());
  return kinds;
}

bool IsListKind(absl::string_view text) {
  static const auto& kinds = *new std::vector<std::string>(ListKinds());
  return std::find(kinds.begin(), kinds.end(), text) != kinds.end();
}

}  // namespace

class PolicyReader {
 public:
  PolicyReader(const PolicyScope& scope, Problems& problems) : scope_(scope), problems_(problems) {}

  Policy Read(const json& document) {
    Policy policy;
    JsonObjectReader reader(document, "", problems_);
    const json* const callers = reader.Find("callers");
    reader.Finish();
    if (callers == nullptr || !callers->is_array()) {
      if (reader.is_object()) reader.Problem("callers", "expected an array of callers");
      return policy;
    }
    for (size_t i = 0; i < callers->size(); ++i) {
      JsonObjectReader caller((*callers)[i], absl::StrCat("callers[", i, "]"), problems_);
      if (caller.is_object()) policy.callers_.push_back(ReadCaller(caller));
    }
    return policy;
  }

 private:
  Policy::Caller ReadCaller(JsonObjectReader& reader) {
    Policy::Caller caller;
    caller.rules.name = reader.RequiredString("name", kNameForm, IsName).value_or("");
    if (!caller.rules.name.empty() && !names_.insert(caller.rules.name).second) {
      reader.Problem("name", "another caller has this name already");
    }
    caller.uris = Identities(reader, "uri_sans", "a URI, such as \"spiffe://example.org/billing\"",
                             IsUri, "another caller has this URI already");
    caller.dns_names = Identities(reader, "dns_sans", "a DNS name", IsDnsName,
                                  "another caller has this name already");
    for (const std::string& hash :
         Identities(reader, "token_sha256", "64 hexadecimal digits, the SHA-256 of a token", IsHash,
                    "another caller has this token already")) {
      Policy::Digest digest{};
      for (size_t i = 0; i < digest.size(); ++i) {
        const char* const digits = hash.data() + 2 * i;
        std::from_chars(digits, digits + 2, digest[i], 16);
      }
      caller.tokens.push_back(digest);
    }
    const bool by_certificate = reader.Has("uri_sans") || reader.Has("dns_sans");
    if (!by_certificate && !reader.Has("token_sha256")) {
      reader.Problem("uri_sans", "missing; give uri_sans, dns_sans or token_sha256");
    }
    if (by_certificate && !scope_.has_certificates) {
      reader.Problem(reader.Has("uri_sans") ? "uri_sans" : "dns_sans",
                     "callers are asked for certificates only if tls.client_ca_file is configured");
    }
    caller.rules.upstreams =
        Names(reader, "upstreams", "the name of a configured upstream", [this](const auto& name) {
          return std::find(scope_.upstreams.begin(), scope_.upstreams.end(), name) !=
                 scope_.upstreams.end();
        });
    static const std::string kListForm =
        absl::StrCat("one of \"", absl::StrJoin(ListKinds(), "\", \""), "\"");
    caller.rules.lists = Names(reader, "lists", kListForm, IsListKind);
    caller.rules.pii = reader.Bool("pii", false);
    const auto max_calls = static_cast<int>(reader.Integer("max_calls", 1, 1, 1'000'000));
    if (reader.Has("max_calls")) caller.rules.max_calls = max_calls;
    reader.Finish();
    return caller;
  }

  // The texts of an array. No two callers may have the same one. Empty if the key is absent.
  std::vector<std::string> Identities(JsonObjectReader& reader, absl::string_view key,
                                      absl::string_view form, bool (*accepts)(absl::string_view),
                                      absl::string_view taken) {
    std::vector<std::string> texts;
    const json* const value = reader.Find(key);
    if (value == nullptr) return texts;
    if (!value->is_array() || value->empty()) {
      reader.Problem(key, absl::StrCat("expected an array of at least one text: ", form));
      return texts;
    }
    for (size_t i = 0; i < value->size(); ++i) {
      const std::string path = absl::StrCat(reader.PathOf(key), "[", i, "]");
      const json& item = (*value)[i];
      if (!item.is_string() || !accepts(item.get_ref<const std::string&>())) {
        problems_.Add(path, absl::StrCat("expected ", form));
        continue;
      }
      std::string text = item.get<std::string>();
      // DNS names and hexadecimal digits are case-insensitive; paths of URIs are not.
      if (key != "uri_sans") absl::AsciiStrToLower(&text);
      if (!identities_.insert(absl::StrCat(key, " ", text)).second) problems_.Add(path, taken);
      texts.push_back(std::move(text));
    }
    return texts;
  }

  // The permitted names, or nullopt for "all". The key is required: a caller that may do nothing is
  // left out of the file instead.
  template <class Accepts>
  std::optional<absl::flat_hash_set<std::string>> Names(JsonObjectReader& reader,
                                                        absl::string_view key,
                                                        absl::string_view form, Accepts accepts) {
    absl::flat_hash_set<std::string> names;
    const json* const value = reader.Find(key);
    if (value != nullptr && value->is_string() && value->get_ref<const std::string&>() == kAll) {
      return std::nullopt;
    }
    if (value == nullptr || !value->is_array() || value->empty()) {
      reader.Problem(key,
                     absl::StrCat(value == nullptr ? "missing; " : "",
                                  "expected \"all\" or an array of at least one text: ", form));
      return names;
    }
    for (size_t i = 0; i < value->size(); ++i) {
      const json& item = (*value)[i];
      if (item.is_string() && accepts(item.get_ref<const std::string&>())) {
        names.insert(item.get<std::string>());
      } else {
        problems_.Add(absl::StrCat(reader.PathOf(key), "[", i, "]"),
                      absl::StrCat("expected ", form));
      }
    }
    return names;
  }

  const PolicyScope& scope_;
  Problems& problems_;
  std::set<std::string> names_;
  std::set<std::string> identities_;  // of all callers, after their key and a space
};

absl::StatusOr<Policy> Policy::Parse(absl::string_view text, const PolicyScope& scope) {
  Problems problems;
  const absl::StatusOr<json> document = ParseJson(text, problems);
  if (!document.ok()) return document.status();
  Policy policy = PolicyReader(scope, problems).Read(*document);
  if (!problems.empty()) return problems.ToStatus();
  return policy;
}

const CallerRules* Policy::FindByToken(absl::string_view token) const {
  if (token.empty()) return nullptr;  // even if the file has the hash of ""
  Digest digest{};
  if (EVP_Digest(token.data(), token.size(), digest.data(), nullptr, EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  const CallerRules* found = nullptr;
  for (const Caller& caller : callers_) {
    for (const Digest& known : caller.tokens) {
      if (CRYPTO_memcmp(known.data(), digest.data(), digest.size()) == 0) found = &caller.rules;
    }
  }
  return found;
}

const CallerRules* Policy::FindByCertificate(const Credentials& credentials) const {
  const auto contains = [](const std::vector<std::string>& texts, const std::string& text) {
    return std::find(texts.begin(), texts.end(), text) != texts.end();
  };
  // SPIFFE allows only one URI in a certificate, so that it has one identity.
  const auto has_uri = [&](const std::string& uri) {
    return absl::StartsWith(uri, kSpiffe) ? uri == credentials.spiffe_id
                                          : contains(credentials.uris, uri);
  };
  std::vector<std::string> dns_names;
  for (const std::string& name : credentials.dns_names) {
    dns_names.push_back(absl::AsciiStrToLower(name));
  }
  const auto has_dns_name = [&](const std::string& name) { return contains(dns_names, name); };
  for (const Caller& caller : callers_) {
    if (std::any_of(caller.uris.begin(), caller.uris.end(), has_uri) ||
        std::any_of(caller.dns_names.begin(), caller.dns_names.end(), has_dns_name)) {
      return &caller.rules;
    }
  }
  return nullptr;
}

}  // namespace rollcall::service
