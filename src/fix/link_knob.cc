// SPDX-License-Identifier: Apache-2.0
#include "fix/link_knob.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "fix/refusal.h"

namespace slowpath::fix {
namespace {

constexpr std::string_view kOn = "autoneg on", kOff = "autoneg off";
// include/linux/ethtool.h: SCHAR_MAX words for each of the three masks at most.
constexpr std::size_t kMaxWords = 127;

std::unexpected<Error> refused(const std::string& attempt, int code) {
  const bool bad_value = code == EINVAL || code == ERANGE;
  return refused_by_kernel(
      bad_value ? ErrorKind::usage : ErrorKind::environment, attempt, code,
      code == EOPNOTSUPP ? "the driver has no such setting: a virtual interface, perhaps" : "");
}

/// The ioctl's structure with its three masks: supported, advertised, the peer's.
struct Settings {
  std::size_t words = 0;
  std::array<std::uint32_t, sizeof(ethtool_link_settings) / 4 + 3 * kMaxWords> memory{};

  [[nodiscard]] ethtool_link_settings& head() {
    return *reinterpret_cast<ethtool_link_settings*>(memory.data());
  }
  [[nodiscard]] std::span<std::uint32_t> mask(std::size_t place) {
    return std::span(memory).subspan(sizeof(ethtool_link_settings) / 4 + place * words, words);
  }
  [[nodiscard]] std::span<std::uint32_t> supported() { return mask(0); }
  [[nodiscard]] std::span<std::uint32_t> advertised() { return mask(1); }
};

int ask(const std::string& interface, Settings& settings) {
  if (interface.empty() || interface.size() >= IFNAMSIZ) return ENODEV;
  const Descriptor socket_of(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq question{};
  std::memcpy(question.ifr_name, interface.c_str(), interface.size() + 1);
  question.ifr_data = reinterpret_cast<char*>(settings.memory.data());
  return ioctl(socket_of.get(), SIOCETHTOOL, &question) < 0 ? errno : 0;
}

Result<Settings> read(const std::string& interface, const std::string& attempt) {
  Settings settings;
  // The first call tells how long the masks are, as a negative number.
  settings.head().cmd = ETHTOOL_GLINKSETTINGS;
  if (const int code = ask(interface, settings); code != 0) return refused(attempt, code);
  const int words = -settings.head().link_mode_masks_nwords;
  if (words <= 0 || static_cast<std::size_t>(words) > kMaxWords)
    return refused(attempt, EOPNOTSUPP);
  settings.memory.fill(0);
  settings.words = static_cast<std::size_t>(words);
  settings.head().cmd = ETHTOOL_GLINKSETTINGS;
  settings.head().link_mode_masks_nwords = static_cast<__s8>(words);
  if (const int code = ask(interface, settings); code != 0) return refused(attempt, code);
  return settings;
}

/// The highest word first, without leading zeroes.
std::string hex_of(std::span<const std::uint32_t> mask) {
  std::string text;
  for (std::size_t at = mask.size(); at-- > 0;) {
    if (!text.empty()) {
      text += fmt::format("{:08x}", mask[at]);
    } else if (mask[at] != 0) {
      text = fmt::format("{:x}", mask[at]);
    }
  }
  return "0x" + (text.empty() ? "0" : text);
}

bool put_hex(std::string_view text, std::span<std::uint32_t> mask) {
  if (!text.starts_with("0x")) return false;
  text.remove_prefix(2);
  std::ranges::fill(mask, 0U);
  for (std::size_t at = 0; !text.empty(); ++at) {
    const std::string_view part = text.substr(text.size() - std::min<std::size_t>(8, text.size()));
    text.remove_suffix(part.size());
    std::uint32_t word = 0;
    const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), word, 16);
    if (code != std::errc() || end != part.data() + part.size()) return false;
    if (at >= mask.size()) return word == 0;
    mask[at] = word;
  }
  return true;
}

std::string_view duplex_word(std::uint8_t duplex) {
  return duplex == DUPLEX_HALF ? "half" : duplex == DUPLEX_FULL ? "full" : "unknown";
}

std::string value_of(Settings& settings) {
  const ethtool_link_settings& head = settings.head();
  if (head.autoneg == AUTONEG_ENABLE)
    return fmt::format("{} {}", kOn, hex_of(settings.advertised()));
  const bool is_told = head.speed != static_cast<std::uint32_t>(SPEED_UNKNOWN);
  return fmt::format("{} {} {}", kOff, is_told ? std::to_string(head.speed) : "unknown",
                     duplex_word(head.duplex));
}

std::optional<std::uint32_t> speed_of(const std::string& word) {
  if (word == "unknown") return static_cast<std::uint32_t>(SPEED_UNKNOWN);
  std::uint32_t speed = 0;
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), speed);
  if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return speed;
}

