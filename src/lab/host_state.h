// SPDX-License-Identifier: Apache-2.0
// What a host is made of; for host*.cc alone.
#pragma once

#include <string>
#include <vector>

#include "base/descriptor.h"
#include "lab/host.h"

namespace slowpath::lab {

struct Host::State {
  HostSpec spec;
  bool ipv6 = false;
  Descriptor network;
  Descriptor peers;  // namespace of the plane's ends of veth pairs; made when first needed
  struct Made {
    std::string name;  // "eth0"
    Interface where;
  };
  std::vector<Made> interfaces;
};

/// Says where it happened.
inline Error on_host(Error error, const std::string& name) {
  error.attempt += " on " + name;
  return error;
}

}  // namespace slowpath::lab
