// SPDX-License-Identifier: Apache-2.0
// iperf3's authentication: user, password and time, encrypted for the server's RSA key, in the
// client's parameters. Its server knows salted hashes of passwords (SHA-256 of "{user}password").
// What follows is not protected by it: it says who may test, no more.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace slowpath::probe::iperf3 {

/// RFC 8017: iperf3 uses PKCS #1 v1.5 up to 3.16, and OAEP from 3.17 on unless told otherwise.
enum class Padding : std::uint8_t { pkcs1, oaep };

struct Credentials {
  std::string user, password;
  std::string public_key_file;  // PEM
  Padding padding = Padding::pkcs1;
};

/// The text of parameter "authtoken". Errors: the key cannot be read (input), or user and password
/// are too long for it or hold blanks, which iperf3 cannot read back (usage).
Result<std::string> make_auth_token(const Credentials& credentials);

/// Who may test, as a server knows it. Read once; safe in any thread.
class Authority {
 public:
  /// `users_file`: lines "user,hash"; '#' begins a comment. `skew_s`: how far a client's clock may
  /// be away. Errors: input, naming the file and what is wrong with it.
  static Result<std::shared_ptr<const Authority>> open(const std::string& private_key_file,
                                                       const std::string& users_file,
                                                       double skew_s);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  /// Whether a token's user and password are right and its time is near. Nobody is told which of
  /// them was wrong, and a token that cannot be decrypted costs the same work. PKCS #1 v1.5 is
  /// taken all the same, because iperf3 up to 3.16 seals with nothing else: its decryption is the
  /// library's, and where that takes another time for a wrong padding (OpenSSL before 3.2; in kind
  /// CVE-2024-26306), who can measure it over millions of tokens learns what a recorded token
  /// holds.
  [[nodiscard]] bool admits(const std::string& token) const;

 private:
  struct Key;
  Authority();
  std::unique_ptr<Key> key_;
  std::vector<std::pair<std::string, std::string>> users_;  // and hashes
  double skew_s_ = 0;
};

}  // namespace slowpath::probe::iperf3
