// SPDX-License-Identifier: Apache-2.0
// Hashes of bytes as they stream by, from libcrypto.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace slowpath::probe {

/// "sha256" or "md5". Not copyable; one thread.
class Digest {
 public:
  explicit Digest(std::string_view algorithm);
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  void add(Bytes bytes);
  /// Lower-case hexadecimal of all that was added. Nothing can be added after it.
  [[nodiscard]] std::string hex();
  [[nodiscard]] const std::string& algorithm() const { return algorithm_; }

 private:
  struct State;
  std::string algorithm_;
  std::unique_ptr<State> state_;
};

/// Hexadecimal characters of a digest; 0 for an algorithm that is not known.
std::size_t digest_hex_len(std::string_view algorithm);

/// Of a block, to tell whether two are the same: the first 64 bits of its SHA-256.
std::uint64_t block_digest(Bytes block);

}  // namespace slowpath::probe
