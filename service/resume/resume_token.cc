#include "service/resume/resume_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/strip.h"

// A token is its version, for example "r3.", and then in URL-safe base64: the nonce, the content
// encrypted with AES-256-GCM, and the tag. Version and binding are authenticated as well. The
// content is the ordinal, the number of the message's records, their identities and occurrences,
// and the page.
//
// The version changes with the form of the token and with the meaning of its content. During a
// rolling update, replicas get tokens that the other version sealed. The caller is told to call
// again, because some replica has the other version. Tokens before r3 had no version in their text,
// and are refused as invalid.
namespace rollcall::service {
namespace {

constexpr absl::string_view kVersion = "r3.";
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
// Longer than any valid token: providers' links over 8 KiB are refused, and the records of the
// longest batch take 12 KB.
constexpr size_t kMaxTokenSize = size_t{32} << 10;
constexpr absl::string_view kKeyPurpose = "rollcall resume token 1";

unsigned char* Bytes(std::string& text, size_t from = 0) {
  return reinterpret_cast<unsigned char*>(text.data()) + from;
}
const unsigned char* Bytes(absl::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// Little-endian.
template <class Number>
void AppendNumber(std::string& text, Number number) {
  for (size_t i = 0; i < sizeof(Number); ++i) text.push_back(static_cast<char>(number >> (8 * i)));
}

template <class Number>
bool TakeNumber(absl::string_view& text, Number& number) {
  if (text.size() < sizeof(Number)) return false;
  number = 0;
  for (size_t i = 0; i < sizeof(Number); ++i) {
    number |= Number{static_cast<unsigned char>(text[i])} << (8 * i);
  }
  text.remove_prefix(sizeof(Number));
  return true;
}

void AppendRecord(std::string& text, const PageRecord& record) {
  AppendNumber(text, record.identity);
  AppendNumber(text, record.occurrence);
}

bool TakeRecord(absl::string_view& text, PageRecord& record) {
  return TakeNumber(text, record.identity) && TakeNumber(text, record.occurrence);
}

// The position after the first `processed` records of the token whose content is `text`; after all
// of them if it is not set.
std::optional<ListPosition> ReadContent(absl::string_view text, std::optional<uint32_t> processed) {
  ListPosition position;
  uint32_t count = 0;
  if (!TakeNumber(text, position.ordinal) || !TakeNumber(text, count)) return std::nullopt;
  const uint32_t wanted = processed.value_or(count);
  if (wanted == 0 || wanted > count) return std::nullopt;
  for (uint32_t i = 1; i <= count; ++i) {
    PageRecord record;
    if (!TakeRecord(text, record)) return std::nullopt;
    if (i == wanted) position.record = record;
  }
  if (position.ordinal > 0) position.ordinal -= count - wanted;
  position.page = std::string(text);
  return position;
}

}  // namespace

struct ResumeTokens::Cipher {
  Cipher(const Secret& key_secret, absl::string_view list) : binding(list) {
    const std::string& secret = key_secret.reveal();
    std::array<unsigned char, 32> key{};
    unsigned int size = 0;
    const bool good =
        context != nullptr &&
        HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), Bytes(kKeyPurpose),
             kKeyPurpose.size(), key.data(), &size) != nullptr &&
        EVP_CipherInit_ex(context, EVP_aes_256_gcm(), nullptr, key.data(), nullptr, 1) == 1 &&
        RAND_bytes(nonce.data(), kNonceSize) == 1;
    OPENSSL_cleanse(key.data(), key.size());
    if (!good) {
      EVP_CIPHER_CTX_free(context);
      throw std::runtime_error("OpenSSL lacks HMAC, AES-256-GCM or random numbers");
    }
  }
  ~Cipher() { EVP_CIPHER_CTX_free(context); }
  Cipher(const Cipher&) = delete;
  Cipher& operator=(const Cipher&) = delete;

  // The content of a token without its version; nothing if it cannot be decrypted.
  std::optional<std::string> Decrypt(absl::string_view base64_text) const;

  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();  // keeps the key
  const std::string binding;
  // Random for each list and then incremented, so that no nonce is used twice with a key.
  std::array<unsigned char, kNonceSize> nonce{};
  // Buffers of the last sealed token, kept to avoid an allocation per record.
  std::string text;
  std::string sealed;
  std::string base64;
  std::string token;
};

ResumeTokens::ResumeTokens(CurrentSecret secret, absl::string_view binding)
    : secret_(std::move(secret)), binding_(binding) {
  FollowSecret();
}

