// SPDX-License-Identifier: Apache-2.0
#include "capture/pcap_library.h"

#include <array>

#include "base/assert.h"
#include "base/shared_library.h"

namespace slowpath::capture {
namespace {

// Debian's name since 2008, and that of its authors.
constexpr std::array<const char*, 2> kNames{"libpcap.so.0.8", "libpcap.so.1"};
constexpr const char* kAttempt = "cannot use libpcap";

bool find_functions(const SharedLibrary& library, PcapLibrary& pcap) {
  return library.find("pcap_activate", pcap.activate) && library.find("pcap_close", pcap.close) &&
         library.find("pcap_compile", pcap.compile) && library.find("pcap_create", pcap.create) &&
         library.find("pcap_datalink", pcap.datalink) &&
         library.find("pcap_freecode", pcap.freecode) &&
         library.find("pcap_get_selectable_fd", pcap.get_selectable_fd) &&
         library.find("pcap_get_tstamp_precision", pcap.get_tstamp_precision) &&
         library.find("pcap_geterr", pcap.geterr) && library.find("pcap_next_ex", pcap.next_ex) &&
         library.find("pcap_offline_filter", pcap.offline_filter) &&
         library.find("pcap_open_dead", pcap.open_dead) &&
         library.find("pcap_set_buffer_size", pcap.set_buffer_size) &&
         library.find("pcap_set_datalink", pcap.set_datalink) &&
         library.find("pcap_set_promisc", pcap.set_promisc) &&
         library.find("pcap_set_snaplen", pcap.set_snaplen) &&
         library.find("pcap_set_timeout", pcap.set_timeout) &&
         library.find("pcap_set_tstamp_precision", pcap.set_tstamp_precision) &&
         library.find("pcap_setfilter", pcap.setfilter) &&
         library.find("pcap_setnonblock", pcap.setnonblock) &&
         library.find("pcap_snapshot", pcap.snapshot) && library.find("pcap_stats", pcap.stats) &&
         library.find("pcap_statustostr", pcap.statustostr);
}

Result<PcapLibrary> load() {
  const Result<SharedLibrary> library = SharedLibrary::load(kNames, kAttempt, "libpcap0.8");
  if (!library) return std::unexpected(library.error());
  PcapLibrary pcap;
  if (find_functions(*library, pcap)) return pcap;
  return fail(ErrorKind::environment, kAttempt, "it is older than 1.5", "install a newer one");
}

const Result<PcapLibrary>& loaded() {
  static const Result<PcapLibrary> library = load();
  return library;
}

}  // namespace

Result<void> load_libpcap() {
  if (!loaded()) return std::unexpected(loaded().error());
  return {};
}

const PcapLibrary& libpcap() {
  SLOWPATH_ASSERT(loaded().has_value());
  return *loaded();
}

}  // namespace slowpath::capture
