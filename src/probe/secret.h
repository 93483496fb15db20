// SPDX-License-Identifier: Apache-2.0
// Proof that both ends know the same secret (a token, a pre-shared key) without saying it: each
// gives a number that the other has never seen, and answers with an HMAC of both (RFC 2104, with
// SHA-256). It says who may use a server; it does not hide or protect what follows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace slowpath::probe {

/// So many random bytes as hexadecimal digits, from the kernel.
std::string random_hex(std::size_t bytes);
std::uint64_t random_number();

enum class Role : std::uint8_t { client, server };

/// What the end in this role must answer: 64 hexadecimal digits. The role is part of it, so that
/// neither end can be made to answer for the other.
std::string proof_of(std::string_view secret, Role role, std::string_view server_nonce,
                     std::string_view client_nonce);

/// In a time that tells nothing of where they differ.
bool same_proof(std::string_view left, std::string_view right);

}  // namespace slowpath::probe
