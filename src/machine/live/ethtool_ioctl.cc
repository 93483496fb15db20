// SPDX-License-Identifier: Apache-2.0
#include "machine/live/ethtool_ioctl.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "machine/live/host_files.h"
#include "machine/netlink.h"

namespace slowpath::machine {
namespace {

// Drivers with many queues have some thousands of statistics.
constexpr std::uint32_t kMostStrings = 1U << 16;
constexpr std::uint32_t kMostBuckets = 1U << 16;
// Kernels write as many strings and statistics as the driver has, whatever was asked for, and a
// driver may have grown (queues were added) since it said how many: so much more than it said.
constexpr std::uint32_t kRoom = 4096;

/// One interface, asked by ioctl.
class Nic {
 public:
  Nic(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  /// Returns 0 or the errno.
  int ask(void* command) const {
    ifreq request{};
    name_.copy(request.ifr_name, sizeof request.ifr_name - 1);
    request.ifr_data = static_cast<char*>(command);
    return ioctl(fd_, SIOCETHTOOL, &request) == 0 ? 0 : errno;
  }

 private:
  int fd_;
  std::string name_;
};

/// Zeroed memory for a command that ends in an array; the command's own struct in front.
template <typename Header>
class Block {
 public:
  explicit Block(std::size_t array_bytes)
      : words_((sizeof(Header) + array_bytes + 7) / 8), array_bytes_(array_bytes) {}
  Header* operator->() { return reinterpret_cast<Header*>(words_.data()); }
  void* get() { return words_.data(); }
  [[nodiscard]] Bytes array() const {
    return std::as_bytes(std::span{words_}).subspan(sizeof(Header), array_bytes_);
  }

