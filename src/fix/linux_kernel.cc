// SPDX-License-Identifier: Apache-2.0
// Knobs of a running Linux: files below /proc/sys, netdevice(7) ioctls, and ethtool's ioctls
// (linux/ethtool.h). The ioctls are older than ethtool's netlink family and reach everything that
// knobs need, on every kernel.
#include <fcntl.h>
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
#include <utility>

#include <fmt/format.h>

#include "base/descriptor.h"
#include "fix/knob.h"
#include "fix/link_knob.h"
#include "fix/mss_clamp.h"
#include "fix/qdisc_knob.h"
#include "fix/qdisc_option_knob.h"
#include "fix/refusal.h"
#include "fix/route_knob.h"
#include "fix/rss_knob.h"

namespace slowpath::fix {
namespace {

constexpr std::string_view kSysctlRoot = "/proc/sys/";

std::unexpected<Error> refused(const std::string& attempt, int code) {
  const bool bad_value = code == EINVAL || code == ERANGE;
  return refused_by_kernel(bad_value ? ErrorKind::usage : ErrorKind::environment, attempt, code);
}

/// As sysctl(8): dots part the name, and a slash stands for a dot within a part.
std::string sysctl_path(std::string name) {
  for (char& c : name) {
    if (c == '.') {
      c = '/';
    } else if (c == '/') {
      c = '.';
    }
  }
  return std::string(kSysctlRoot) + name;
}

Result<std::string> read_sysctl(const std::string& name) {
  const std::string attempt = fmt::format("cannot read sysctl {}", name);
  if (name.contains("..") || name.starts_with('.'))
    return fail(ErrorKind::usage, attempt, "not a sysctl's name");
  const Descriptor file(open(sysctl_path(name).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) return refused(attempt, errno);
  std::array<char, 4096> text{};
  const ssize_t got = ::read(file.get(), text.data(), text.size());
  if (got < 0) return refused(attempt, errno);
  return single_spaced({text.data(), static_cast<std::size_t>(got)});
}

Result<void> write_sysctl(const std::string& name, const std::string& value) {
  const std::string attempt = fmt::format("cannot set sysctl {} to '{}'", name, value);
  if (name.contains("..") || name.starts_with('.'))
    return fail(ErrorKind::usage, attempt, "not a sysctl's name");
  const Descriptor file(open(sysctl_path(name).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.is_open()) return refused(attempt, errno);
  if (::write(file.get(), value.data(), value.size()) < 0) return refused(attempt, errno);
  return {};
}

Result<std::uint32_t> number_of(const std::string& attempt, const std::string& value) {
  std::uint32_t number = 0;
  const auto [end, code] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (code != std::errc() || end != value.data() + value.size()) {
    return fail(ErrorKind::usage, attempt, fmt::format("'{}' is no number", value));
  }
  return number;
}

/// A socket to ask about one interface.
class Interface {
 public:
  explicit Interface(const std::string& name)
      : name_(name), socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {}

  /// Runs a netdevice(7) ioctl. Returns errno, or 0.
  int ask(unsigned long request, ifreq& question) const {
    if (name_.empty() || name_.size() >= IFNAMSIZ) return ENODEV;
    std::memcpy(question.ifr_name, name_.c_str(), name_.size() + 1);
    return ioctl(socket_.get(), request, &question) < 0 ? errno : 0;
  }
  /// Runs an ethtool ioctl, whose structure begins with its command. Returns errno, or 0; `flags`
  /// gets its result.
  int ask_ethtool(void* command, int* flags = nullptr) const {
    if (name_.empty() || name_.size() >= IFNAMSIZ) return ENODEV;
    ifreq question{};
    std::memcpy(question.ifr_name, name_.c_str(), name_.size() + 1);
    question.ifr_data = static_cast<char*>(command);
    const int result = ioctl(socket_.get(), SIOCETHTOOL, &question);
    if (flags != nullptr && result >= 0) *flags = result;
    return result < 0 ? errno : 0;
  }

 private:
  const std::string& name_;
  Descriptor socket_;
};

/// The kernel's names of features, by their bit.
Result<std::vector<std::string>> feature_names(const Interface& interface,
                                               const std::string& attempt) {
  std::array<char, sizeof(ethtool_sset_info) + sizeof(std::uint32_t)> counted{};
  ethtool_sset_info info{};
  info.cmd = ETHTOOL_GSSET_INFO;
  info.sset_mask = 1ULL << ETH_SS_FEATURES;
  std::memcpy(counted.data(), &info, sizeof info);
  if (const int code = interface.ask_ethtool(counted.data()); code != 0)
    return refused(attempt, code);
  std::uint32_t count = 0;
  std::memcpy(&info, counted.data(), sizeof info);
  if (info.sset_mask != 0) std::memcpy(&count, counted.data() + sizeof info, sizeof count);
  std::vector<char> answer(sizeof(ethtool_gstrings) + std::size_t{count} * ETH_GSTRING_LEN);
  ethtool_gstrings head{};
  head.cmd = ETHTOOL_GSTRINGS;
  head.string_set = ETH_SS_FEATURES;
  head.len = count;
  std::memcpy(answer.data(), &head, sizeof head);
  if (const int code = interface.ask_ethtool(answer.data()); code != 0)
    return refused(attempt, code);
  std::vector<std::string> names;
  for (std::uint32_t i = 0; i < count; ++i) {
    const char* name = answer.data() + sizeof(ethtool_gstrings) + std::size_t{i} * ETH_GSTRING_LEN;
    names.emplace_back(name, strnlen(name, ETH_GSTRING_LEN));
  }
  return names;
}

struct Features {
  std::vector<std::string> names;
  std::vector<ethtool_get_features_block> blocks;

  [[nodiscard]] bool has(std::size_t bit, std::uint32_t ethtool_get_features_block::* mask) const {
    return (blocks[bit / 32].*mask >> (bit % 32) & 1U) != 0;
  }
  [[nodiscard]] bool is_changeable(std::size_t bit) const {
    return has(bit, &ethtool_get_features_block::available) &&
           !has(bit, &ethtool_get_features_block::never_changed);
  }
};

Result<Features> read_features(const Interface& interface, const std::string& attempt) {
  Result<std::vector<std::string>> names = feature_names(interface, attempt);
  if (!names) return std::unexpected(names.error());
  const std::size_t blocks = (names->size() + 31) / 32;
  std::vector<char> answer(sizeof(ethtool_gfeatures) + blocks * sizeof(ethtool_get_features_block));
  ethtool_gfeatures head{};
  head.cmd = ETHTOOL_GFEATURES;
  head.size = static_cast<std::uint32_t>(blocks);
  std::memcpy(answer.data(), &head, sizeof head);
  if (const int code = interface.ask_ethtool(answer.data()); code != 0)
    return refused(attempt, code);
  Features features{std::move(*names), std::vector<ethtool_get_features_block>(blocks)};
  std::memcpy(features.blocks.data(), answer.data() + sizeof head,
              blocks * sizeof(ethtool_get_features_block));
  return features;
}

Result<std::size_t> bit_of(const Features& features, const Knob& knob, const std::string& attempt) {
  const auto found = std::ranges::find(features.names, knob.item);
  if (found == features.names.end()) {
    return fail(ErrorKind::usage, attempt, "this kernel has no feature of that name",
                "ethtool -k " + knob.interface + " lists them");
  }
  return static_cast<std::size_t>(found - features.names.begin());
}

Result<std::string> read_feature(const Knob& knob) {
  const std::string attempt =
      fmt::format("cannot read feature {} of {}", knob.item, knob.interface);
  const Interface interface(knob.interface);
  const Result<Features> features = read_features(interface, attempt);
  if (!features) return std::unexpected(features.error());
  const Result<std::size_t> bit = bit_of(*features, knob, attempt);
  if (!bit) return std::unexpected(bit.error());
  return features->has(*bit, &ethtool_get_features_block::requested) ? "on" : "off";
}

Result<void> write_feature(const Knob& knob, const std::string& value) {
  const std::string attempt =
      fmt::format("cannot turn {} of {} {}", knob.item, knob.interface, value);
  if (value != "on" && value != "off")
    return fail(ErrorKind::usage, attempt, "a feature is on or off");
  const Interface interface(knob.interface);
  const Result<Features> features = read_features(interface, attempt);
  if (!features) return std::unexpected(features.error());
  const Result<std::size_t> bit = bit_of(*features, knob, attempt);
  if (!bit) return std::unexpected(bit.error());
  if (!features->is_changeable(*bit))
    return fail(ErrorKind::usage, attempt, "the driver holds it fixed");
  std::vector<char> command(sizeof(ethtool_sfeatures) +
                            features->blocks.size() * sizeof(ethtool_set_features_block));
  ethtool_sfeatures head{};
  head.cmd = ETHTOOL_SFEATURES;
  head.size = static_cast<std::uint32_t>(features->blocks.size());
  std::memcpy(command.data(), &head, sizeof head);
  ethtool_set_features_block block{.valid = 1U << (*bit % 32),
                                   .requested = (value == "on" ? 1U : 0U) << (*bit % 32)};
  std::memcpy(command.data() + sizeof head + (*bit / 32) * sizeof block, &block, sizeof block);
  int flags = 0;
  if (const int code = interface.ask_ethtool(command.data(), &flags); code != 0)
    return refused(attempt, code);
  if ((flags & ETHTOOL_F_UNSUPPORTED) != 0)
    return fail(ErrorKind::usage, attempt, "the driver does not support it");
  return {};
}

struct NumberIoctl {
  unsigned long get, set;
};
NumberIoctl number_ioctl(KnobKind kind) {
  return kind == KnobKind::mtu ? NumberIoctl{SIOCGIFMTU, SIOCSIFMTU}
                               : NumberIoctl{SIOCGIFTXQLEN, SIOCSIFTXQLEN};
}

Result<std::string> read_number(const Knob& knob) {
  const Interface interface(knob.interface);
  ifreq question{};
  if (const int code = interface.ask(number_ioctl(knob.kind).get, question); code != 0) {
    return refused("cannot read " + to_string(knob), code);
  }
  return std::to_string(question.ifr_mtu);  // ifr_qlen lies at the same place
}

Result<void> write_number(const Knob& knob, const std::string& value) {
  const std::string attempt = fmt::format("cannot set {} to {}", to_string(knob), value);
  const Result<std::uint32_t> number = number_of(attempt, value);
  if (!number) return std::unexpected(number.error());
  const Interface interface(knob.interface);
  ifreq question{};
  question.ifr_mtu = static_cast<int>(*number);
  if (const int code = interface.ask(number_ioctl(knob.kind).set, question); code != 0)
    return refused(attempt, code);
  return {};
}

std::uint32_t* item_of(ethtool_ringparam& rings, const std::string& item) {
  return item == "rx" ? &rings.rx_pending : &rings.tx_pending;
}
std::uint32_t* item_of(ethtool_channels& channels, const std::string& item) {
  if (item == "combined") return &channels.combined_count;
  return item == "rx" ? &channels.rx_count : &channels.tx_count;
}

/// Rings and channels: a structure that is read whole, changed in one place, and written whole.
template <typename Counts>
struct CountsKnob {
  std::uint32_t get, set;

  Result<std::string> read(const Knob& knob) const {
    Counts counts{};
    counts.cmd = get;
    if (const int code = Interface(knob.interface).ask_ethtool(&counts); code != 0) {
      return refused("cannot read " + to_string(knob), code);
    }
    return std::to_string(*item_of(counts, knob.item));
  }
  Result<void> write(const Knob& knob, const std::string& value) const {
    const std::string attempt = fmt::format("cannot set {} to {}", to_string(knob), value);
    const Result<std::uint32_t> number = number_of(attempt, value);
    if (!number) return std::unexpected(number.error());
    const Interface interface(knob.interface);
    Counts counts{};
    counts.cmd = get;
    if (const int code = interface.ask_ethtool(&counts); code != 0) return refused(attempt, code);
    counts.cmd = set;
    *item_of(counts, knob.item) = *number;
    if (const int code = interface.ask_ethtool(&counts); code != 0) return refused(attempt, code);
    return {};
  }
};
constexpr CountsKnob<ethtool_ringparam> kRing{ETHTOOL_GRINGPARAM, ETHTOOL_SRINGPARAM};
constexpr CountsKnob<ethtool_channels> kChannels{ETHTOOL_GCHANNELS, ETHTOOL_SCHANNELS};

/// What asks one interface; its name must outlive it.
AskEthtool asker_of(const std::string& name) {
  return [interface = std::make_shared<Interface>(name)](void* command) {
    return interface->ask_ethtool(command);
  };
}

class LinuxKernel final : public Kernel {
 public:
  Result<std::string> read(const Knob& knob) override {
    switch (knob.kind) {
      case KnobKind::sysctl:
        return read_sysctl(knob.item);
      case KnobKind::feature:
        return read_feature(knob);
      case KnobKind::mtu:
      case KnobKind::queue_length:
        return read_number(knob);
      case KnobKind::ring:
        return kRing.read(knob);
      case KnobKind::channels:
        return kChannels.read(knob);
      case KnobKind::rss:
        return read_rss(knob, asker_of(knob.interface));
      case KnobKind::qdisc:
        return read_qdisc(knob);
      case KnobKind::qdisc_option:
        return read_qdisc_option_knob(knob);
      case KnobKind::link:
        return read_link(knob);
      case KnobKind::route:
        return read_route(knob);
      case KnobKind::mss_clamp:
        return read_mss_clamp(knob);
    }
    return fail(ErrorKind::usage, "cannot read " + to_string(knob));
  }
  Result<void> write(const Knob& knob, const std::string& value) override {
    switch (knob.kind) {
      case KnobKind::sysctl:
        return write_sysctl(knob.item, value);
      case KnobKind::feature:
        return write_feature(knob, value);
      case KnobKind::mtu:
      case KnobKind::queue_length:
        return write_number(knob, value);
      case KnobKind::ring:
        return kRing.write(knob, value);
      case KnobKind::channels:
        return kChannels.write(knob, value);
      case KnobKind::rss:
        return write_rss(knob, value, asker_of(knob.interface));
      case KnobKind::qdisc:
        return write_qdisc(knob, value);
      case KnobKind::qdisc_option:
        return write_qdisc_option_knob(knob, value);
      case KnobKind::link:
        return write_link(knob, value);
      case KnobKind::route:
        return write_route(knob, value);
      case KnobKind::mss_clamp:
        return write_mss_clamp(knob, value);
    }
    return fail(ErrorKind::usage, "cannot set " + to_string(knob));
  }
  Result<std::vector<std::string>> changeable_features(const std::string& name) override {
    const Result<Features> features =
        read_features(Interface(name), "cannot read the features of " + name);
    if (!features) return std::unexpected(features.error());
    std::vector<std::string> changeable;
    for (std::size_t bit = 0; bit < features->names.size(); ++bit) {
      if (features->is_changeable(bit)) changeable.push_back(features->names[bit]);
    }
    return changeable;
  }
};

}  // namespace

std::unique_ptr<Kernel> this_host() { return std::make_unique<LinuxKernel>(); }

}  // namespace slowpath::fix
