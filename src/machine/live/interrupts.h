// SPDX-License-Identifier: Apache-2.0
// How many interrupts each receive queue of a NIC raised, and which CPUs took them: the lines of
// /proc/interrupts that belong to the interface.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "facts/machine.h"
#include "machine/live/host_files.h"

namespace slowpath::machine {

struct InterruptLine {
  std::string number;                 // "38", "LOC"
  std::vector<std::uint64_t> by_cpu;  // as many as the head has columns
  std::vector<std::string> words;     // the chip, the hardware number, the names of those who asked
};
/// The lines that have a count for each CPU of the head line.
std::vector<InterruptLine> parse_interrupts(std::string_view text);

/// By what the lines of an interface are known.
struct InterruptOwner {
  std::set<std::string> numbers;  // its device's, where sysfs told them: then nothing else counts
  std::string interface;          // "eth0", as in "eth0-TxRx-3"
  std::vector<std::string> devices;  // "virtio2" as in "virtio2-input.0", "0000:3b:00.0" ...
};
/// What a line is to a receive queue: `perhaps` has a name that says nothing.
enum class QueueLine : std::uint8_t { no, perhaps, surely };
/// Lines of others, and those that only send, configure or report, are no.
QueueLine classify_line(const InterruptLine& line, const InterruptOwner& owner);
/// Fills the interrupt facts from the lines of the owner, in their order. Where some are surely
/// receive queues, those that perhaps are do not count: e1000e and ixgbe name the vector that
/// reports the link "eth0", which is the name of the only vector elsewhere.
void apply_interrupts(const std::vector<InterruptLine>& lines, const InterruptOwner& owner,
                      InterfaceFacts& facts);

/// Fills machine.interfaces of hardware; others have no interrupts.
void read_interrupts(const HostFiles& files, MachineFacts& machine);

}  // namespace slowpath::machine
