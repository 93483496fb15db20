// SPDX-License-Identifier: Apache-2.0
#include "cli/hosts.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "machine/live.h"
#include "machine/text.h"

namespace slowpath::cli {
namespace {

bool is_empty(const MachineFacts& machine) {
  return machine.interfaces.empty() && machine.routes.empty() && machine.sockets.empty() &&
         machine.cpus.empty() && machine.settings.empty() && machine.counters.empty() &&
         machine.packages.empty();
}

Result<MachineFacts> read_host(const HostInput& input) {
  MachineFacts machine;
  if (input.live) {
    machine = machine::read_machine();
  } else {
    Result<MachineFacts> read = machine::read_texts(input.paths);
    if (!read) return std::unexpected(read.error());
    machine = std::move(*read);
    if (is_empty(machine))
      return fail(ErrorKind::input,
                  fmt::format("cannot learn anything about {} from {}", input.name,
                              fmt::join(input.paths, ", ")),
                  "no command's output was recognised in it",
                  "'slowpath inspect --collect linux|windows|solaris|esxi' prints what to run "
                  "there");
  }
  machine.name = input.name;
  return machine;
}

std::set<IpAddress> ends_of(const Case& facts) {
  std::set<IpAddress> ends;
  for (const ConnectionFacts& connection : facts.connections) {
    ends.insert(connection.client.address);
    ends.insert(connection.server.address);
  }
  return ends;
}

const ConnectionFacts* largest(const Case& facts) {
  const auto bytes = [](const ConnectionFacts& connection) {
    return connection.directions[0].bytes + connection.directions[1].bytes;
  };
  const auto found = std::ranges::max_element(facts.connections, {}, bytes);
  return found == facts.connections.end() ? nullptr : &*found;
}

/// The end at which the capture of this name was taken, of each of its connections.
std::set<IpAddress> ends_at_place(const Case& facts, const std::string& place) {
  std::set<IpAddress> ends;
  for (const ConnectionFacts& connection : facts.connections) {
    const std::size_t input = connection.first_frame.input();
    if (input >= facts.captures.size() || facts.captures[input].name != place) continue;
    for (const Direction direction : {Direction::to_server, Direction::to_client}) {
      const bool to_server = direction == Direction::to_server;
      const Vantage vantage = connection[direction].vantage;
      const Endpoint &sender = to_server ? connection.client : connection.server,
                     &receiver = to_server ? connection.server : connection.client;
      if (vantage == Vantage::sender) ends.insert(sender.address);
      if (vantage == Vantage::receiver) ends.insert(receiver.address);
    }
  }
  return ends;
}

/// Addresses that the captures show of this host. What its user says goes before what it says
/// itself.
std::set<IpAddress> addresses_of(const MachineFacts& machine, const Case& facts,
                                 const std::set<IpAddress>& ends) {
  std::set<IpAddress> own;
  for (const IpAddress& end : ends) {
    if (to_string(end) == machine.name) own.insert(end);
  }
  for (const InterfaceFacts& interface : machine.interfaces) {
    for (const IpAddress& address : interface.addresses) {
      if (ends.contains(address)) own.insert(address);
    }
  }
  if (!own.empty()) return own;
  const ConnectionFacts* main = largest(facts);
  if (machine.name == "client" && main != nullptr) return {main->client.address};
  if (machine.name == "server" && main != nullptr) return {main->server.address};
  const std::set<IpAddress> placed = ends_at_place(facts, machine.name);
  // Both ends: the capture was taken between them, or on a host that talks to itself.
  return placed.size() == 1 ? placed : std::set<IpAddress>{};
}

bool forwards(const MachineFacts& machine) {
  for (const char* key : {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"}) {
    const Told<std::string>* value = find_setting(machine, key);
    if (value != nullptr && value->value == "1") return true;
  }
  return false;
}

std::string remark_of_stranger(const MachineFacts& machine) {
  return fmt::format(
      "{} is no end of any connection here, and does not forward: nothing is asked of it. Name it "
      "by the address that the capture shows: --host ADDRESS=FILE",
      machine.name);
}

std::string remark_of_text(const MachineFacts& machine) {
  const NotUnderstood& first = machine.not_understood.front();
  return fmt::format("{} lines about {} were not understood; the first, {} line {}: {}",
                     machine.not_understood.size(), machine.name, first.file, first.line,
                     first.text);
}

}  // namespace

Result<std::vector<HostInput>> parse_hosts(const std::vector<std::string>& texts) {
  std::vector<HostInput> hosts;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == text.size()) {
      return fail(ErrorKind::usage, fmt::format("cannot read --host {}", text),
                  "it is not of the form NAME=FILE, NAME=DIRECTORY or NAME=live",
                  "NAME is an address in the capture, 'client', 'server', or a name of --at");
    }
    const std::string name = text.substr(0, equals), source = text.substr(equals + 1);
    auto host = std::ranges::find(hosts, name, &HostInput::name);
    if (host == hosts.end()) host = hosts.insert(hosts.end(), HostInput{name, {}, false});
    if (source == "live") {
      host->live = true;
    } else {
      host->paths.push_back(source);
    }
    if (host->live && !host->paths.empty())
      return fail(ErrorKind::usage, fmt::format("cannot read --host {}", text),
                  fmt::format("{} is both this host and one that a text tells of", name));
  }
  return hosts;
}

Result<std::vector<MachineFacts>> read_hosts(const std::vector<HostInput>& inputs) {
  std::vector<MachineFacts> hosts;
  for (const HostInput& input : inputs) {
    Result<MachineFacts> machine = read_host(input);
    if (!machine) return std::unexpected(machine.error());
    hosts.push_back(std::move(*machine));
  }
  return hosts;
}

std::vector<std::string> link_hosts(std::vector<MachineFacts> hosts, Case& facts) {
  std::vector<std::string> remarks;
  const std::set<IpAddress> ends = ends_of(facts);
  for (MachineFacts& machine : hosts) {
    const std::set<IpAddress> own = addresses_of(machine, facts, ends);
    if (own.empty() && !forwards(machine)) remarks.push_back(remark_of_stranger(machine));
    if (!machine.not_understood.empty()) remarks.push_back(remark_of_text(machine));
    for (const IpAddress& address : own) {
      const auto taken = std::ranges::find(facts.host_addresses, address, &HostAddress::address);
      if (taken == facts.host_addresses.end()) {
        facts.host_addresses.push_back({facts.hosts.size(), address});
      } else {
        const std::string& first = facts.hosts[taken->host].name;
        remarks.push_back(fmt::format("{} and {} both have {}: it is taken for {}'s", first,
                                      machine.name, to_string(address), first));
      }
    }
    facts.hosts.push_back(std::move(machine));
  }
  return remarks;
}

}  // namespace slowpath::cli
