#include "service/resume/resume_token.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>
#include <stdexcept>
#include <utility>

#include "absl/strings/escaping.h"

// A token is, in URL-safe base64: a version byte, the nonce, the position encrypted with
// AES-256-GCM, and the tag. Version and binding are authenticated as well. The position is the
// record's identity, occurrence and ordinal, then the page.
namespace rollcall::service {
namespace {

constexpr char kVersionByte = 2;
constexpr size_t kNonceSize = 12;
constexpr size_t kTagSize = 16;
constexpr size_t kHeadSize = 1 + kNonceSize;
// Longer than any valid token: providers' links over 8 KiB are refused.
constexpr size_t kMaxTokenSize = size_t{16} << 10;
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

  std::optional<ListPosition> Open(absl::string_view given) const;

  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();  // keeps the key
  const std::string binding;
  // Random for each list and then incremented, so that no nonce is used twice with a key.
  std::array<unsigned char, kNonceSize> nonce{};
  // Buffers of the last sealed token, kept to avoid an allocation per record.
  std::string text;
  std::string sealed;
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

const std::string& ResumeTokens::Seal(const ListPosition& position) {
  FollowSecret();
  Cipher& cipher = *cipher_;
  std::string& text = cipher.text;
  text.clear();
  AppendNumber(text, position.record);
  AppendNumber(text, position.occurrence);
  AppendNumber(text, position.ordinal);
  text += position.page;

  // Increments the last four bytes.
  for (size_t i = kNonceSize; i-- > kNonceSize - 4 && ++cipher.nonce[i] == 0;) {
  }
  std::string& sealed = cipher.sealed;
  sealed.resize(kHeadSize + text.size() + kTagSize);
  sealed[0] = kVersionByte;
  std::memcpy(sealed.data() + 1, cipher.nonce.data(), kNonceSize);
  int size = 0;
  EVP_CIPHER_CTX* const context = cipher.context;
  const bool good =
      EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, cipher.nonce.data()) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &size, Bytes(sealed), 1) == 1 &&
      EVP_EncryptUpdate(context, nullptr, &size, Bytes(cipher.binding),
                        static_cast<int>(cipher.binding.size())) == 1 &&
      EVP_EncryptUpdate(context, Bytes(sealed, kHeadSize), &size, Bytes(text),
                        static_cast<int>(text.size())) == 1 &&
      EVP_EncryptFinal_ex(context, Bytes(sealed, kHeadSize + text.size()), &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, kTagSize,
                          Bytes(sealed, kHeadSize + text.size())) == 1;
  cipher.token.clear();  // if sealing fails, the list continues without tokens
  if (good) absl::WebSafeBase64Escape(sealed, &cipher.token);
  return cipher.token;
}

std::optional<ListPosition> ResumeTokens::Open(absl::string_view token) {
  FollowSecret();
  std::optional<ListPosition> position = cipher_->Open(token);
  if (!position && previous_cipher_ != nullptr) position = previous_cipher_->Open(token);
  return position;
}

std::optional<ListPosition> ResumeTokens::Cipher::Open(absl::string_view given) const {
  std::string bytes;
  if (given.size() > kMaxTokenSize || !absl::WebSafeBase64Unescape(given, &bytes) ||
      bytes.size() < kHeadSize + kTagSize || bytes[0] != kVersionByte) {
    return std::nullopt;
  }
  const size_t plain_size = bytes.size() - kHeadSize - kTagSize;
  std::string plain(plain_size, '\0');
  int size = 0;
  const bool good = EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, Bytes(bytes, 1)) == 1 &&
                    EVP_DecryptUpdate(context, nullptr, &size, Bytes(bytes), 1) == 1 &&
                    EVP_DecryptUpdate(context, nullptr, &size, Bytes(binding),
                                      static_cast<int>(binding.size())) == 1 &&
                    EVP_DecryptUpdate(context, Bytes(plain), &size, Bytes(bytes, kHeadSize),
                                      static_cast<int>(plain_size)) == 1 &&
                    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, kTagSize,
                                        Bytes(bytes, kHeadSize + plain_size)) == 1 &&
                    EVP_DecryptFinal_ex(context, Bytes(plain, plain_size), &size) == 1;
  ListPosition position;
  absl::string_view rest = plain;
  if (!good || !TakeNumber(rest, position.record) || !TakeNumber(rest, position.occurrence) ||
      !TakeNumber(rest, position.ordinal)) {
    return std::nullopt;
  }
  position.page = std::string(rest);
  return position;
}

}  // namespace rollcall::service
