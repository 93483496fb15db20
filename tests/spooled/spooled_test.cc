// SPDX-License-Identifier: Apache-2.0
// Large compressed files and pipes are screened as plain files are: the answer is the same, but for
// names and the time it took.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "capture/spool.h"
#include "cli/inputs.h"
#include "cli/pipeline.h"
#include "cli/screening.h"
#include "detect/screened.h"
#include "detect/synthesis.h"
#include "generate/traffic.h"
#include "report/json.h"
#include "support/allocation_counter.h"
#include "unit/capture/compress.h"

namespace slowpath::test {
namespace {

namespace fs = std::filesystem;
using bench::FileFormat;
using capture::testing::as_bytes;
using capture::testing::Buffer;

constexpr const char* kWays[] = {"gzip", "zstd", "lz4", "xz"};

/// A folder that is gone with it.
class Folder {
 public:
  Folder() : path_(::testing::TempDir() + "spooled-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path_); }

  /// The file's path.
  std::string write(const std::string& name, Bytes bytes) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
    return path;
  }
  [[nodiscard]] std::string pipe(const std::string& name) const {
    const std::string path = path_ + "/" + name;
    EXPECT_EQ(mkfifo(path.c_str(), 0600), 0);
    return path;
  }
  [[nodiscard]] std::string generate(const std::string& name, FileFormat format,
                                     std::uint64_t packets, double loss = 0.02,
                                     std::uint64_t seed = 5) const {
    const std::string path = path_ + "/" + name;
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bench::CaptureFile file(fd, format, 0);
    bench::TrafficOptions options;
    options.packets = packets;
    options.connections = 40;
    options.transfer_segments = 40;
    options.ipv6 = 0.3;
    options.loss = loss;
    options.seed = seed;
    bench::Traffic(options, file).run();
    file.flush();
    close(fd);
    return path;
  }

 private:
  std::string path_;
};

Buffer bytes_of(const std::string& path) {
  Buffer bytes(fs::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<long>(bytes.size()));
  return bytes;
}

/// Writes a file's bytes into a pipe, on a thread.
class Feeder {
 public:
  Feeder(std::string pipe, Buffer bytes)
      : thread_([pipe = std::move(pipe), bytes = std::move(bytes)] {
          std::ofstream(pipe, std::ios::binary)
              .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
        }) {}
  Feeder(const Feeder&) = delete;
  Feeder& operator=(const Feeder&) = delete;
  ~Feeder() { thread_.join(); }

