// SPDX-License-Identifier: Apache-2.0
#include "probe/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <array>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/format.h"

namespace slowpath::probe {
namespace {

void fill_random(void* at, std::size_t size) {
  // getrandom(2): up to 256 bytes come whole, whatever signal arrives.
  SLOWPATH_ASSERT(size <= 256);
  SLOWPATH_ASSERT(getrandom(at, size, 0) == static_cast<long>(size));
}

}  // namespace

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> random(bytes);
  fill_random(random.data(), random.size());
  return format_hex(std::as_bytes(std::span{random}));
}

std::uint64_t random_number() {
  std::uint64_t number = 0;
  fill_random(&number, sizeof number);
  return number;
}

std::string proof_of(std::string_view secret, Role role, std::string_view server_nonce,
                     std::string_view client_nonce) {
  const std::string text =
      fmt::format("slowpath 1 {}\n{}\n{}\n", role == Role::client ? "client" : "server",
                  server_nonce, client_nonce);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  SLOWPATH_ASSERT(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                       reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                       digest.data(), &size) != nullptr);
  return format_hex(std::as_bytes(std::span{digest}.first(size)));
}

bool same_proof(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace slowpath::probe
