// SPDX-License-Identifier: Apache-2.0
#include "probe/digest.h"

#include <openssl/evp.h>

#include <array>

#include "base/assert.h"
#include "base/format.h"

namespace slowpath::probe {
namespace {

const EVP_MD* method_of(std::string_view algorithm) {
  if (algorithm == "sha256") return EVP_sha256();
  if (algorithm == "md5") return EVP_md5();
  return nullptr;
}

struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

}  // namespace

struct Digest::State {
  Context context{EVP_MD_CTX_new()};
};

Digest::Digest(std::string_view algorithm)
    : algorithm_(algorithm), state_(std::make_unique<State>()) {
  const EVP_MD* method = method_of(algorithm);
  SLOWPATH_ASSERT(method != nullptr);
  SLOWPATH_ASSERT(EVP_DigestInit_ex(state_->context.get(), method, nullptr) == 1);
}
Digest::~Digest() = default;
Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;

void Digest::add(Bytes bytes) {
  EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size());
}

std::string Digest::hex() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  unsigned len = 0;
  EVP_DigestFinal_ex(state_->context.get(), value.data(), &len);
  return format_hex(std::as_bytes(std::span{value}.first(len)));
}

std::size_t digest_hex_len(std::string_view algorithm) {
  const EVP_MD* method = method_of(algorithm);
  return method == nullptr ? 0 : 2 * static_cast<std::size_t>(EVP_MD_get_size(method));
}

std::uint64_t block_digest(Bytes block) {
  thread_local const Context context{EVP_MD_CTX_new()};
  std::array<unsigned char, EVP_MAX_MD_SIZE> value{};
  EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr);
  EVP_DigestUpdate(context.get(), block.data(), block.size());
  EVP_DigestFinal_ex(context.get(), value.data(), nullptr);
  return load_le64(std::as_bytes(std::span(value)).data());
}

}  // namespace slowpath::probe
