// SPDX-License-Identifier: Apache-2.0
#include "machine/live/host.h"

#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace slowpath::machine {
namespace {

struct Known {
  std::string_view mark, name;
};

// CPUID signatures, as the hypervisors document them.
constexpr Known kSignatures[] = {
    {"KVMKVMKVM", "kvm"},      {"VMwareVMware", "vmware"},     {"Microsoft Hv", "hyper-v"},
    {"XenVMMXenVMM", "xen"},   {"VBoxVBoxVBox", "virtualbox"}, {"prl hyperv", "parallels"},
    {"bhyve bhyve ", "bhyve"}, {"TCGTCGTCGTCG", "qemu"},       {"ACRNACRNACRN", "acrn"},
    {"QNXQVMBSQG", "qnx"},
};
// DMI vendors and products, for processors without CPUID.
constexpr Known kDmi[] = {
    {"VMware", "vmware"},
    {"QEMU", "kvm"},
    {"KVM", "kvm"},
    {"Amazon EC2", "kvm"},
    {"Google", "kvm"},
    {"Alibaba", "kvm"},
    {"OpenStack", "kvm"},
    {"Xen", "xen"},
    {"innotek", "virtualbox"},
    {"VirtualBox", "virtualbox"},
    {"Parallels", "parallels"},
    {"Microsoft Corporation Virtual Machine", "hyper-v"},
    {"BHYVE", "bhyve"},
};

// The leaf is there only where the processor has the hypervisor bit.
std::string cpuid_signature() {
#if defined(__x86_64__) || defined(__i386__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kHypervisorBit = 1U << 31U;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kHypervisorBit) == 0) return {};
  __cpuid(0x40000000, a, b, c, d);
  std::array<char, 13> text{};
  std::memcpy(text.data(), &b, 4);
  std::memcpy(text.data() + 4, &c, 4);
  std::memcpy(text.data() + 8, &d, 4);
  return text.data();
#else
  return {};
#endif
}

std::string unquoted(std::string_view value) {
  value = trimmed(value);
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
      value.back() == value.front()) {
    value = value.substr(1, value.size() - 2);
  }
  std::string text;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size()) ++i;
    text += value[i];
  }
  return text;
}

void read_os(const HostFiles& files, MachineFacts& machine) {
  auto text = files.read("/etc/os-release");
  if (!text) text = files.read("/usr/lib/os-release");
  if (!text) {
    add_unread(machine.unread, "distribution (/etc/os-release)", text.error(), "");
    return;
  }
  OsRelease os = parse_os_release(*text);
  machine.os = std::move(os.name);
  machine.os_release = std::move(os.version);
}

void read_dmi(const HostFiles& files, MachineFacts& machine) {
  for (const char* name : {"sys_vendor", "product_name", "chassis_asset_tag"}) {
    const std::string path = std::string{"/sys/class/dmi/id/"} + name;
    std::string value = files.word(path);
    if (!value.empty()) {
      machine.settings[std::string{"dmi."} + name] = {std::move(value), {path}};
    }
  }
}

std::string dmi(const MachineFacts& machine, const char* key) {
  const auto* setting = find_setting(machine, key);
  return setting == nullptr ? std::string{} : setting->value;
}

void read_virtualization(const HostFiles& files, MachineFacts& machine) {
  const auto cpuinfo = files.read("/proc/cpuinfo");
  machine.virtualization =
      virtualization_of(cpuinfo && has_hypervisor_flag(*cpuinfo), cpuid_signature(),
                        dmi(machine, "dmi.sys_vendor"), dmi(machine, "dmi.product_name"));
  // Xen's own word, where there is one (a paravirtual guest has no CPUID bit).
  const std::string type = files.word("/sys/hypervisor/type");
  if (machine.virtualization.empty() && !type.empty()) machine.virtualization = type;
}

void read_clock_source(const HostFiles& files, MachineFacts& machine) {
  const std::string folder = "/sys/devices/system/clocksource/clocksource0/";
  const auto text = files.read(folder + "current_clocksource");
  if (!text) {
    add_unread(machine.unread, "clock source (" + folder + "current_clocksource)", text.error(),
               "");
    return;
  }
  machine.clock_source = trimmed(*text);
}

}  // namespace

OsRelease parse_os_release(std::string_view text) {
  OsRelease os;
  for (std::string_view line : lines_of(text)) {
    line = trimmed(line);
    const auto equals = line.find('=');
    if (line.starts_with('#') || equals == line.npos) continue;
    const std::string_view key = line.substr(0, equals);
    if (key == "PRETTY_NAME") os.name = unquoted(line.substr(equals + 1));
    if (key == "VERSION_ID") os.version = unquoted(line.substr(equals + 1));
  }
  return os;
}

std::string virtualization_of(bool hypervisor_flag, std::string_view signature,
                              std::string_view vendor, std::string_view product) {
  for (const auto& [mark, name] : kSignatures) {
    if (signature.starts_with(mark)) return std::string{name};
  }
  const std::string both = std::string{vendor} + " " + std::string{product};
  for (const auto& [mark, name] : kDmi) {
    if (both.contains(mark)) return std::string{name};
  }
  return hypervisor_flag || !signature.empty() ? "unknown" : "";
}

bool has_hypervisor_flag(std::string_view cpuinfo) {
  for (const std::string_view line : lines_of(cpuinfo)) {
    if (line.starts_with("flags")) return std::ranges::count(words_of(line), "hypervisor") > 0;
  }
  return false;
}

void read_host(const HostFiles& files, MachineFacts& machine) {
  utsname names{};
  if (uname(&names) == 0) {
    machine.name = names.nodename;
    machine.kernel = names.release;
  }
  read_os(files, machine);
  read_dmi(files, machine);
  read_virtualization(files, machine);
  read_clock_source(files, machine);
}

}  // namespace slowpath::machine
