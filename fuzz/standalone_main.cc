// SPDX-License-Identifier: Apache-2.0
// Runs one fuzz target without libFuzzer, so that every build runs it briefly: each file of the
// corpus as it is, then a bounded number of mutations of each from a fixed seed. A finding is a
// crash under the sanitizers; the input that caused it is left in a file beside the program, named
// in the message.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Input = std::vector<std::uint8_t>;

constexpr std::uint32_t kSeed = 20;              // Fixed: a failing run can be repeated.
constexpr std::size_t kMaxInputBytes = 1 << 16;  // Keeps one run well under a millisecond.
constexpr int kRounds = 200;                     // Mutations of each corpus file.

// Values at which length checks break: zero, one, sign and width limits.
constexpr std::uint8_t kEdges[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff};

// The input under test, on disk before it is run: whatever ends the process, a sanitizer, a signal
// or a time limit, leaves it there. A file that a run survives is removed.
class Witness {
 public:
  explicit Witness(std::string path)
      : path_(std::move(path)), file_(::open(path_.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0644)) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() {
    if (file_ >= 0) ::close(file_);
    ::unlink(path_.c_str());
  }

  bool keep(const Input& input) const {
    const auto size = static_cast<ssize_t>(input.size());
    return ::ftruncate(file_, size) == 0 && ::pwrite(file_, input.data(), input.size(), 0) == size;
  }

 private:
  std::string path_;
  int file_;
};

void run(const Witness& witness, const Input& input) {
  if (!witness.keep(input)) {
    std::fprintf(stderr, "cannot keep the input under test; is the disk full?\n");
    std::exit(1);
  }
  LLVMFuzzerTestOneInput(input.data(), input.size());
}

Input read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  Input input((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (input.size() > kMaxInputBytes) input.resize(kMaxInputBytes);
  return input;
}

std::size_t pick(std::mt19937& random, std::size_t limit) { return random() % limit; }

// One small change: a bit, an edge value, a run of edge values, a cut, or a piece copied elsewhere.
void mutate(Input& input, std::mt19937& random) {
  if (input.empty()) {
    input.push_back(static_cast<std::uint8_t>(random()));
    return;
  }
  const std::size_t at = pick(random, input.size());
  switch (pick(random, 5)) {
    case 0:
      input[at] = static_cast<std::uint8_t>(input[at] ^ (1U << pick(random, 8)));
      break;
    case 1:
      input[at] = kEdges[pick(random, std::size(kEdges))];
      break;
    case 2: {
      const std::size_t count = std::min<std::size_t>(1 + pick(random, 4), input.size() - at);
      std::fill_n(input.begin() + static_cast<std::ptrdiff_t>(at), count,
                  kEdges[pick(random, std::size(kEdges))]);
      break;
    }
    case 3:
      input.resize(at);
      break;
    default: {
      const std::size_t count = std::min<std::size_t>(1 + pick(random, 64), input.size() - at);
      const Input piece(input.begin() + static_cast<std::ptrdiff_t>(at),
                        input.begin() + static_cast<std::ptrdiff_t>(at + count));
      const std::size_t to = pick(random, input.size());
      input.insert(input.begin() + static_cast<std::ptrdiff_t>(to), piece.begin(), piece.end());
      break;
    }
  }
}

std::vector<Input> read_corpus(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Input> inputs;
  for (const auto& file : files) inputs.push_back(read_file(file));
  return inputs;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS_FOLDER [ROUNDS]\n", argv[0]);
    return 2;
  }
  const int rounds = argc > 2 ? std::atoi(argv[2]) : kRounds;
  const std::string crash_file = std::string(argv[0]) + ".crash";
  const Witness witness(crash_file);
  std::printf("if this is the last line, the input that did it is in %s\n", crash_file.c_str());
  std::fflush(stdout);
  const std::vector<Input> corpus = read_corpus(argv[1]);
  if (corpus.empty()) {
    std::fprintf(stderr, "no inputs in %s: give each target a small corpus\n", argv[1]);
    return 1;
  }
  std::mt19937 random(kSeed);
  std::size_t runs = 0;
  for (const Input& original : corpus) {
    run(witness, original);
    for (int round = 0; round < rounds; ++round) {
      Input input = original;
      const std::size_t changes = 1 + pick(random, 8);
      for (std::size_t change = 0; change < changes; ++change) mutate(input, random);
      run(witness, input);
    }
    runs += 1 + static_cast<std::size_t>(rounds);
  }
  std::printf("%zu inputs, %zu runs, seed %u\n", corpus.size(), runs, kSeed);
  return 0;
}
