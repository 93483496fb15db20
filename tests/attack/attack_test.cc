// SPDX-License-Identifier: Apache-2.0
// Captures that want to exhaust the reader, with little memory allowed, analysed whole and screened
// first: what is held stays within bounds, what was let go is counted and said, nothing that nobody
// judged is called healthy, and the sound transfer amid it all is there, byte for byte.
#include "generate/attack.h"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/json.h"
#include "cli/pipeline.h"
#include "detect/screened.h"
#include "detect/synthesis.h"
#include "flow/screen/page_store.h"
#include "report/json.h"
#include "report/text.h"
#include "support/live_heap.h"

namespace slowpath::test {
namespace {

using bench::AttackKind;

constexpr std::uint64_t kPackets = 40'000;
constexpr std::uint64_t kMemory = 4 << 20;
// Light records lie beside the heap; a last step of their store and the slots come to them.
constexpr std::uint64_t kMapped = 2 * kMemory;
// What does not follow from --memory: buffers, the tables of fragments and echoes, the answer.
constexpr std::uint64_t kBeside = 24 << 20;

/// A file that is gone with it.
class CaptureOnDisk {
 public:
  explicit CaptureOnDisk(AttackKind kind) : path_(::testing::TempDir() + "attack-XXXXXX") {
    const int fd = mkstemp(path_.data());
    EXPECT_GE(fd, 0);
    bench::CaptureFile file(fd, bench::FileFormat::pcap, 0);
    bench::write_attack(kind, kPackets, 7, file);
    file.flush();
    frames_ = file.frames();
    close(fd);
  }
  CaptureOnDisk(const CaptureOnDisk&) = delete;
  CaptureOnDisk& operator=(const CaptureOnDisk&) = delete;
  ~CaptureOnDisk() { unlink(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

 private:
  std::string path_;
  std::uint64_t frames_ = 0;
};

enum class Way : std::uint8_t { full, screened };

struct Seen {
  report::Answer answer;
  std::uint64_t most_bytes = 0;         // held of the heap beyond what was held before
  std::uint64_t most_mapped_bytes = 0;  // of light records
};

Seen look_at(const std::string& path, Way way, std::size_t threads = 1) {
  cli::PipelineOptions options;
  options.inputs = {{path, {}}};
  options.show_progress = false;
  options.memory_bytes = kMemory;
  options.screen_from_bytes = 0;
  options.full = way == Way::full;
  options.threads = threads;
  const std::size_t before = live_bytes;
  most_live_bytes = before;
  flow::PageStore::take_most_mapped();
  auto looked = cli::look(options);
  Seen seen;
  EXPECT_TRUE(looked.has_value());
  if (!looked) return seen;
  EXPECT_EQ(looked->screening.used, way == Way::screened);
  seen.answer.facts = std::move(looked->facts);
  seen.answer.screening = looked->screening;
  seen.answer.diagnosis = detect::diagnose(seen.answer.facts, nullptr);
  detect::weigh_screening(seen.answer.facts, seen.answer.screening, seen.answer.diagnosis);
  seen.most_bytes = most_live_bytes - before;
  seen.most_mapped_bytes = flow::PageStore::take_most_mapped();
  return seen;
}

/// Connections that no detector has seen.
std::uint64_t unjudged(const report::Answer& answer) {
  if (answer.screening.used) return answer.screening.grave_left;
  return answer.facts.connections_total - answer.facts.connections.size();
}

const ConnectionFacts* sound_transfer(const Case& facts) {
  const auto found = std::ranges::find_if(facts.connections, [](const ConnectionFacts& c) {
    return c.client.port == 40'000 && to_string(c.client.address) == "10.99.99.99";
  });
  return found == facts.connections.end() ? nullptr : &*found;
}

void expect_bounded(const Seen& seen, const CaptureOnDisk& capture) {
  EXPECT_LE(seen.most_bytes + seen.most_mapped_bytes, kMemory + kBeside);
  EXPECT_LE(seen.most_mapped_bytes, kMapped);
  EXPECT_EQ(seen.most_mapped_bytes > 0, seen.answer.screening.used);
  ASSERT_EQ(seen.answer.facts.captures.size(), 1U);
  EXPECT_EQ(seen.answer.facts.captures[0].packets, capture.frames());
}

/// Each connection has one number, and each number belongs to one.
void expect_numbered(const report::Answer& answer) {
  std::set<std::uint32_t> ids;
  for (const ConnectionFacts& connection : answer.facts.connections) ids.insert(connection.id);
  EXPECT_EQ(ids.size(), answer.facts.connections.size());
  if (answer.screening.used) {
    EXPECT_LE(answer.facts.connections.size(), answer.screening.connections_analysed);
  }
}

/// Nobody is told that all is well who cannot know it.
void expect_said(const report::Answer& answer) {
  const std::string json = report::to_json(answer, {.explain = true});
  EXPECT_TRUE(nlohmann::json::accept(json));
  EXPECT_FALSE(report::to_text(answer, {}).empty());
  if (unjudged(answer) == 0) return;
  EXPECT_NE(answer.diagnosis.verdict, "healthy");
  const char* const words = answer.screening.used ? "not analysed" : "only counted";
  EXPECT_NE(answer.diagnosis.summary.find(words), std::string::npos) << answer.diagnosis.summary;
}

void expect_sound_transfer(const Case& facts) {
  const ConnectionFacts* const sound = sound_transfer(facts);
  ASSERT_NE(sound, nullptr);
  const DirectionFacts& data = (*sound)[Direction::to_client];
  EXPECT_EQ(data.bytes, std::uint64_t{bench::kSoundSegments} * bench::kSoundSegmentBytes);
  EXPECT_EQ(data.data_packets, bench::kSoundSegments);
  EXPECT_EQ(data.resent_packets, 0U);
  EXPECT_FALSE(sound->forgotten);
}

void expect_withstood(const Seen& seen, const CaptureOnDisk& capture, AttackKind kind) {
  expect_bounded(seen, capture);
  expect_numbered(seen.answer);
  expect_said(seen.answer);
  // Its clock would be that of the attack.
  if (kind != AttackKind::backwards) expect_sound_transfer(seen.answer.facts);
}

class Attack : public ::testing::TestWithParam<AttackKind> {};

TEST_P(Attack, AnalysedWholeIsBounded) {
  const CaptureOnDisk capture(GetParam());
  expect_withstood(look_at(capture.path(), Way::full), capture, GetParam());
}

TEST_P(Attack, ScreenedIsBoundedAndTheSameWithMoreThreads) {
  const CaptureOnDisk capture(GetParam());
  const Seen seen = look_at(capture.path(), Way::screened);
  expect_withstood(seen, capture, GetParam());
  const Seen three = look_at(capture.path(), Way::screened, 3);
  EXPECT_EQ(report::to_json(seen.answer, {}), report::to_json(three.answer, {}));
}

TEST(AttackOnTheClock, IsNoProofOfHealth) {
  const CaptureOnDisk capture(AttackKind::backwards);
  for (const Way way : {Way::full, Way::screened}) {
    const Diagnosis diagnosis = look_at(capture.path(), way).answer.diagnosis;
    EXPECT_EQ(diagnosis.verdict, "unclear");
    EXPECT_NE(diagnosis.summary.find("steps back"), std::string::npos) << diagnosis.summary;
  }
}

std::vector<AttackKind> all_kinds() {
  std::vector<AttackKind> kinds;
  for (std::size_t i = 0; i < bench::kAttackKinds; ++i) kinds.push_back(static_cast<AttackKind>(i));
  return kinds;
}

std::string name_of(const ::testing::TestParamInfo<AttackKind>& info) {
  std::string name(bench::kAttackNames[static_cast<std::size_t>(info.param)]);
  std::erase(name, '-');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Of, Attack, ::testing::ValuesIn(all_kinds()), name_of);

class Flood : public ::testing::TestWithParam<AttackKind> {};

TEST_P(Flood, CountsEveryConnectionHoweverFewAreKept) {
  const CaptureOnDisk capture(GetParam());
  for (const Way way : {Way::full, Way::screened}) {
    const report::Answer answer = look_at(capture.path(), way).answer;
    EXPECT_EQ(answer.facts.connections_total, kPackets + 1);
    EXPECT_LT(answer.facts.connections.size(), kPackets / 4);
  }
}

INSTANTIATE_TEST_SUITE_P(Of, Flood,
                         ::testing::Values(AttackKind::syns, AttackKind::one_packets,
                                           AttackKind::reuse, AttackKind::collisions),
                         name_of);

/// Of a size that is analysed whole, however few connections are to turn that around.
report::Answer look_at_small(const std::string& path, std::size_t most_connections) {
  cli::PipelineOptions options;
  options.inputs = {{path, {}}};
  options.show_progress = false;
  options.threads = 1;
  options.screen_from_connections = most_connections;
  auto looked = cli::look(options);
  report::Answer answer;
  EXPECT_TRUE(looked.has_value());
  if (!looked) return answer;
  answer.facts = std::move(looked->facts);
  answer.screening = looked->screening;
  return answer;
}

// Most attempts to connect came to nothing: that is no health, whoever looks, and however many he
// keeps.
TEST(FloodOfAttempts, IsNotCalledHealthy) {
  for (const AttackKind kind : {AttackKind::syns, AttackKind::collisions, AttackKind::reuse}) {
    const CaptureOnDisk capture(kind);
    for (const Way way : {Way::full, Way::screened}) {
      const Diagnosis diagnosis = look_at(capture.path(), way).answer.diagnosis;
      EXPECT_EQ(diagnosis.verdict, "unclear")
          << bench::kAttackNames[static_cast<std::size_t>(kind)] << ": " << diagnosis.summary;
      // Where few of the chosen fit into the memory, that is the reason given.
      const bool told = diagnosis.summary.find("attempts") != std::string::npos ||
                        diagnosis.summary.find("not analysed one by one") != std::string::npos;
      EXPECT_TRUE(told) << diagnosis.summary;
    }
  }
}

TEST(Crowd, OfConnectionsIsScreenedWhateverItsSize) {
  const CaptureOnDisk capture(AttackKind::syns);
  const report::Answer whole = look_at_small(capture.path(), kPackets + 1);
  EXPECT_FALSE(whole.screening.used);
  EXPECT_EQ(whole.facts.connections.size(), kPackets + 1);
  const report::Answer screened = look_at_small(capture.path(), kPackets / 2);
  EXPECT_TRUE(screened.screening.used);
  EXPECT_EQ(screened.facts.connections_total, kPackets + 1);
  EXPECT_LT(screened.facts.connections.size(), kPackets / 4);
  ASSERT_EQ(screened.facts.captures.size(), 1U);
  EXPECT_EQ(screened.facts.captures[0].packets, capture.frames());
  expect_sound_transfer(screened.facts);
}

// The end may come long after so many connections have, and some of the answer is of the beginning.
TEST(Crowd, IsAnsweredAsIfItHadBeenScreenedAtOnce) {
  const CaptureOnDisk capture(AttackKind::resets);
  const report::Answer late = look_at_small(capture.path(), 900);
  cli::PipelineOptions options;
  options.inputs = {{capture.path(), {}}};
  options.show_progress = false;
  options.threads = 1;
  options.screen_from_bytes = 0;
  auto at_once = cli::look(options);
  ASSERT_TRUE(at_once.has_value());
  report::Answer answer;
  answer.facts = std::move(at_once->facts);
  answer.screening = at_once->screening;
  ASSERT_TRUE(late.screening.used);
  EXPECT_EQ(report::to_json(late, {}), report::to_json(answer, {}));
}

TEST(Crowd, IsAnalysedWholeWhereAllIsAskedFor) {
  const CaptureOnDisk capture(AttackKind::resets);
  cli::PipelineOptions options;
  options.inputs = {{capture.path(), {}}};
  options.show_progress = false;
  options.screen_from_connections = 10;
  options.full = true;
  const auto looked = cli::look(options);
  ASSERT_TRUE(looked.has_value());
  EXPECT_FALSE(looked->screening.used);
  EXPECT_EQ(looked->facts.connections.size(), looked->facts.connections_total);
}

/// What a process of its own says, but for how long it took.
nlohmann::json answer_of_process(const std::string& path, const std::string& options) {
  const std::string command =
      SLOWPATH_PROGRAM " diagnose --json --quiet --memory 4MiB " + options + " '" + path + "'";
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), &pclose};
  std::string output;
  std::array<char, 4096> buffer{};
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) > 0;) {
    output.append(buffer.data(), got);
  }
  auto answer = nlohmann::json::parse(output, nullptr, false);
  EXPECT_TRUE(answer.is_object()) << command;
  std::function<void(nlohmann::json&)> forget_time = [&](nlohmann::json& value) {
    if (value.is_object()) value.erase("elapsed_s");
    for (nlohmann::json& each : value) {
      if (each.is_structured()) forget_time(each);
    }
  };
  forget_time(answer);
  return answer;
}

// Each hashes with a secret of its own.
TEST(AnswerUnderAttack, IsTheSameInEveryProcess) {
  for (const AttackKind kind : {AttackKind::collisions, AttackKind::resets}) {
    const CaptureOnDisk capture(kind);
    const auto first = answer_of_process(capture.path(), "--screen-from 1 --threads 1");
    for (const char* const threads : {"1", "2", "4"}) {
      EXPECT_EQ(first, answer_of_process(capture.path(),
                                         std::string("--screen-from 1 --threads ") + threads));
    }
    EXPECT_EQ(answer_of_process(capture.path(), "--full"),
              answer_of_process(capture.path(), "--full"));
  }
}

}  // namespace
}  // namespace slowpath::test
