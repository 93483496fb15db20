// SPDX-License-Identifier: Apache-2.0
// `--host NAME=FILE|DIR|live`: what is known of the hosts of a case, and which of its addresses are
// theirs.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "facts/case.h"

namespace slowpath::cli {

/// One host as its user named it, with everything that tells of it.
struct HostInput {
  std::string name;
  std::vector<std::string> paths;
  bool live = false;
};

/// "NAME=FILE" each; a NAME that comes again adds to the same host. Errors: usage.
Result<std::vector<HostInput>> parse_hosts(const std::vector<std::string>& texts);

/// Reads them. Errors: a file that cannot be read, or in which nothing was recognised (input).
Result<std::vector<MachineFacts>> read_hosts(const std::vector<HostInput>& inputs);

/// Puts the hosts into `facts` and finds their addresses there: NAME itself where it is one,
/// "client" or "server" (of the connection with most bytes), the addresses of their interfaces, or,
/// where NAME is that of a place, the end that the capture there was taken at. Gives remarks for
/// standard error: of hosts that are no end of any connection, of text that was not understood.
std::vector<std::string> link_hosts(std::vector<MachineFacts> hosts, Case& facts);

}  // namespace slowpath::cli
