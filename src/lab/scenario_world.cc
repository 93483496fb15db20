// SPDX-License-Identifier: Apache-2.0
#include "lab/scenario_world.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "lab/address_plan.h"
#include "lab/capture_points.h"
#include "lab/scenario_stages.h"
#include "lab/table_reader.h"
#include "lab/traffic_plan.h"

namespace slowpath::lab {
namespace {

constexpr std::int64_t kLeastMtu = 576, kMostMtu = 9000;  // RFC 791; the plane's jumbo frames
constexpr std::uint32_t kDefaultSnapLen = 65535 + 14;

/// Names become file names, namespaces and parts of "server>client".
bool is_host_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// 0 if it is none.
std::uint16_t parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), port);
  return code == std::errc{} && stop == text.data() + text.size() ? port : std::uint16_t{0};
}

class WorldReader {
 public:
  WorldReader(std::string_view scenario, const Node& root)
      : scenario_(scenario), root_(scenario, &root, "the scenario"), tree_(root) {}

  Result<World> read() {
    world_.ipv6 = root_.flag("ipv6");
    for (const auto step : {&WorldReader::read_links, &WorldReader::read_hosts,
                            &WorldReader::read_transfers, &WorldReader::read_capture}) {
      if (const auto read = (this->*step)(); !read) return std::unexpected(read.error());
    }
    if (const auto read = read_stages(scenario_, tree_, world_.links); !read) {
      return std::unexpected(read.error());
    }
    return std::move(world_);
  }

 private:
  Result<void> read_links();
  Result<void> add_host(const std::string& name, std::uint32_t line);
  Result<void> read_hosts();
  Result<void> read_host(HostSpec& host, const Node& node);
  Result<void> read_transfers();
  [[nodiscard]] Result<void> check_transfer(const TransferSpec& transfer) const;
  Result<void> read_capture();

  std::string_view scenario_;
  TableReader root_;
  const Node& tree_;
  World world_;
};

Result<void> WorldReader::add_host(const std::string& name, std::uint32_t line) {
  if (!is_host_name(name)) {
    return fail_at(scenario_, line, fmt::format("\"{}\" cannot be a host's name", name),
                   "letters a to z, digits and _ can");
  }
  if (std::ranges::find(world_.hosts, name, &HostSpec::name) == world_.hosts.end()) {
    world_.hosts.emplace_back().name = name;
  }
  return {};
}

Result<void> WorldReader::read_links() {
  const auto tables = root_.tables("links");
  if (const auto read = root_.so_far(); !read) return read;
  for (const auto* node : tables) {
    TableReader table{scenario_, node, "[[links]]"};
    WorldLink link;
    link.a = table.required("a");
    link.b = table.required("b");
    if (const auto read = table.finish(); !read) return read;
    if (link.a == link.b) return fail_at(scenario_, node->line, "a link joins two hosts");
    for (const auto& other : world_.links) {
      if (std::minmax(other.a, other.b) != std::minmax(link.a, link.b)) continue;
      return fail_at(scenario_, node->line,
                     fmt::format("{} and {} have a link already", link.a, link.b));
    }
    for (const auto& name : {link.a, link.b}) {
      if (const auto added = add_host(name, node->line); !added) return added;
    }
    world_.links.push_back(std::move(link));
  }
  if (!world_.links.empty()) return {};
  world_.links.push_back({.a = "server", .b = "client", .a_to_b = {}, .b_to_a = {}});
  for (const auto* name : {"server", "client"}) world_.hosts.emplace_back().name = name;
  return {};
}

Result<void> WorldReader::read_hosts() {
  const auto* hosts = root_.table("hosts");
  if (hosts == nullptr) return root_.so_far();
  for (const auto& [name, node] : hosts->fields) {
    const auto host = std::ranges::find(world_.hosts, name, &HostSpec::name);
    if (host == world_.hosts.end()) {
      std::vector<std::string_view> names;
      for (const auto& each : world_.hosts) names.push_back(each.name);
      return fail_at(scenario_, node.line, fmt::format("host {} is on no link", name),
                     suggest(name, names));
    }
    if (const auto read = read_host(*host, node); !read) return read;
  }
  return {};
}

Result<void> WorldReader::read_host(HostSpec& host, const Node& node) {
  TableReader table{scenario_, &node, fmt::format("[hosts.{}]", host.name)};
  host.mtu = static_cast<std::uint32_t>(table.number("mtu", host.mtu, kLeastMtu, kMostMtu));
  host.congestion_control = table.text("congestion_control", host.congestion_control);
  host.route = table.text("route");
  host.sysctls = table.values("sysctl");
  host.commands = table.list("run");
  host.forwards = table.flag("forward");
  return table.finish();
}

/// Reads it as a run will, and forgets what it read.
Result<void> WorldReader::check_transfer(const TransferSpec& transfer) const {
  auto settings = transfer.settings;
  if (const auto ends = AddressPlan{world_}.ends(settings); !ends) {
    return std::unexpected(ends.error());
  }
  const auto plan = read_transfer_plan(transfer.name, settings);
  return plan ? Result<void>{} : std::unexpected(plan.error());
}

Result<void> WorldReader::read_transfers() {
  const auto tables = root_.tables("transfers");
  if (const auto read = root_.so_far(); !read) return read;
  if (tables.empty()) return fail_at(scenario_, 0, "it has no [[transfers]]", "name at least one");
  for (const auto* node : tables) {
    TableReader table{scenario_, node, "[[transfers]]"};
    const auto name = table.required("name");
    auto values = table.remaining();
    if (const auto read = table.finish(); !read) return read;
    if (std::ranges::find(world_.transfers, name, &TransferSpec::name) != world_.transfers.end()) {
      return fail_at(scenario_, node->line, fmt::format("there are two transfers {}", name));
    }
    TransferSpec transfer{
        .name = name, .settings = Settings{fmt::format("transfer {}", name), std::move(values)}};
    if (const auto checked = check_transfer(transfer); !checked) {
      const auto& error = checked.error();
      return fail_at(scenario_, node->line, error.attempt + ": " + error.cause, error.hint);
    }
    world_.transfers.push_back(std::move(transfer));
  }
  return {};
}

Result<void> WorldReader::read_capture() {
  TableReader table{scenario_, root_.table("capture"), "[capture]"};
  auto& capture = world_.capture;
  capture.points =
      table.has("points") ? table.list("points") : std::vector<std::string>{"server", "client"};
  capture.snap_len =
      static_cast<std::uint32_t>(table.number("snap", kDefaultSnapLen, 64, kDefaultSnapLen));
  for (const auto& port : table.list("ports")) {
    const auto number = parse_port(port);
    if (number == 0) table.complain("ports", fmt::format("\"{}\" is no port", port));
    capture.ports.push_back(number);
  }
  const auto points = capture_points(world_);
  for (const auto& point : capture.points) {
    if (std::ranges::find(points, point, &CapturePoint::name) != points.end()) continue;
    std::vector<std::string_view> names;
    for (const auto& each : points) names.push_back(each.name);
    table.complain("points", fmt::format("there is no capture point \"{}\"", point),
                   suggest(point, names));
  }
  if (std::set(capture.points.begin(), capture.points.end()).size() != capture.points.size()) {
    table.complain("points", "a capture point is named twice");
  }
  return table.finish();
}

}  // namespace

Result<World> read_world(std::string_view scenario, const Node& root) {
  return WorldReader{scenario, root}.read();
}

}  // namespace slowpath::lab
