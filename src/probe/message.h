// SPDX-License-Identifier: Apache-2.0
// The messages of the control connection: a JSON object with a "type", behind its length in four
// bytes, network order. What arrives is hostile until shown otherwise: lengths, depth, types and
// ranges are all bounded here, so that nobody else must think of it. docs/probe-protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace slowpath::probe {

using Json = nlohmann::json;

inline constexpr std::size_t kMostBeforeLogin = 4096;
inline constexpr std::size_t kMostMessageBytes = std::size_t{1} << 20U;

/// The length and the text. Asserts that it is an object with a type and fits.
std::string frame_of(const Json& message);

/// A received text as an object with a "type" of at most 40 characters; an error of kind network
/// where it is anything else, or nested deeper than 16.
Result<Json> parse_message(std::string_view text);
std::string type_of(const Json& message);

/// Puts messages together from what arrives in pieces. Never holds more than the limit.
class FrameReader {
 public:
  explicit FrameReader(std::size_t most = kMostBeforeLogin) : most_(most) {}
  void set_limit(std::size_t most) { most_ = most; }
  void feed(Bytes piece);
  /// The next whole message; none if more must arrive first. After an error there is no way on.
  Result<std::optional<Json>> next();

 private:
  std::size_t most_;
  std::string held_;
};

/// Reads the fields of a message. After the first that is missing, of another type or out of range
/// every read gives its default, and error() says which it was: a handler lists its fields and
/// tests once.
class Fields {
 public:
  explicit Fields(const Json& message) : message_(message) {}

  std::uint64_t number(const char* key, std::uint64_t least, std::uint64_t most);
  std::uint64_t number_or(const char* key, std::uint64_t otherwise, std::uint64_t most);
  std::optional<std::uint64_t> optional_number(const char* key, std::uint64_t most);
  double real_or(const char* key, double otherwise, double least, double most);
  bool flag_or(const char* key, bool otherwise);
  std::string text(const char* key, std::size_t most_length);
  std::string text_or(const char* key, std::string otherwise, std::size_t most_length);

  [[nodiscard]] bool has(const char* key) const { return find(key) != nullptr; }
  [[nodiscard]] bool ok() const { return fault_.empty(); }
  /// Kind network: the peer sent it.
  [[nodiscard]] Result<void> verdict() const;

 private:
  const Json* find(const char* key) const;
  void refuse(const char* key, std::string_view what);

  const Json& message_;
  std::string fault_;
};

}  // namespace slowpath::probe
