// SPDX-License-Identifier: Apache-2.0
// What the machine itself can do, to hold measurements against:
//
//   bench_reference records FILE    walks the records of a mapped pcap, as whoever counts packets
//   must bench_reference bytes FILE      reads every byte of a mapped file once bench_reference
//   loop            a fixed amount of arithmetic that fits in the registers
//
// Prints one line of JSON: amount, wall and processor seconds of that work alone.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>

namespace {

using Bytes = std::span<const std::byte>;

constexpr std::size_t kFileHeader = 24;    // Of a pcap.
constexpr std::size_t kRecordHeader = 16;  // Of each packet.
constexpr std::uint64_t kLoopSteps = 200'000'000;

[[noreturn]] void give_up(const char* attempt, const char* name) {
  std::fprintf(stderr, "bench_reference: cannot %s %s: %s\n", attempt, name, std::strerror(errno));
  std::exit(1);
}

Bytes map(const char* name) {
  const int fd = open(name, O_RDONLY | O_CLOEXEC);
  if (fd < 0) give_up("open", name);
  struct stat about{};
  if (fstat(fd, &about) != 0) give_up("look at", name);
  const auto size = static_cast<std::size_t>(about.st_size);
  void* const at = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (at == MAP_FAILED) give_up("map", name);
  madvise(at, size, MADV_SEQUENTIAL);
  close(fd);
  return {static_cast<const std::byte*>(at), size};
}

template <class Word>
Word load(const std::byte* at) {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

/// The sum of the original lengths, so that each record header is read.
std::uint64_t walk_records(Bytes file, std::uint64_t& count) {
  std::uint64_t sum = 0;
  for (std::size_t at = kFileHeader; at + kRecordHeader <= file.size(); ++count) {
    sum += load<std::uint32_t>(file.data() + at + 12);
    at += kRecordHeader + load<std::uint32_t>(file.data() + at + 8);
  }
  return sum;
}

std::uint64_t read_bytes(Bytes file, std::uint64_t& count) {
  std::uint64_t sums[4] = {};
  constexpr std::size_t kStep = sizeof sums;
  for (std::size_t at = 0; at + kStep <= file.size(); at += kStep) {
    for (std::size_t i = 0; i < 4; ++i) sums[i] += load<std::uint64_t>(file.data() + at + 8 * i);
  }
  count = file.size();
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::uint64_t loop(std::uint64_t& count) {
  std::uint64_t x = 1;
  for (count = 0; count < kLoopSteps; ++count) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL + count;
  }
  return x;
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  const bool of_file = (mode == "records" || mode == "bytes") && argc == 3;
  if (!of_file && (mode != "loop" || argc != 2)) {
    std::fprintf(stderr, "usage: bench_reference records FILE | bytes FILE | loop\n");
    return 2;
  }
  const double wall = seconds(CLOCK_MONOTONIC);
  const double processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
  std::uint64_t count = 0;
  const std::uint64_t result = mode == "loop"      ? loop(count)
                               : mode == "records" ? walk_records(map(argv[2]), count)
                                                   : read_bytes(map(argv[2]), count);
  std::printf("{\"amount\": %lu, \"wall_s\": %.9f, \"cpu_s\": %.9f, \"result\": %lu}\n", count,
              seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
              result);
  return 0;
}