void ResumeTokens::FollowSecret() {
  // Read before the secret: if it is replaced in between, it is read again next time.
  const uint64_t version = secret_.version();
  if (cipher_ != nullptr && version == version_) return;
  const CurrentSecret::WithPrevious secrets = secret_.get_with_previous();
  cipher_ = std::make_unique<Cipher>(secrets.current, binding_);
  previous_cipher_ =
      secrets.previous ? std::make_unique<Cipher>(*secrets.previous, binding_) : nullptr;
  version_ = version;
}

ResumeTokens::~ResumeTokens() = default;
ResumeTokens::ResumeTokens(ResumeTokens&&) noexcept = default;
ResumeTokens& ResumeTokens::operator=(ResumeTokens&&) noexcept = default;

const std::string& ResumeTokens::Seal(const ListPosition& position,
                                      absl::Span<const PageRecord> earlier) {
  FollowSecret();
  Cipher& cipher = *cipher_;
  std::string& text = cipher.text;
  text.clear();
  AppendNumber(text, position.ordinal);
  AppendNumber(text, static_cast<uint32_t>(earlier.size() + 1));
  for (const PageRecord& record : earlier) AppendRecord(text, record);
  AppendRecord(text, position.record);
  text += position.page;

  // Increments the last four bytes.
  for (size_t i = kNonceSize; i-- > kNonceSize - 4 && ++cipher.nonce[i] == 0;) {
  }
  std::string& sealed = cipher.sealed;
  sealed.resize(kNonceSize + text.size() + kTagSize);
  std::memcpy(sealed.data(), cipher.nonce.data(), kNonceSize);
  int size = 0;
  EVP_CIPHER_CTX* const context = cipher.context;
  const bool good =
      EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, cipher.nonce.data()) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &size, Bytes(kVersion),
                        static_cast<int>(kVersion.size())) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &size, Bytes(cipher.binding),
                        static_cast<int>(cipher.binding.size())) == 1 &&
      EVP_EncryptUpdate(context, Bytes(sealed, kNonceSize), &size, Bytes(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context, Bytes(sealed, kNonceSize + text.size()), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, kTagSize,
                          Bytes(sealed, kNonceSize + text.size())) == 1;
  cipher.token.clear();  // if sealing fails, the list continues without tokens
  if (!good) return cipher.token;
  absl::WebSafeBase64Escape(sealed, &cipher.base64);
  cipher.token.append(kVersion.data(), kVersion.size()).append(cipher.base64);
  return cipher.token;
}

std::optional<ListPosition> ResumeTokens::Open(absl::string_view token) {
  if (token.size() > kMaxTokenSize || !absl::ConsumePrefix(&token, kVersion)) return std::nullopt;
  std::optional<uint32_t> processed;
  if (const size_t colon = token.find(':'); colon != absl::string_view::npos) {
    const absl::string_view digits = token.substr(colon + 1);
    uint32_t number = 0;
    if (!std::all_of(digits.begin(), digits.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(digits, &number)) {
      return std::nullopt;
    }
    processed = number;
    token = token.substr(0, colon);
  }
  FollowSecret();
  std::optional<std::string> content = cipher_->Decrypt(token);
  if (!content && previous_cipher_ != nullptr) content = previous_cipher_->Decrypt(token);
  if (!content) return std::nullopt;
  return ReadContent(*content, processed);
}

bool ResumeTokens::HasUnsupportedVersion(absl::string_view token) {
  if (absl::StartsWith(token, kVersion) || !absl::ConsumePrefix(&token, "r")) return false;
  const size_t dot = token.find('.');
  return dot != absl::string_view::npos && dot > 0 && dot <= 3 &&
         std::all_of(token.begin(), token.begin() + dot, absl::ascii_isdigit);
}

std::optional<std::string> ResumeTokens::Cipher::Decrypt(absl::string_view base64_text) const {
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(base64_text, &bytes) || bytes.size() < kNonceSize + kTagSize) {
    return std::nullopt;
  }
  const size_t plain_size = bytes.size() - kNonceSize - kTagSize;
  std::string plain(plain_size, '\0');
  int size = 0;
  const bool good = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, Bytes(bytes)) == 1 &&
                    EVP_DecryptUpdate(context, nullptr, &size, Bytes(kVersion),
                                      static_cast<int>(kVersion.size())) == 1 &&
                    EVP_DecryptUpdate(context, nullptr, &size, Bytes(binding),
                                      static_cast<int>(binding.size())) == 1 &&
                    EVP_DecryptUpdate(context, Bytes(plain), &size, Bytes(bytes, kNonceSize),
                                      static_cast<int>(plain_size)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTagSize,
                                        Bytes(bytes, kNonceSize + plain_size)) == 1 &&
                    EVP_DecryptFinal_ex(context, Bytes(plain, plain_size), &size) == 1;
  if (!good) return std::nullopt;
  return plain;
}

}  // namespace rollcall::service
