// SPDX-License-Identifier: Apache-2.0
// How much memory connections may take where nobody said it.
#pragma once

#include <cstdint>
#include <string>

namespace slowpath::cli {

/// A quarter of what this process may have: of the machine's memory, or of the least memory.max of
/// its control groups (cgroup v2). At least 64 MiB; 1 GiB where the kernel tells nothing. `root`
/// stands before /proc and /sys, for tests.
std::uint64_t default_memory_bytes(const std::string& root = {});

}  // namespace slowpath::cli
