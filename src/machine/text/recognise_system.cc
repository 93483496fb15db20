// SPDX-License-Identifier: Apache-2.0
// Which system it is: uname -a, /etc/os-release, Solaris' /etc/release, Windows' banner and
// systeminfo, vmware -v, `esxcli system version get`.
#include <algorithm>
#include <array>
#include <string>

#include "machine/text/reader.h"
#include "machine/text/shapes.h"

namespace slowpath::machine::text {
namespace {

struct Banner {
  std::string_view beginning;
  Platform platform;
  bool (*read)(std::string_view line, MachineFacts& facts);
};

void set_if_empty(std::string& field, std::string_view value) {
  if (field.empty()) field = value;
}

/// "Linux host 5.15.0-91-generic #101-Ubuntu SMP ... x86_64 GNU/Linux".
bool read_linux(std::string_view line, MachineFacts& facts) {
  const Words words = words_of(line);
  if (words.size() < 4 || !words[2].contains('.')) return false;
  set_if_empty(facts.name, words[1]);
  facts.kernel = words[2];
  set_if_empty(facts.os, "Linux");
  return true;
}

/// "SunOS solaris-lab 5.11 11.1 i86pc i386 i86pc".
bool read_sunos(std::string_view line, MachineFacts& facts) {
  const Words words = words_of(line);
  if (words.size() < 4 || !words[2].starts_with("5.")) return false;
  set_if_empty(facts.name, words[1]);
  facts.kernel = words[2];
  set_if_empty(facts.os, "SunOS");
  // Solaris 11 tells its release here, Solaris 10 its patch ("Generic_147148-26").
  if (!words[3].starts_with("Generic")) {
    set_if_empty(facts.os_release, words[3]);
  } else if (words[2] == "5.10") {
    set_if_empty(facts.os_release, "10");
  }
  return true;
}

/// "VMkernel esx01 6.7.0 #1 SMP Release build-8169922 ...".
bool read_vmkernel(std::string_view line, MachineFacts& facts) {
  const Words words = words_of(line);
  if (words.size() < 3) return false;
  set_if_empty(facts.name, words[1]);
  facts.kernel = words[2];
  set_if_empty(facts.os, "VMware ESXi");
  set_if_empty(facts.os_release, words[2]);
  return true;
}

/// "VMware ESXi 6.7.0 build-8169922".
bool read_esxi(std::string_view line, MachineFacts& facts) {
  const Words words = words_of(line);
  if (words.size() < 3 || !leading_number(words[2])) return false;
  facts.os = "VMware ESXi";
  facts.os_release = words[2];
  return true;
}

/// "Oracle Solaris 11.1 X86", "Oracle Solaris 10 8/11 s10x_u10wos_17b X86".
bool read_solaris(std::string_view line, MachineFacts& facts) {
  const Words words = words_of(line);
  if (words.size() < 3 || !leading_number(words[2])) return false;
  facts.os_release = words[2];
  facts.os = "Oracle Solaris " + facts.os_release;
  return true;
}

/// "Microsoft Windows [Version 6.2.9200]"; the word in the brackets is translated.
bool read_windows(std::string_view line, MachineFacts& facts) {
  const std::string_view inner = between(line, "[", "]");
  const std::size_t blank = inner.find(' ');
  if (blank == std::string_view::npos) return false;
  facts.kernel = trim(inner.substr(blank));
  set_if_empty(facts.os, "Microsoft Windows");
  set_if_empty(facts.os_release, facts.kernel);
  return true;
}

constexpr auto kBanners = std::to_array<Banner>({
    {"Linux ", Platform::linux, read_linux},
    {"SunOS ", Platform::solaris, read_sunos},
    {"VMkernel ", Platform::esxi, read_vmkernel},
    {"VMware ESXi ", Platform::esxi, read_esxi},
    {"Oracle Solaris ", Platform::solaris, read_solaris},
    {"Microsoft Windows [", Platform::windows, read_windows},
});

constexpr auto kWindowsKeys = std::to_array<std::string_view>(
    {"OS Name", "OS Version", "System Manufacturer", "System Model", "Host Name", "OS Manufacturer",
     "OS Configuration", "OS Build Type"});

const Banner* banner_of(std::string_view line) {
  const auto found = std::ranges::find_if(
      kBanners, [line](const Banner& banner) { return trim(line).starts_with(banner.beginning); });
  return found == kBanners.end() ? nullptr : &*found;
}

bool is_release_line(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return false;
  constexpr std::string_view kKey = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return is_word_of(line.substr(0, equals), kKey);
}

bool is_windows_line(std::string_view line) {
  const auto pair = pair_of(line);
  return pair && line.front() != ' ' && std::ranges::count(kWindowsKeys, pair->key) > 0;
}

/// `esxcli system version get`: "   Product: VMware ESXi".
bool is_product_line(std::string_view line) { return trim(line) == "Product: VMware ESXi"; }

/// A hypervisor's name, as `systemd-detect-virt` prints it.
bool is_virtualization(const Output& rest) {
  return rest.command.program() == "systemd-detect-virt" &&
         is_word_of(rest.lines.front().text, "abcdefghijklmnopqrstuvwxyz0123456789-");
}

bool is_clock_source(const Output& rest) {
  return rest.command.last_argument().ends_with("current_clocksource") &&
         words_of(rest.lines.front().text).size() == 1;
}

bool recognises(const Output& rest) {
  const std::string_view first = rest.lines.front().text;
  MachineFacts unused;
  const Banner* banner = banner_of(first);
  if (banner != nullptr && banner->read(trim(first), unused)) return true;
  return (is_release_line(first) && first.find('"') != 0 &&
          (first.starts_with("NAME=") || first.starts_with("PRETTY_NAME=") ||
           first.starts_with("ID="))) ||
         is_windows_line(first) || is_product_line(first) || is_virtualization(rest) ||
         is_clock_source(rest);
}

std::string_view unquoted(std::string_view value) {
  if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
    return value.substr(1, value.size() - 2);
  }
  return value;
}

void read_release(std::string_view line, Notes& notes) {
  MachineFacts& facts = notes.facts();
  const std::size_t equals = line.find('=');
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = unquoted(line.substr(equals + 1));
  if (key == "PRETTY_NAME") facts.os = value;
  if (key == "VERSION_ID") facts.os_release = value;
  if (!facts.platform) facts.platform = Platform::linux;
}

void read_windows_line(std::string_view line, Notes& notes) {
  MachineFacts& facts = notes.facts();
  const Pair pair = pair_of(line).value_or(Pair{});
  if (pair.key == "Host Name") set_if_empty(facts.name, pair.value);
  if (pair.key == "OS Name") facts.os = pair.value;
  if (pair.key == "OS Version") {
    facts.os_release = pair.value.substr(0, pair.value.find(' '));
    facts.kernel = facts.os_release;
  }
  if (pair.key == "System Manufacturer") {
    if (pair.value.contains("VMware")) facts.virtualization = "vmware";
    if (pair.value.contains("Xen")) facts.virtualization = "xen";
    if (pair.value.contains("QEMU")) facts.virtualization = "kvm";
  }
  if (pair.key == "System Model" && pair.value == "Virtual Machine") {
    facts.virtualization = "microsoft";
  }
  if (!facts.platform) facts.platform = Platform::windows;
}

/// Product, Version, Build, Update, Patch.
bool read_product_line(std::string_view line, Notes& notes) {
  const auto pair = pair_of(line);
  MachineFacts& facts = notes.facts();
  if (!pair || line.front() != ' ') return false;
  if (pair->key == "Product") {
    facts.os = pair->value;
    if (!facts.platform) facts.platform = Platform::esxi;
  } else if (pair->key == "Version") {
    facts.os_release = pair->value;
  } else {
    return pair->key == "Build" || pair->key == "Update" || pair->key == "Patch";
  }
  return true;
}

bool is_decoration(std::string_view line) {
  return line.contains("Copyright") || line.contains("(c)") || line.contains("Assembled") ||
         line.contains("Microsoft Corporation") || contains_ignoring_case(line, "all rights");
}

void read(const Output& output, Notes& notes) {
  bool is_product = false;
  notes.each_line(output, [&](const Line& line) {
    MachineFacts& facts = notes.facts();
    const std::string_view text = line.text;
    if (const Banner* banner = banner_of(text)) {
      if (!banner->read(trim(text), facts)) return false;
      if (!facts.platform) facts.platform = banner->platform;
      return true;
    }
    if (is_virtualization({Lines(&line, 1), output.command})) {
      if (text != "none") facts.virtualization = text;
      return true;
    }
    if (is_clock_source({Lines(&line, 1), output.command})) {
      facts.clock_source = text;
      return true;
    }
    is_product = is_product || is_product_line(text);
    if (is_product && read_product_line(text, notes)) return true;
    if (is_release_line(text)) {
      read_release(text, notes);
      return true;
    }
    if (is_windows_line(text)) {
      read_windows_line(text, notes);
      return true;
    }
    return is_decoration(text);
  });
}

}  // namespace

namespace recognisers {
extern const Recogniser system;
const Recogniser system{"system", std::nullopt, recognises, read};
}  // namespace recognisers

}  // namespace slowpath::machine::text
