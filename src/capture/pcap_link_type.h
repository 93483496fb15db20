// SPDX-License-Identifier: Apache-2.0
// libpcap's DLT_ numbers, which differ between systems, to LINKTYPE_ numbers in files, and back.
#pragma once

#include <pcap/dlt.h>

#include "wire/frame.h"

namespace slowpath::capture {

/// Only raw IP has different numbers on Linux (libpcap's pcap-common.c).
constexpr int to_dlt(wire::LinkType link_type) {
  return link_type == wire::LinkType::raw ? DLT_RAW : static_cast<int>(link_type);
}
constexpr wire::LinkType from_dlt(int dlt) {
  return dlt == DLT_RAW ? wire::LinkType::raw : static_cast<wire::LinkType>(dlt);
}

}  // namespace slowpath::capture