 private:
  std::thread thread_;
};

cli::PipelineOptions options_for(const std::vector<std::string>& files, std::size_t threads = 1) {
  cli::PipelineOptions options;
  for (const std::string& file : files) options.inputs.push_back({file, {}});
  options.show_progress = false;
  options.screen_from_bytes = 1 << 20;
  options.threads = threads;
  options.largest = 3;
  return options;
}

/// The whole answer, but for what differs by name. Says where something was remarked upon.
nlohmann::json answer_of(const cli::PipelineOptions& options, bool expect_screened = true) {
  auto looked = cli::look(options);
  if (!looked) {
    ADD_FAILURE() << looked.error().message();
    return {};
  }
  EXPECT_EQ(looked->screening.used, expect_screened);
  report::Answer answer;
  answer.facts = std::move(looked->facts);
  answer.screening = looked->screening;
  for (CaptureFacts& capture : answer.facts.captures) {
    capture.format = capture.format.substr(0, capture.format.find(','));
    capture.file.clear();
  }
  answer.diagnosis = detect::diagnose(answer.facts);
  detect::weigh_screening(answer.facts, answer.screening, answer.diagnosis);
  report::JsonOptions json;
  json.most_connections = answer.facts.connections.size();
  nlohmann::json all = nlohmann::json::parse(report::to_json(answer, json));
  all["remarks"] = looked->remarks;
  return all;
}

TEST(Spooled, CompressedAndPipedSayWhatThePlainFileSays) {
  for (const FileFormat format : {FileFormat::pcap, FileFormat::pcapng}) {
    const Folder folder;
    const std::string plain = folder.generate("plain", format, 8000);
    const Buffer bytes = bytes_of(plain);
    const nlohmann::json expected = answer_of(options_for({plain}));
    ASSERT_GT(expected["connections"].size(), 3U);
    for (const std::size_t threads : {1U, 2U}) {
      EXPECT_EQ(answer_of(options_for({plain}, threads)), expected);
      for (const char* how : kWays) {
        const std::string packed =
            folder.write(how, as_bytes(capture::testing::compress(how, as_bytes(bytes))));
        EXPECT_EQ(answer_of(options_for({packed}, threads)), expected) << how << threads;
      }
      for (const char* how : {"", "gzip", "zstd"}) {
        const std::string pipe = folder.pipe(std::string("pipe") + how + std::to_string(threads));
        const Feeder feeder(pipe, capture::testing::compress(how, as_bytes(bytes)));
        EXPECT_EQ(answer_of(options_for({pipe}, threads)), expected) << "piped " << how << threads;
      }
    }
  }
}

TEST(Spooled, AFilterAndAWindowDoNoHarm) {
  const Folder folder;
  const std::string plain = folder.generate("plain", FileFormat::pcap, 20'000);
  const std::string packed = folder.write(
      "packed", as_bytes(capture::testing::compress("zstd", as_bytes(bytes_of(plain)))));
  for (const char* filter : {"ip6", "port 80", "host 203.0.113.99"}) {
    cli::PipelineOptions options = options_for({plain}, 2);
    options.filter = filter;
    options.window.to = cli::parse_time_bound("0.01s").value();
    const nlohmann::json expected = answer_of(options);
    options.inputs[0].file = packed;
    EXPECT_EQ(answer_of(options), expected) << filter;
  }
}

TEST(Spooled, SmallOnesAreAnalysedWhole) {
  const Folder folder;
  const std::string plain = folder.generate("plain", FileFormat::pcap, 3000);
  const Buffer bytes = bytes_of(plain);
  cli::PipelineOptions options = options_for({plain});
  options.screen_from_bytes = bytes.size() + 1;
  const nlohmann::json expected = answer_of(options, false);
  options.inputs[0].file =
      folder.write("packed", as_bytes(capture::testing::compress("zstd", as_bytes(bytes))));
  EXPECT_EQ(answer_of(options, false), expected);
  options.screen_from_bytes = bytes.size();  // of plain bytes, not of stored ones
  (void)answer_of(options, true);
  options.screen_from_bytes = bytes.size() + 1;
  options.inputs[0].file = folder.pipe("pipe");
  const Feeder feeder(options.inputs[0].file, bytes);
  EXPECT_EQ(answer_of(options, false), expected);
}

TEST(Spooled, RotatedFilesOfAllKindsAreOneCapture) {
  const Folder folder;
  const std::string plain = folder.generate("plain", FileFormat::pcap, 20'000);
  const Buffer bytes = bytes_of(plain);
  // Cut between records into four.
  std::vector<std::string> parts, packed;
  std::size_t at = 24;
  for (int part = 0; part < 4; ++part) {
    Buffer file(bytes.begin(), bytes.begin() + 24);
    const std::size_t until = part == 3 ? bytes.size() : bytes.size() / 4 * (part + 1U);
    while (at < until) {
      const std::size_t len = 16 + load_le32(bytes.data() + at + 8);
      file.insert(file.end(), bytes.begin() + static_cast<long>(at),
                  bytes.begin() + static_cast<long>(at + len));
      at += len;
    }
    parts.push_back(folder.write("part" + std::to_string(part), as_bytes(file)));
    const char* const how = part == 2 ? "" : kWays[part];
    packed.push_back(folder.write("packed" + std::to_string(part),
                                  as_bytes(capture::testing::compress(how, as_bytes(file)))));
  }
  EXPECT_EQ(answer_of(options_for(packed, 2)), answer_of(options_for(parts, 2)));
}

TEST(Spooled, WhatTheEndOfACutFileLacksIsCounted) {
  const Folder folder;
  const Buffer bytes = bytes_of(folder.generate("plain", FileFormat::pcap, 20'000));
  for (const char* how : kWays) {
    Buffer packed = capture::testing::compress(how, as_bytes(bytes));
    packed.resize(packed.size() * 3 / 4);
    const std::string cut = folder.write(how, as_bytes(packed));
    // What a ring sees of it, analysed whole.
    cli::PipelineOptions options = options_for({cut}, 2);
    options.full = true;
    const auto whole = cli::look(options);
    options.full = false;
    const auto twice = cli::look(options);
    ASSERT_TRUE(whole && twice) << how;
    EXPECT_TRUE(twice->screening.used);
    EXPECT_TRUE(twice->remarks.empty()) << twice->remarks.front();
    const CaptureFacts &expected = whole->facts.captures[0], &found = twice->facts.captures[0];
    EXPECT_TRUE(found.cut_short);
    EXPECT_EQ(found.packets, expected.packets) << how;
    EXPECT_GT(found.packets, 5'000U) << how;
    EXPECT_EQ(found.damage, expected.damage) << how;
    EXPECT_EQ(whole->facts.connections_total, twice->facts.connections_total) << how;
  }
}

// More than is kept with little memory.
class Large : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<Folder>();
    plain_ = folder_->generate("plain", FileFormat::pcap, 105'000, 0.001);
    bytes_ = bytes_of(plain_);
    ASSERT_GT(bytes_.size(), capture::Spool::kLeastBytes + (8 << 20));
  }
  static void TearDownTestSuite() {
    folder_.reset();
    bytes_ = {};
  }
  static inline std::unique_ptr<Folder> folder_;
  static inline std::string plain_;
  static inline Buffer bytes_;
};

TEST_F(Large, AFileThatDoesNotFitIsDecompressedTwice) {
  const std::string packed =
      folder_->write("packed", as_bytes(capture::testing::compress("lz4", as_bytes(bytes_))));
  for (const std::size_t threads : {1U, 2U}) {
    cli::PipelineOptions options = options_for({packed}, threads);
    const nlohmann::json kept = answer_of(options);
    options.memory_bytes = 128 << 20;
    EXPECT_EQ(answer_of(options), kept);
  }
}

TEST_F(Large, APipeThatDoesNotFitIsAnalysedWhole) {
  cli::PipelineOptions options = options_for({plain_});
  options.full = true;
  options.memory_bytes = 164 << 20;
  const nlohmann::json expected = answer_of(options, false);
  options.full = false;
  options.inputs[0].file = folder_->pipe("pipe");
  const Feeder feeder(options.inputs[0].file, bytes_);
  EXPECT_EQ(answer_of(options, false), expected);
}

TEST_F(Large, WhatSpoolsKeepIsNotGivenAgain) {
  cli::PipelineOptions options = options_for({plain_});
  options.memory_bytes = 164 << 20;
  const std::uint64_t half = options.memory_bytes / 2;
  auto plain = cli::open_inputs(options);
  EXPECT_EQ(cli::memory_beside_spools(options, plain->inputs), options.memory_bytes);
  options.inputs[0].file = folder_->pipe("beside");
  const Feeder feeder(options.inputs[0].file, bytes_);
  auto large = cli::open_inputs(options);
  ASSERT_TRUE(cli::are_large(options, large->inputs));
  cli::read_once(large->inputs[0]);  // passes through, half of the memory at a time
  EXPECT_EQ(cli::memory_beside_spools(options, large->inputs), half);
  ASSERT_TRUE(cli::reopen(large->inputs[0], {}).has_value());
  std::vector<wire::Frame> batch(256);
  while (large->inputs[0].source->next_batch(batch) != 0) {  // The feeder waits for that.
  }
  options.inputs[0].file = folder_->generate("small", FileFormat::pcap, 300);
  const Buffer packed =
      capture::testing::compress("zstd", as_bytes(bytes_of(options.inputs[0].file)));
  const std::uint64_t len = fs::file_size(options.inputs[0].file);
  options.inputs[0].file = folder_->write("small.zst", as_bytes(packed));
  auto small = cli::open_inputs(options);
  (void)cli::are_large(options, small->inputs);
  EXPECT_EQ(cli::memory_beside_spools(options, small->inputs), options.memory_bytes - len);
}

TEST(Spooled, AFileThatChangesBetweenThePassesIsNoticed) {
  const Folder folder;
  const auto packed = [&](std::uint64_t seed) {
    const std::string plain =
        folder.generate("plain" + std::to_string(seed), FileFormat::pcap, 3000, 0.02, seed);
    return folder.write("packed" + std::to_string(seed),
                        as_bytes(capture::testing::compress("zstd", as_bytes(bytes_of(plain)))));
  };
  const std::string path = packed(1), other = packed(2);
  cli::PipelineOptions options = options_for({path});
  auto opened = cli::open_inputs(options);
  ASSERT_TRUE(opened.has_value());
  cli::Input& input = opened->inputs.front();
  input.source.reset();
  input.spool.reset();
  ASSERT_TRUE(cli::reopen(input, {}).has_value());
  EXPECT_FALSE(input.has_changed);
  input.source.reset();
  input.spool.reset();
  fs::rename(other, path);
  ASSERT_TRUE(cli::reopen(input, {}).has_value());
  EXPECT_TRUE(input.has_changed);
}

TEST(Spooled, AChangeIsToldInTheFactsToo) {
  const Folder folder;
  const cli::PipelineOptions options =
      options_for({folder.generate("plain", FileFormat::pcap, 3000)});
  for (const bool changed : {false, true}) {
    auto opened = cli::open_inputs(options);
    opened->inputs.front().has_changed = changed;
    const auto looked = cli::look_twice(options, opened->inputs);
    ASSERT_TRUE(looked.has_value());
    const CaptureFacts& capture = looked->facts.captures[0];
    EXPECT_EQ(capture.damage_count, changed ? 1U : 0U);
    EXPECT_EQ(capture.damage.size(), changed ? 1U : 0U);
    EXPECT_EQ(capture.damaged_bytes, 0U);
    EXPECT_EQ(looked->remarks.size(), changed ? 1U : 0U);
  }
}

TEST(Spooled, AFileThatGrowsIsTheSame) {
  const cli::FileIdentity before{.device = 1, .inode = 2, .bytes = 100, .modified_ns = 5};
  cli::FileIdentity after = before;
  EXPECT_TRUE(before.is_beginning_of(after));
  after.modified_ns = 6;
  EXPECT_FALSE(before.is_beginning_of(after));  // written over
  after.bytes = 101;
  EXPECT_TRUE(before.is_beginning_of(after));
  after.bytes = 99;
  EXPECT_FALSE(before.is_beginning_of(after));
}

TEST(Spooled, ReadingMakesNoAllocationForAPacket) {
  const Folder folder;
  const Buffer bytes = bytes_of(folder.generate("plain", FileFormat::pcap, 20'000));
  const std::string packed =
      folder.write("packed", as_bytes(capture::testing::compress("zstd", as_bytes(bytes))));
  const auto opened = capture::open_spooled(
      packed, 0, {.most_bytes = std::uint64_t{1} << 30, .passes = true}, nullptr);
  ASSERT_TRUE(opened.has_value());
  opened->spool->wait_for(bytes.size() + 1, std::chrono::seconds{30});
  opened->spool->end();
  std::vector<wire::Frame> frames(256);
  std::size_t seen = opened->source->next_batch(frames);
  const std::size_t before = allocations;
  while (const std::size_t got = opened->source->next_batch(frames)) seen += got;
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(seen, 20'000U);
}

}  // namespace
}  // namespace slowpath::test
