// SPDX-License-Identifier: Apache-2.0
#include "probe/iperf3/auth.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "probe/base64.h"
#include "probe/digest.h"

namespace slowpath::probe::iperf3 {
namespace {

template <auto Free>
struct Freed {
  template <typename T>
  void operator()(T* it) const {
    Free(it);
  }
};
using PKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

constexpr std::size_t kLongestToken = 8192;

unsigned char* plain(void* data) { return static_cast<unsigned char*>(data); }
const unsigned char* plain(const void* data) { return static_cast<const unsigned char*>(data); }

int number_of(Padding padding) {
  return padding == Padding::oaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
}

Result<PKey> read_key(const std::string& file, bool is_private) {
  const std::string attempt =
      fmt::format("cannot read the {} key {}", is_private ? "private" : "public", file);
  const File opened(std::fopen(file.c_str(), "re"));
  if (!opened) return fail(ErrorKind::input, attempt, std::strerror(errno));
  // A key that asks for a passphrase is refused: a server has nobody to ask.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  PKey key(is_private ? PEM_read_PrivateKey(opened.get(), nullptr, no_passphrase, nullptr)
                      : PEM_read_PUBKEY(opened.get(), nullptr, no_passphrase, nullptr));
  if (!key || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA)
    return fail(ErrorKind::input, attempt, "it holds no RSA key in PEM without a passphrase",
                is_private ? "openssl genrsa -out private.pem 2048 makes one"
                           : "openssl rsa -in private.pem -pubout -out public.pem makes it");
  return key;
}

std::optional<std::vector<std::byte>> encrypt(EVP_PKEY* key, Padding padding, Bytes text) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t len = 0;
  if (!context || EVP_PKEY_encrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), number_of(padding)) <= 0 ||
      EVP_PKEY_encrypt(context.get(), nullptr, &len, plain(text.data()), text.size()) <= 0) {
    return std::nullopt;
  }
  std::vector<std::byte> out(len);
  if (EVP_PKEY_encrypt(context.get(), plain(out.data()), &len, plain(text.data()), text.size()) <=
      0) {
    return std::nullopt;
  }
  out.resize(len);
  return out;
}

std::optional<std::string> decrypt(EVP_PKEY* key, Padding padding, Bytes sealed) {
  const KeyContext context(EVP_PKEY_CTX_new(key, nullptr));
  std::size_t len = 0;
  if (!context || EVP_PKEY_decrypt_init(context.get()) <= 0 ||
      EVP_PKEY_CTX_set_rsa_padding(context.get(), number_of(padding)) <= 0 ||
      EVP_PKEY_decrypt(context.get(), nullptr, &len, plain(sealed.data()), sealed.size()) <= 0) {
    return std::nullopt;
  }
  std::string text(len, '\0');
  if (EVP_PKEY_decrypt(context.get(), plain(text.data()), &len, plain(sealed.data()),
                       sealed.size()) <= 0) {
    return std::nullopt;
  }
  text.resize(len);
  return text;
}

std::string salted_hash(const std::string& user, const std::string& password) {
  const std::string salted = fmt::format("{{{}}}{}", user, password);
  Digest digest("sha256");
  digest.add(std::as_bytes(std::span(salted)));
  return digest.hex();
}

struct Shown {
  std::string user, password;
  double at_s = 0;
};

/// "user: NAME\npwd:  WORD\nts:   SECONDS"; blanks end a word, as with iperf3's scanf.
std::optional<Shown> read_shown(const std::string& text) {
  std::istringstream stream(text);
  std::string user_label, password_label, time_label;
  Shown shown;
  std::int64_t at = 0;
  stream >> user_label >> shown.user >> password_label >> shown.password >> time_label >> at;
  if (!stream || user_label != "user:" || password_label != "pwd:" || time_label != "ts:") {
    return std::nullopt;
  }
  shown.at_s = static_cast<double>(at);
  return shown;
}

