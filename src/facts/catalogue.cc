// SPDX-License-Identifier: Apache-2.0
// Joins the families' tables into the catalogue and answers questions about it.
#include "facts/catalogue.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "facts/catalogue/families.h"

namespace slowpath {
namespace {

std::vector<Fault> joined_families() {
  std::vector<Fault> faults;
  for (const auto family :
       {catalogue::segmentation_faults(), catalogue::integrity_faults(), catalogue::mtu_faults(),
        catalogue::window_faults(), catalogue::network_faults(), catalogue::link_faults(),
        catalogue::host_faults(), catalogue::middlebox_faults(), catalogue::connection_faults()}) {
    faults.insert(faults.end(), family.begin(), family.end());
  }
  return faults;
}

}  // namespace

std::string_view to_string(Family family) {
  switch (family) {
    case Family::segmentation:
      return "segmentation";
    case Family::integrity:
      return "integrity";
    case Family::mtu:
      return "mtu";
    case Family::window:
      return "window";
    case Family::network:
      return "network";
    case Family::link:
      return "link";
    case Family::host:
      return "host";
    case Family::middlebox:
      return "middlebox";
    case Family::connection:
      return "connection";
  }
  std::unreachable();
}

std::string_view to_string(ProvedBy proved_by) {
  switch (proved_by) {
    case ProvedBy::one_capture:
      return "one capture";
    case ProvedBy::two_captures:
      return "two captures";
    case ProvedBy::host_facts:
      return "host facts";
  }
  std::unreachable();
}

std::string_view to_string(Platform platform) {
  switch (platform) {
    case Platform::linux:
      return "linux";
    case Platform::windows:
      return "windows";
    case Platform::solaris:
      return "solaris";
    case Platform::esxi:
      return "esxi";
    case Platform::cloud:
      return "cloud";
    case Platform::any:
      return "any";
  }
  std::unreachable();
}

std::string_view to_string(Role role) {
  switch (role) {
    case Role::sender:
      return "sender";
    case Role::receiver:
      return "receiver";
    case Role::client:
      return "client";
    case Role::server:
      return "server";
    case Role::gateway:
      return "gateway";
    case Role::path:
      return "path";
    case Role::capture_host:
      return "capture host";
    case Role::both_ends:
      return "both ends";
  }
  std::unreachable();
}

std::span<const Fault> all_faults() {
  static const std::vector<Fault> faults = joined_families();
  return faults;
}

const Fault* find_fault(std::string_view id) {
  // Asked for every finding of thousands of connections.
  static const std::vector<const Fault*> by_id = [] {
    std::vector<const Fault*> faults;
    for (const Fault& fault : all_faults()) faults.push_back(&fault);
    std::ranges::sort(faults, {}, &Fault::id);
    return faults;
  }();
  const auto found = std::ranges::lower_bound(by_id, id, {}, &Fault::id);
  return found == by_id.end() || (*found)->id != id ? nullptr : *found;
}

bool is_specialisation_of(std::string_view special, std::string_view general) {
  const Fault* fault = find_fault(special);
  // The table has no cycle (a test walks it), so that this ends at a fault that stands alone.
  while (fault != nullptr && !fault->specialises.empty()) {
    if (fault->specialises == general) return true;
    fault = find_fault(fault->specialises);
  }
  return false;
}

}  // namespace slowpath
