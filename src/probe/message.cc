// SPDX-License-Identifier: Apache-2.0
#include "probe/message.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/assert.h"
#include "base/json_text.h"

namespace slowpath::probe {
namespace {

constexpr std::size_t kLengthBytes = 4;
constexpr int kMostDepth = 16;
constexpr std::size_t kMostTypeLength = 40;

std::unexpected<Error> garbled(std::string cause) {
  return fail(ErrorKind::network, "cannot understand the peer", std::move(cause),
              "is it slowpath of another version, or another program?");
}

/// Before anything is built of it: nested objects cost more than their bytes.
bool is_flat(std::string_view text) {
  int depth = 0;
  bool in_text = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_text) {
      if (c == '\\') ++i;
      in_text = c != '"';
    } else if (c == '"') {
      in_text = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMostDepth) return false;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::string frame_of(const Json& message) {
  SLOWPATH_ASSERT(message.is_object() && message.contains("type"));
  // Texts of ours may hold what a kernel or a user gave: bytes that are no UTF-8 are replaced.
  const std::string text = json_text(message);
  SLOWPATH_ASSERT(text.size() <= kMostMessageBytes);
  std::string frame(kLengthBytes, '\0');
  store_be32(reinterpret_cast<std::byte*>(frame.data()), static_cast<std::uint32_t>(text.size()));
  return frame + text;
}

Result<Json> parse_message(std::string_view text) {
  if (!is_flat(text)) return garbled("a message is nested too deeply");
  Json message = parse_json(text);
  if (message.is_discarded() || !message.is_object()) return garbled("a message is no JSON object");
  const auto type = message.find("type");
  if (type == message.end() || !type->is_string() ||
      type->get_ref<const std::string&>().size() > kMostTypeLength)
    return garbled("a message has no type");
  return message;
}

std::string type_of(const Json& message) { return message.at("type").get<std::string>(); }

void FrameReader::feed(Bytes piece) {
  held_.append(reinterpret_cast<const char*>(piece.data()), piece.size());
}

Result<std::optional<Json>> FrameReader::next() {
  if (held_.size() < kLengthBytes) return std::nullopt;
  const std::size_t length = load_be32(reinterpret_cast<const std::byte*>(held_.data()));
  if (length > most_)
    return garbled(fmt::format("a message of {} bytes, where {} are allowed", length, most_));
  if (held_.size() < kLengthBytes + length) return std::nullopt;
  auto message = parse_message(std::string_view{held_}.substr(kLengthBytes, length));
  held_.erase(0, kLengthBytes + length);
  if (!message) return std::unexpected(message.error());
  return std::optional<Json>{*std::move(message)};
}

const Json* Fields::find(const char* key) const {
  const auto found = message_.find(key);
  return found == message_.end() || found->is_null() ? nullptr : &*found;
}

void Fields::refuse(const char* key, std::string_view what) {
  if (!fault_.empty()) return;
  // Objects within a message have no type.
  const Json* type = find("type");
  fault_ = fmt::format("\"{}\" of {} {}", key,
                       type != nullptr && type->is_string()
                           ? fmt::format("the message \"{}\"", type->get<std::string>())
                           : "a part of it",
                       what);
}

Result<void> Fields::verdict() const {
  if (ok()) return {};
  return garbled(fault_);
}

std::optional<std::uint64_t> Fields::optional_number(const char* key, std::uint64_t most) {
  const Json* value = find(key);
  if (value == nullptr || !ok()) return std::nullopt;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > most) {
    refuse(key, fmt::format("is no whole number up to {}", most));
    return std::nullopt;
  }
  return value->get<std::uint64_t>();
}

std::uint64_t Fields::number(const char* key, std::uint64_t least, std::uint64_t most) {
  const auto value = optional_number(key, most);
  if (ok() && (!value || *value < least))
    refuse(key, fmt::format("is no whole number from {} to {}", least, most));
  return ok() ? *value : least;
}

std::uint64_t Fields::number_or(const char* key, std::uint64_t otherwise, std::uint64_t most) {
  return optional_number(key, most).value_or(otherwise);
}

double Fields::real_or(const char* key, double otherwise, double least, double most) {
  const Json* value = find(key);
  if (value == nullptr || !ok()) return otherwise;
  if (value->is_number()) {
    const double real = value->get<double>();
    if (std::isfinite(real) && real >= least && real <= most) return real;
  }
  refuse(key, fmt::format("is no number from {} to {}", least, most));
  return otherwise;
}

bool Fields::flag_or(const char* key, bool otherwise) {
  const Json* value = find(key);
  if (value == nullptr || !ok()) return otherwise;
  if (value->is_boolean()) return value->get<bool>();
  refuse(key, "is neither true nor false");
  return otherwise;
}

std::string Fields::text_or(const char* key, std::string otherwise, std::size_t most_length) {
  const Json* value = find(key);
  if (value == nullptr || !ok()) return otherwise;
  if (value->is_string() && value->get_ref<const std::string&>().size() <= most_length)
    return value->get<std::string>();
  refuse(key, fmt::format("is no text of at most {} characters", most_length));
  return otherwise;
}

std::string Fields::text(const char* key, std::size_t most_length) {
  if (find(key) == nullptr) refuse(key, "is missing");
  return text_or(key, {}, most_length);
}

}  // namespace slowpath::probe
