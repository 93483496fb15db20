// SPDX-License-Identifier: Apache-2.0
// libpcap's functions, loaded when something is captured or filtered first. Internal to live.cc and
// filter.cc.
#pragma once

#include <pcap/pcap.h>

#include <memory>

#include "base/result.h"

namespace slowpath::capture {

/// By their own names, less "pcap_".
struct PcapLibrary {
  decltype(&pcap_activate) activate = nullptr;
  decltype(&pcap_close) close = nullptr;
  decltype(&pcap_compile) compile = nullptr;
  decltype(&pcap_create) create = nullptr;
  decltype(&pcap_datalink) datalink = nullptr;
  decltype(&pcap_freecode) freecode = nullptr;
  decltype(&pcap_get_selectable_fd) get_selectable_fd = nullptr;
  decltype(&pcap_get_tstamp_precision) get_tstamp_precision = nullptr;
  decltype(&pcap_geterr) geterr = nullptr;
  decltype(&pcap_next_ex) next_ex = nullptr;
  decltype(&pcap_offline_filter) offline_filter = nullptr;
  decltype(&pcap_open_dead) open_dead = nullptr;
  decltype(&pcap_set_buffer_size) set_buffer_size = nullptr;
  decltype(&pcap_set_datalink) set_datalink = nullptr;
  decltype(&pcap_set_promisc) set_promisc = nullptr;
  decltype(&pcap_set_snaplen) set_snaplen = nullptr;
  decltype(&pcap_set_timeout) set_timeout = nullptr;
  decltype(&pcap_set_tstamp_precision) set_tstamp_precision = nullptr;
  decltype(&pcap_setfilter) setfilter = nullptr;
  decltype(&pcap_setnonblock) setnonblock = nullptr;
  decltype(&pcap_snapshot) snapshot = nullptr;
  decltype(&pcap_stats) stats = nullptr;
  decltype(&pcap_statustostr) statustostr = nullptr;
};

/// Loads it; tried once, every call tells what came of it. Error (environment): it is missing or
/// lacks a function. To be called before libpcap().
Result<void> load_libpcap();

/// Its functions, once load_libpcap() has succeeded.
const PcapLibrary& libpcap();

struct PcapClose {
  void operator()(pcap_t* handle) const { libpcap().close(handle); }
};
using PcapHandle = std::unique_ptr<pcap_t, PcapClose>;

}  // namespace slowpath::capture