std::optional<std::uint8_t> duplex_of(std::string_view word) {
  if (word == "half") return std::uint8_t{DUPLEX_HALF};
  if (word == "full") return std::uint8_t{DUPLEX_FULL};
  return word == "unknown" ? std::optional(std::uint8_t{DUPLEX_UNKNOWN}) : std::nullopt;
}

/// Puts a value into what was read; false where it is none.
bool put(const std::string& value, Settings& settings) {
  const std::vector<std::string> words = words_of(value);
  ethtool_link_settings& head = settings.head();
  if (words.size() == 3 && value.starts_with(kOn)) {
    head.autoneg = AUTONEG_ENABLE;
    return put_hex(words[2], settings.advertised());
  }
  if (words.size() != 4 || !value.starts_with(kOff)) return false;
  const auto speed = speed_of(words[2]);
  const auto duplex = duplex_of(words[3]);
  if (!speed || !duplex) return false;
  head.autoneg = AUTONEG_DISABLE;
  head.speed = *speed;
  head.duplex = *duplex;
  return true;
}

}  // namespace

Result<std::string> link_value_of(const std::string& interface, const LinkWish& wish) {
  const std::string attempt = fmt::format("cannot set the link of {}", interface);
  Result<Settings> settings = read(interface, attempt);
  if (!settings) return std::unexpected(settings.error());
  if (wish.autoneg == "on") {
    if (!wish.speed.empty() || !wish.duplex.empty())
      return fail(ErrorKind::usage, attempt,
                  "a speed or duplex beside autoneg on only limits what "
                  "is offered",
                  "that is not done here: use ethtool(8)");
    return fmt::format("{} {}", kOn, hex_of(settings->supported()));
  }
  if (wish.autoneg != "off")
    return fail(ErrorKind::usage, attempt,
                fmt::format("autoneg '{}' is neither on nor off", wish.autoneg));
  if (!wish.speed.empty() && !speed_of(wish.speed))
    return fail(ErrorKind::usage, attempt, fmt::format("'{}' is no speed in Mbit/s", wish.speed));
  if (!wish.duplex.empty() && wish.duplex != "half" && wish.duplex != "full")
    return fail(ErrorKind::usage, attempt, "duplex is half or full");
  ethtool_link_settings& head = settings->head();
  head.autoneg = AUTONEG_DISABLE;
  if (!wish.speed.empty()) head.speed = *speed_of(wish.speed);
  if (!wish.duplex.empty()) head.duplex = *duplex_of(wish.duplex);
  if (head.speed == static_cast<std::uint32_t>(SPEED_UNKNOWN) || head.duplex == DUPLEX_UNKNOWN)
    return fail(ErrorKind::usage, attempt, "the link has no speed or duplex to keep",
                "say both: autoneg off speed N duplex full");
  return value_of(*settings);
}

std::string link_command(std::string_view interface, std::string_view value) {
  const std::vector<std::string> words = words_of(value);
  if (words.size() == 3)
    return fmt::format("ethtool -s {} autoneg on advertise {}", interface, words[2]);
  if (words.size() != 4) return {};
  return fmt::format("ethtool -s {} autoneg off speed {} duplex {}", interface, words[2], words[3]);
}

Result<std::string> read_link(const Knob& knob) {
  Result<Settings> settings = read(knob.interface, "cannot read " + to_string(knob));
  if (!settings) return std::unexpected(settings.error());
  return value_of(*settings);
}

Result<void> write_link(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to '{}'", to_string(knob), value);
  Result<Settings> settings = read(knob.interface, attempt);
  if (!settings) return std::unexpected(settings.error());
  if (value_of(*settings) == value) return {};
  if (!put(value, *settings))
    return fail(ErrorKind::usage, attempt, "it is no setting of a link",
                "write 'autoneg on 0xMODES' or 'autoneg off SPEED half|full'");
  settings->head().cmd = ETHTOOL_SLINKSETTINGS;
  if (const int code = ask(knob.interface, *settings); code != 0) return refused(attempt, code);
  return {};
}

}  // namespace slowpath::fix