/// As long as what a client seals, of nobody.
std::string substitute_text() {
  std::array<unsigned char, 8> random{};
  RAND_bytes(random.data(), static_cast<int>(random.size()));
  std::string word;
  for (const unsigned char value : random) word += static_cast<char>('a' + value % 26);
  return fmt::format("user: {}\npwd:  {}\nts:   {}", word, word, std::time(nullptr));
}

bool has_blank(const std::string& word) {
  return word.empty() || word.find_first_of(" \t\r\n\v\f") != std::string::npos;
}

bool same_text(const std::string& a, const std::string& b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Result<std::string> make_auth_token(const Credentials& credentials) {
  const auto refuse = [&](std::string cause) {
    return fail(ErrorKind::usage, "cannot log in as " + credentials.user, std::move(cause));
  };
  if (has_blank(credentials.user) || has_blank(credentials.password))
    return refuse("iperf3 takes no user or password that is empty or holds blanks");
  const Result<PKey> key = read_key(credentials.public_key_file, false);
  if (!key) return std::unexpected(key.error());
  const std::string text = fmt::format("user: {}\npwd:  {}\nts:   {}", credentials.user,
                                       credentials.password, std::time(nullptr));
  const auto sealed = encrypt(key->get(), credentials.padding, std::as_bytes(std::span(text)));
  if (!sealed) return refuse("user and password together are too long for the server's key");
  return to_base64(*sealed);
}

struct Authority::Key {
  PKey key;
};

Authority::Authority() = default;
Authority::~Authority() = default;

Result<std::shared_ptr<const Authority>> Authority::open(const std::string& private_key_file,
                                                         const std::string& users_file,
                                                         double skew_s) {
  Result<PKey> key = read_key(private_key_file, true);
  if (!key) return std::unexpected(key.error());
  const std::shared_ptr<Authority> authority(new Authority);
  authority->key_ = std::make_unique<Key>(Key{std::move(*key)});
  authority->skew_s_ = skew_s;
  std::ifstream stream(users_file);
  if (!stream)
    return fail(ErrorKind::input, "cannot read the users " + users_file, std::strerror(errno));
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    line = trimmed(line);
    if (line.empty() || line[0] == '#') continue;
    const std::size_t comma = line.find(',');
    const std::string hash = comma == std::string::npos ? "" : trimmed(line.substr(comma + 1));
    if (hash.size() != digest_hex_len("sha256"))
      return fail(ErrorKind::input, "cannot read the users " + users_file,
                  fmt::format("line {} is no 'user,hash'", number),
                  "the hash is sha256 of {user}password, as iperf3 has it");
    authority->users_.emplace_back(trimmed(line.substr(0, comma)), hash);
  }
  return authority;
}

bool Authority::admits(const std::string& token) const {
  if (token.size() > kLongestToken) return false;
  const auto sealed = from_base64(token);
  if (!sealed) return false;
  // Whether a padding was right must not show in the time an answer takes: whoever can tell reads
  // what others have sealed (Bleichenbacher). So every token costs both decryptions, a text that is
  // read after each, one hash and one look at every user.
  const std::string substitute = substitute_text();
  std::optional<Shown> shown;
  for (const Padding padding : {Padding::oaep, Padding::pkcs1}) {
    const auto text = decrypt(key_->key.get(), padding, *sealed);
    ERR_clear_error();
    auto read = read_shown(text ? *text : substitute);
    if (text && read) shown = std::move(read);
  }
  const bool is_sealed_well = shown.has_value();
  if (!is_sealed_well) shown = read_shown(substitute);
  const double away_s = static_cast<double>(std::time(nullptr)) - shown->at_s;
  const std::string hash = salted_hash(shown->user, shown->password);
  bool known = false;
  for (const auto& [user, right] : users_) {
    const bool is_user = same_text(user, shown->user), is_right = same_text(right, hash);
    known = (is_user && is_right) || known;
  }
  return is_sealed_well && known && away_s <= skew_s_ && away_s >= -skew_s_;
}

}  // namespace slowpath::probe::iperf3