 private:
  std::vector<std::uint64_t> words_;
  std::size_t array_bytes_;
};

std::uint32_t count_strings(const Nic& nic, std::uint32_t set) {
  Block<ethtool_sset_info> info{sizeof(std::uint32_t)};
  info->cmd = ETHTOOL_GSSET_INFO;
  info->sset_mask = std::uint64_t{1} << set;
  if (nic.ask(info.get()) != 0 || info->sset_mask == 0) return 0;
  return std::min(load_le32(info.array().data()), kMostStrings);
}

std::vector<std::string> read_strings(const Nic& nic, std::uint32_t set, std::uint32_t count) {
  Block<ethtool_gstrings> strings{std::size_t{count + kRoom} * ETH_GSTRING_LEN};
  strings->cmd = ETHTOOL_GSTRINGS;
  strings->string_set = set;
  strings->len = count;
  if (count == 0 || nic.ask(strings.get()) != 0) return {};
  return parse_string_set(
      strings.array().first(std::size_t{std::min(strings->len, count)} * ETH_GSTRING_LEN));
}

int read_driver(const Nic& nic, InterfaceFacts& facts) {
  ethtool_drvinfo info{};
  info.cmd = ETHTOOL_GDRVINFO;
  if (const int error = nic.ask(&info); error != 0) return error;
  const auto text = [](const char* field, std::size_t size) {
    return std::string{field, strnlen(field, size)};
  };
  facts.driver = text(info.driver, sizeof info.driver);
  facts.driver_version = text(info.version, sizeof info.version);
  facts.firmware = text(info.fw_version, sizeof info.fw_version);
  facts.bus = text(info.bus_info, sizeof info.bus_info);
  return 0;
}

void read_statistics(const Nic& nic, InterfaceFacts& facts) {
  const auto names = read_strings(nic, ETH_SS_STATS, count_strings(nic, ETH_SS_STATS));
  if (names.empty()) return;
  Block<ethtool_stats> stats{(names.size() + kRoom) * sizeof(std::uint64_t)};
  stats->cmd = ETHTOOL_GSTATS;
  stats->n_stats = static_cast<std::uint32_t>(names.size());
  if (nic.ask(stats.get()) != 0) return;
  std::vector<std::uint64_t> values(std::min<std::size_t>(stats->n_stats, names.size()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = load_le64(stats.array().data() + i * sizeof(std::uint64_t));
  }
  apply_driver_statistics(names, values, facts);
}

int read_features(const Nic& nic, InterfaceFacts& facts) {
  const auto names = read_strings(nic, ETH_SS_FEATURES, count_strings(nic, ETH_SS_FEATURES));
  const std::size_t blocks = (names.size() + 31) / 32;
  Block<ethtool_gfeatures> features{blocks * sizeof(ethtool_get_features_block)};
  features->cmd = ETHTOOL_GFEATURES;
  features->size = static_cast<std::uint32_t>(blocks);
  if (const int error = nic.ask(features.get()); error != 0) return error;
  apply_feature_blocks(names, features.array(), facts);
  return names.empty() ? EOPNOTSUPP : 0;
}

// A driver that has none of a kind says that at most zero are possible (net/ethtool/rings.c).
std::optional<std::uint32_t> if_any(std::uint32_t most, std::uint32_t value) {
  return most == 0 ? std::nullopt : std::optional{value};
}

int read_rings(const Nic& nic, InterfaceFacts& facts) {
  ethtool_ringparam ring{};
  ring.cmd = ETHTOOL_GRINGPARAM;
  if (const int error = nic.ask(&ring); error != 0) return error;
  facts.rings = {.rx = if_any(ring.rx_max_pending, ring.rx_pending),
                 .tx = if_any(ring.tx_max_pending, ring.tx_pending),
                 .rx_max = if_any(ring.rx_max_pending, ring.rx_max_pending),
                 .tx_max = if_any(ring.tx_max_pending, ring.tx_max_pending)};
  return 0;
}

int read_channels(const Nic& nic, InterfaceFacts& facts) {
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  if (const int error = nic.ask(&channels); error != 0) return error;
  facts.channels = {.rx = if_any(channels.max_rx, channels.rx_count),
                    .tx = if_any(channels.max_tx, channels.tx_count),
                    .combined = if_any(channels.max_combined, channels.combined_count),
                    .rx_max = if_any(channels.max_rx, channels.max_rx),
                    .tx_max = if_any(channels.max_tx, channels.max_tx),
                    .combined_max = if_any(channels.max_combined, channels.max_combined)};
  return 0;
}

int read_coalesce(const Nic& nic, InterfaceFacts& facts) {
  ethtool_coalesce coalesce{};
  coalesce.cmd = ETHTOOL_GCOALESCE;
  if (const int error = nic.ask(&coalesce); error != 0) return error;
  facts.coalesce = {.rx_us = coalesce.rx_coalesce_usecs,
                    .rx_frames = coalesce.rx_max_coalesced_frames,
                    .tx_us = coalesce.tx_coalesce_usecs,
                    .tx_frames = coalesce.tx_max_coalesced_frames,
                    .adaptive_rx = coalesce.use_adaptive_rx_coalesce != 0,
                    .adaptive_tx = coalesce.use_adaptive_tx_coalesce != 0};
  return 0;
}

// The kernel wants to be told how many words of link modes it has: it answers the first question
// with their number, negative (uapi/linux/ethtool.h: struct ethtool_link_settings).
int read_link(const Nic& nic, InterfaceFacts& facts) {
  Block<ethtool_link_settings> link{3 * 127 * sizeof(std::uint32_t)};
  link->cmd = ETHTOOL_GLINKSETTINGS;
  if (const int error = nic.ask(link.get()); error != 0) return error;
  if (link->link_mode_masks_nwords >= 0) return EOPNOTSUPP;
  link->link_mode_masks_nwords = static_cast<std::int8_t>(-link->link_mode_masks_nwords);
  link->cmd = ETHTOOL_GLINKSETTINGS;
  if (const int error = nic.ask(link.get()); error != 0) return error;
  if (link->speed != 0 && link->speed != static_cast<std::uint32_t>(SPEED_UNKNOWN)) {
    facts.speed_bps = std::int64_t{link->speed} * 1'000'000;
  }
  if (link->duplex == DUPLEX_FULL) facts.duplex = "full";
  if (link->duplex == DUPLEX_HALF) facts.duplex = "half";
  facts.properties["autoneg"] = link->autoneg != 0 ? "on" : "off";
  return 0;
}

int read_pause(const Nic& nic, InterfaceFacts& facts) {
  ethtool_pauseparam pause{};
  pause.cmd = ETHTOOL_GPAUSEPARAM;
  if (const int error = nic.ask(&pause); error != 0) return error;
  facts.properties["pause.autoneg"] = pause.autoneg != 0 ? "on" : "off";
  facts.properties["pause.rx"] = pause.rx_pause != 0 ? "on" : "off";
  facts.properties["pause.tx"] = pause.tx_pause != 0 ? "on" : "off";
  return 0;
}

// The key stays with the driver: a key of no length is not asked for.
int read_rss(const Nic& nic, InterfaceFacts& facts) {
  ethtool_rxfh sizes{};
  sizes.cmd = ETHTOOL_GRSSH;
  if (const int error = nic.ask(&sizes); error != 0) return error;
  const std::uint32_t buckets = std::min(sizes.indir_size, kMostBuckets);
  Block<ethtool_rxfh> rss{std::size_t{buckets} * sizeof(std::uint32_t)};
  rss->cmd = ETHTOOL_GRSSH;
  rss->indir_size = buckets;
  if (const int error = nic.ask(rss.get()); error != 0) return error;
  facts.rss.hash = rss_hash_name(rss->hfunc);
  facts.rss.indirection.clear();
  for (std::size_t i = 0; i < buckets; ++i) {
    facts.rss.indirection.push_back(load_le32(rss.array().data() + i * sizeof(std::uint32_t)));
  }
  return 0;
}

void read_hash_fields(const Nic& nic, InterfaceFacts& facts) {
  struct FlowType {
    const char* name;
    std::uint32_t type;
  };
  static constexpr FlowType kTypes[] = {
      {"tcp4", TCP_V4_FLOW}, {"udp4", UDP_V4_FLOW}, {"tcp6", TCP_V6_FLOW}, {"udp6", UDP_V6_FLOW}};
  for (const auto& [name, type] : kTypes) {
    ethtool_rxnfc command{};
    command.cmd = ETHTOOL_GRXFH;
    command.flow_type = type;
    if (nic.ask(&command) == 0) facts.rss.fields[name] = hash_field_letters(command.data);
  }
}

struct Fallback {
  EthtoolTopic topic;
  int (*read)(const Nic& nic, InterfaceFacts& facts);
};
constexpr Fallback kFallbacks[] = {
    {EthtoolTopic::features, read_features}, {EthtoolTopic::rings, read_rings},
    {EthtoolTopic::channels, read_channels}, {EthtoolTopic::coalesce, read_coalesce},
    {EthtoolTopic::link, read_link},         {EthtoolTopic::pause, read_pause},
    {EthtoolTopic::rss, read_rss},
};

void read_interface(const Nic& nic, const std::set<EthtoolTopic>& told, InterfaceFacts& facts,
                    std::vector<Unread>& unread) {
  const auto note = [&](const char* what, int error) {
    if (error != 0 && facts.kind.empty()) {
      add_unread(unread, std::string{what} + " of " + facts.name, error, "cap_net_admin");
    }
  };
  note("driver", read_driver(nic, facts));
  for (const Fallback& fallback : kFallbacks) {
    if (!told.contains(fallback.topic)) note(to_string(fallback.topic), fallback.read(nic, facts));
  }
  read_statistics(nic, facts);
  read_hash_fields(nic, facts);
}

}  // namespace

std::vector<std::string> parse_string_set(Bytes strings) {
  std::vector<std::string> names;
  for (; strings.size() >= ETH_GSTRING_LEN; strings = strings.subspan(ETH_GSTRING_LEN)) {
    names.emplace_back(trimmed(netlink::text_of(strings.first(ETH_GSTRING_LEN))));
  }
  return names;
}

void apply_driver_statistics(const std::vector<std::string>& names,
                             std::span<const std::uint64_t> values, InterfaceFacts& facts) {
  for (std::size_t i = 0; i < names.size() && i < values.size(); ++i) {
    if (!names[i].empty()) facts.statistics.emplace(names[i], values[i]);
  }
}

void apply_feature_blocks(const std::vector<std::string>& names, Bytes blocks,
                          InterfaceFacts& facts) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t start = i / 32 * sizeof(ethtool_get_features_block);
    if (start >= blocks.size()) return;
    const auto block = netlink::read_struct<ethtool_get_features_block>(blocks.subspan(start));
    if (!block) return;
    if (names[i].empty()) continue;
    const std::uint32_t bit = 1U << (i % 32);
    FeatureState state;
    state.on = (block->active & bit) != 0;
    state.fixed = (block->available & bit) == 0 || (block->never_changed & bit) != 0;
    if (!state.fixed) state.requested = (block->requested & bit) != 0;
    facts.features[names[i]] = state;
  }
}

std::string hash_field_letters(std::uint64_t bits) {
  struct Field {
    std::uint64_t bit;
    char letter;
  };
  static constexpr Field kFields[] = {{RXH_L2DA, 'm'},    {RXH_VLAN, 'v'},   {RXH_L3_PROTO, 't'},
                                      {RXH_IP_SRC, 's'},  {RXH_IP_DST, 'd'}, {RXH_L4_B_0_1, 'f'},
                                      {RXH_L4_B_2_3, 'n'}};
  std::string letters;
  for (const auto& [bit, letter] : kFields) {
    if ((bits & bit) != 0) letters += letter;
  }
  return letters;
}

void read_ethtool_ioctl(const EthtoolTold& told, MachineFacts& machine) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    add_unread(machine.unread, "drivers (SIOCETHTOOL)", errno, "cap_net_admin");
    return;
  }
  for (InterfaceFacts& facts : machine.interfaces) {
    const auto known = told.find(facts.index);
    read_interface(Nic{fd, facts.name},
                   known == told.end() ? std::set<EthtoolTopic>{} : known->second, facts,
                   machine.unread);
  }
  close(fd);
}

}  // namespace slowpath::machine
