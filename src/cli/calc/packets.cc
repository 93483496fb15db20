// SPDX-License-Identifier: Apache-2.0
// `calc mtu` and `calc fragments`: what a packet size means for TCP, ping, the wire and the path.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/result.h"
#include "cli/calc/calculation.h"
#include "cli/calc/sheet.h"
#include "cli/command_line.h"
#include "detect/arithmetic/fragments.h"
#include "detect/arithmetic/packet_size.h"

namespace slowpath::cli::calc {
namespace {

using namespace slowpath::arithmetic;

constexpr std::uint32_t kLargestMtu = 65535;

struct MtuOptions {
  std::uint32_t mtu = 1500;
  std::string tunnel;
};

/// What travels: packets of `mtu` bytes, each `on_link` bytes long once a tunnel has wrapped it.
struct PacketSize {
  std::uint32_t mtu;
  std::uint32_t on_link;
};

double payload_share(const PacketSize& size, IpVersion version, bool timestamps) {
  return static_cast<double>(segment_payload_bytes(size.mtu, version, timestamps)) /
         wire_bytes(size.on_link);
}

void add_tcp(Sheet& sheet, const PacketSize& size) {
  const auto mss_text = [&](IpVersion version) {
    const std::uint32_t mss = mss_bytes(size.mtu, version);
    return Cell{fmt::format("{}   ({} payload with timestamps)", mss,
                            segment_payload_bytes(size.mtu, version, true)),
                mss};
  };
  sheet.row("MSS, IPv4", "mss_ipv4_bytes", mss_text(IpVersion::v4));
  if (size.mtu >= min_mtu(IpVersion::v6)) {
    sheet.row("MSS, IPv6", "mss_ipv6_bytes", mss_text(IpVersion::v6));
  } else {
    sheet.row("MSS, IPv6", "mss_ipv6_bytes", {"none: IPv6 needs an MTU of 1280", nullptr});
  }
  sheet.row("payload of link's rate", "efficiency",
            percent_cell(payload_share(size, IpVersion::v4, false)));
  sheet.row("the same with timestamps", "efficiency_with_timestamps",
            percent_cell(payload_share(size, IpVersion::v4, true)));
  sheet.row("on the wire", "wire_bytes",
            {fmt::format("{} bytes a packet: 38 of Ethernet around it; 4 more for each VLAN",
                         wire_bytes(size.on_link)),
             wire_bytes(size.on_link)});
}

void add_ping(Sheet& sheet, std::uint32_t mtu) {
  const std::uint32_t bytes = ping_payload_bytes(mtu, IpVersion::v4);
  sheet.heading("Largest ping that must pass with \"don't fragment\" (one byte more must not)");
  sheet.row("Linux", "ping_ipv4_bytes", {fmt::format("ping -M do -s {} HOST", bytes), bytes});
  sheet.row("Windows", "ping_windows", text_cell(fmt::format("ping -f -l {} HOST", bytes)));
  sheet.row("Solaris", "ping_solaris", text_cell(fmt::format("ping -s -D HOST {}", bytes)));
  sheet.row("ESXi", "ping_esxi", text_cell(fmt::format("vmkping -d -s {} HOST", bytes)));
}

std::vector<Row> timing_rows(std::uint32_t packet_bytes) {
  std::vector<Row> rows;
  for (const double rate_bps : {1e8, 1e9, 1e10, 2.5e10, 1e11}) {
    rows.push_back({rate_cell(rate_bps),
                    seconds_cell(serialisation_s(wire_bytes(packet_bytes), rate_bps)),
                    count_cell(packets_per_second(packet_bytes, rate_bps))});
  }
  return rows;
}

std::vector<Row> efficiency_rows() {
  std::vector<Row> rows;
  for (const std::uint32_t mtu : {576U, 1400U, 1500U, 9000U}) {
    rows.push_back({count_cell(mtu), percent_cell(efficiency(mtu, IpVersion::v4, false)),
                    percent_cell(efficiency(mtu, IpVersion::v4, true))});
  }
  return rows;
}

std::string known_tunnels() {
  std::string names;
  for (const Tunnel& tunnel : kTunnels) {
    if (!names.empty()) names += ", ";
    names += tunnel.name;
  }
  return names;
}

std::string tunnel_title(const Tunnel& tunnel, std::uint32_t link_mtu, const PacketSize& size) {
  return fmt::format("{} on an MTU of {} leaves packets of {} bytes", tunnel.name, link_mtu,
                     size.mtu);
}

Result<Sheet> compute_mtu(const MtuOptions& options) {
  const Tunnel* tunnel = options.tunnel.empty() ? nullptr : find_tunnel(options.tunnel);
  PacketSize size{options.mtu, options.mtu};
  if (tunnel != nullptr) {
    size.mtu = tunnel_mtu(options.mtu, *tunnel);
    size.on_link = tunnelled_bytes(size.mtu, *tunnel);
  }
  if (size.mtu < min_mtu(IpVersion::v4)) {
    return fail(
        ErrorKind::usage, fmt::format("cannot use an MTU of {}", options.mtu),
        fmt::format("it leaves less than the {} bytes that IPv4 needs", min_mtu(IpVersion::v4)));
  }
  Sheet sheet("mtu", tunnel == nullptr ? fmt::format("An MTU of {} bytes: MSS {}", size.mtu,
                                                     mss_bytes(size.mtu, IpVersion::v4))
                                       : tunnel_title(*tunnel, options.mtu, size));
  sheet.row("MTU", "mtu_bytes", {fmt::format("{}", size.mtu), size.mtu});
  if (tunnel != nullptr) {
    sheet.row("overhead", "overhead_bytes",
              {fmt::format("{}: {}", size.on_link - size.mtu, tunnel->consists_of),
               size.on_link - size.mtu});
  }
  add_tcp(sheet, size);
  add_ping(sheet, size.mtu);
  sheet.table(
      "A full packet on the wire", "by_rate",
      {{"rate", "rate_bps"}, {"takes", "serialisation_s"}, {"a second", "packets_per_second"}},
      timing_rows(size.on_link));
  if (tunnel == nullptr) {
    sheet.table("Payload of the link's rate, by MTU", "efficiency_by_mtu",
                {{"MTU", "mtu_bytes"},
                 {"plain", "efficiency"},
                 {"timestamps", "efficiency_with_timestamps"}},
                efficiency_rows());
  } else {
    sheet.note(
        "Let the routers clamp the MSS option of SYNs to the MSS above, so that nothing is cut or "
        "lost.");
  }
  if (tunnel != nullptr && tunnel->block_bytes > 1) {
    sheet.note("Other ciphers and check values differ by a few bytes.");
  }
  return sheet;
}

Compute declare_mtu(const CommandLine& line) {
  auto options = std::make_shared<MtuOptions>();
  line.add_option("--mtu", options->mtu, "MTU of the link")
      .range(min_mtu(IpVersion::v4), kLargestMtu)
      .capture_default_str();
  line.add_option("--tunnel", options->tunnel, "What wraps the packets: " + known_tunnels())
      .check([](const std::string& name) -> std::string {
        if (find_tunnel(name) != nullptr) return {};
        return "unknown tunnel '" + name + "'; known are " + known_tunnels();
      })
      .type_name("TUNNEL");
  return [options] { return compute_mtu(*options); };
}

struct FragmentOptions {
  std::uint32_t size = 0;
  std::uint32_t payload = 0;
  std::uint32_t mtu = 1500;
  bool ipv6 = false;
};

std::vector<Row> fragment_rows(const std::vector<Fragment>& fragments) {
  std::vector<Row> rows;
  for (const Fragment& fragment : fragments) {
    rows.push_back({count_cell(static_cast<double>(rows.size() + 1)),
                    count_cell(fragment.packet_bytes), count_cell(fragment.payload_bytes),
                    count_cell(fragment.offset_bytes)});
  }
  return rows;
}

/// "1500 + 520 bytes", "3 of 1500 + 108 bytes".
std::string sizes_in_words(const std::vector<Fragment>& fragments) {
  const std::uint32_t first = fragments.front().packet_bytes;
  const std::uint32_t last = fragments.back().packet_bytes;
  if (fragments.size() == 2) return fmt::format("{} + {} bytes", first, last);
  return fmt::format("{} of {} + {} bytes", fragments.size() - 1, first, last);
}

std::uint64_t total_wire_bytes(const std::vector<Fragment>& fragments) {
  std::uint64_t total = 0;
  for (const Fragment& fragment : fragments) total += wire_bytes(fragment.packet_bytes);
  return total;
}

Result<Sheet> compute_fragments(const FragmentOptions& options) {
  const IpVersion version = options.ipv6 ? IpVersion::v6 : IpVersion::v4;
  const std::uint32_t header = ip_header_bytes(version);
  const std::uint32_t size =
      options.payload > 0 ? options.payload + kUdpHeaderBytes + header : options.size;
  const std::string attempt =
      fmt::format("cannot cut a packet of {} bytes at MTU {}", size, options.mtu);
  if (options.mtu < min_mtu(version)) {
    return fail(
        ErrorKind::usage, attempt,
        fmt::format("IPv{} needs an MTU of {} or more", options.ipv6 ? 6 : 4, min_mtu(version)));
  }
  if (size <= header || size > max_packet_bytes(version)) {
    return fail(ErrorKind::usage, attempt,
                fmt::format("a packet has {} to {} bytes, header included", header + 1,
                            max_packet_bytes(version)));
  }
  const auto fragments = fragments_of(size, options.mtu, version);
  if (fragments.size() == 1) {
    Sheet sheet("fragments",
                fmt::format("A packet of {} bytes fits an MTU of {}", size, options.mtu));
    sheet.row("packets", "fragment_count", count_cell(1));
    return sheet;
  }
  Sheet sheet("fragments", fmt::format("A packet of {} bytes at MTU {} becomes {}", size,
                                       options.mtu, sizes_in_words(fragments)));
  sheet.row("packets", "fragment_count", count_cell(static_cast<double>(fragments.size())));
  sheet.row("on the wire", "wire_bytes",
            exact_bytes_cell(static_cast<double>(total_wire_bytes(fragments))));
  sheet.row("had it fitted", "wire_bytes_unfragmented", exact_bytes_cell(wire_bytes(size)));
  sheet.table("", "fragments",
              {{"fragment", "number"},
               {"packet", "packet_bytes"},
               {"payload", "payload_bytes"},
               {"offset", "offset_bytes"}},
              fragment_rows(fragments), 12);
  sheet.note(
      "Each fragment has an IP header of its own; all payloads but the last are multiples of 8.");
  sheet.note(
      "One fragment lost loses the packet; many firewalls drop fragments, some those out of "
      "order.");
  return sheet;
}

Compute declare_fragments(const CommandLine& line) {
  auto options = std::make_shared<FragmentOptions>();
  // A group of its own: exactly one of the two says how long the packet is.
  const CommandLine group = line.add_choice("Length");
  group.add_option("--size", options->size, "Bytes of the IP packet, headers included")
      .range(1U, 70000U);
  group.add_option("--payload", options->payload, "Bytes of UDP payload").range(1U, 70000U);
  line.add_option("--mtu", options->mtu, "MTU of the link")
      .range(min_mtu(IpVersion::v4), kLargestMtu)
      .capture_default_str();
  line.add_flag("--ipv6", options->ipv6, "IPv6: a fragment header of 8 bytes in each, sender only");
  return [options] { return compute_fragments(*options); };
}

}  // namespace

extern const Calculation mtu;
const Calculation mtu{
    .name = "mtu",
    .summary = "MSS, efficiency, ping size and time on the wire of an MTU or tunnel",
    .examples =
        "  slowpath calc mtu --mtu 9000\n"
        "  slowpath calc mtu --tunnel wireguard\n"
        "  slowpath calc mtu --mtu 1400 --tunnel vxlan\n",
    .declare = declare_mtu};

extern const Calculation fragments;
const Calculation fragments{.name = "fragments",
                            .summary = "how a packet is cut that exceeds an MTU",
                            .examples =
                                "  slowpath calc fragments --size 2000 --mtu 1500\n"
                                "  slowpath calc fragments --payload 8192\n",
                            .declare = declare_fragments};

}  // namespace slowpath::cli::calc
