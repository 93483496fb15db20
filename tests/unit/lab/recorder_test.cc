// SPDX-License-Identifier: Apache-2.0
// What is seen at capture points, read back from the files.
#include "lab/recorder.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.h"
#include "capture/source.h"
#include "lab/capture_points.h"
#include "support/lab/stage_test_context.h"

namespace slowpath::lab {
namespace {

namespace fs = std::filesystem;
using test::ack;
using test::psh;

WorldLink link(std::string a, std::string b) {
  return {.a = std::move(a), .b = std::move(b), .a_to_b = {}, .b_to_a = {}};
}

World two_hosts() {
  World world;
  world.hosts.resize(2);
  world.hosts[0].name = "server";
  world.hosts[1].name = "client";
  world.links.push_back(link("server", "client"));
  return world;
}

class RecorderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              ("slowpath_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  struct Seen {
    std::uint32_t original_len;
    std::size_t captured;
    wire::FrameDirection direction;
    std::int64_t ns;
  };
  std::vector<Seen> read(const std::string& point) {
    std::vector<Seen> all;
    auto source = capture::open_capture((folder_ / (point + ".pcapng")).string(), 0);
    EXPECT_TRUE(source) << source.error().message();
    if (!source) return all;
    wire::Frame frame;
    while ((*source)->next(frame)) {
      all.push_back({frame.original_len, frame.bytes.size(), frame.direction, to_ns(frame.time)});
    }
    EXPECT_TRUE((*source)->info().comments.empty());
    EXPECT_EQ((*source)->info().interfaces.at(0).name, point.contains("eth1") ? "eth1" : "eth0");
    return all;
  }
  std::vector<nlohmann::json> lines(const std::string& name) {
    std::vector<nlohmann::json> all;
    std::ifstream file(folder_ / name);
    for (std::string line; std::getline(file, line);) all.push_back(nlohmann::json::parse(line));
    return all;
  }

  fs::path folder_;
  FramePool pool_;
};

TEST(capture_points, are_named_by_host_and_by_interface_where_there_are_several) {
  auto world = two_hosts();
  world.hosts.emplace_back().name = "gateway";
  world.links = {link("server", "gateway"), link("gateway", "client")};
  std::vector<std::string> names;
  for (const auto& point : capture_points(world)) names.push_back(point.name);
  EXPECT_EQ(names, (std::vector<std::string>{"server", "server-wire", "client", "client-wire",
                                             "gateway.eth0", "gateway.eth0-wire", "gateway.eth1",
                                             "gateway.eth1-wire"}));
  const auto gateway = capture_points(world)[6];
  EXPECT_EQ(gateway.interface, "eth1");
  EXPECT_EQ(gateway.out.direction, 2U);  // link 1, a to b
  EXPECT_EQ(gateway.in.direction, 3U);
}

TEST_F(RecorderTest, a_guest_sees_what_leaves_and_what_comes_in) {
  auto world = two_hosts();
  world.capture.points = {"server", "client", "client-wire"};
  auto recorder = Recorder::open(world, folder_.string());
  ASSERT_TRUE(recorder) << recorder.error().message();
  EXPECT_TRUE((*recorder)->wants(0, Viewpoint::guest_out));
  EXPECT_TRUE((*recorder)->wants(0, Viewpoint::wire_far));
  EXPECT_FALSE((*recorder)->wants(0, Viewpoint::wire_near));
  EXPECT_FALSE((*recorder)->wants(7, Viewpoint::guest_out));
  EXPECT_TRUE((*recorder)->wants_wire(0));

  const auto super = test::super_frame(pool_, 20'000);
  const auto segment = test::tcp_frame(pool_, ack | psh, 1448);
  (*recorder)->saw(0, Viewpoint::guest_out, *super, time_from_ns(1000));
  (*recorder)->saw(0, Viewpoint::wire_near, *segment, time_from_ns(1001));
  (*recorder)->saw(0, Viewpoint::wire_far, *segment, time_from_ns(2000));
  (*recorder)->saw(0, Viewpoint::guest_in, *segment, time_from_ns(2001));
  (*recorder)->saw(1, Viewpoint::guest_out, *segment, time_from_ns(3000));
  const auto captures = (*recorder)->close();
  ASSERT_TRUE(captures);
  ASSERT_EQ(captures->size(), 3U);
  EXPECT_EQ((*captures)[1].point, "client");
  EXPECT_EQ((*captures)[1].frames, 2U);
  EXPECT_EQ((*captures)[1].file, (folder_ / "client.pcapng").string());

  const auto server = read("server");
  ASSERT_EQ(server.size(), 1U);
  EXPECT_EQ(server[0].original_len, super->len);
  EXPECT_EQ(server[0].captured, super->len);
  EXPECT_EQ(server[0].direction, wire::FrameDirection::outbound);
  EXPECT_EQ(server[0].ns, 1000);
  const auto client = read("client");
  ASSERT_EQ(client.size(), 2U);
  EXPECT_EQ(client[0].direction, wire::FrameDirection::inbound);
  EXPECT_EQ(client[1].direction, wire::FrameDirection::outbound);
  const auto wire = read("client-wire");
  ASSERT_EQ(wire.size(), 1U);
  EXPECT_EQ(wire[0].direction, wire::FrameDirection::unknown);
}

TEST_F(RecorderTest, frames_are_cut_to_the_snap_length) {
  auto world = two_hosts();
  world.capture.points = {"server"};
  world.capture.snap_len = 128;
  auto recorder = Recorder::open(world, folder_.string());
  ASSERT_TRUE(recorder);
  const auto frame = test::tcp_frame(pool_, ack, 1448);
  (*recorder)->saw(0, Viewpoint::guest_out, *frame, time_from_ns(1));
  ASSERT_TRUE((*recorder)->close());
  EXPECT_EQ(read("server").at(0).captured, 128U);
  EXPECT_EQ(read("server").at(0).original_len, frame->len);
}

TEST_F(RecorderTest, other_ports_are_left_out_and_icmp_that_quotes_them_too) {
  auto world = two_hosts();
  world.capture.points = {"server"};
  world.capture.ports = {5001};
  auto recorder = Recorder::open(world, folder_.string());
  ASSERT_TRUE(recorder);
  const auto see = [&](const FramePtr& frame) {
    (*recorder)->saw(0, Viewpoint::guest_out, *frame, time_from_ns(1));
  };
  const auto icmp_about = [&](std::uint16_t port, bool ipv6) {
    auto quoted = test::packet();
    if (ipv6) {
      quoted.ipv6("fd00::1", "fd00::2");
    } else {
      quoted.ipv4("10.0.0.1", "10.0.0.2");
    }
    quoted.tcp(ack, test::ports(port, 40000)).payload(100);
    auto error = test::packet().ethernet();
    if (ipv6) {
      error.ipv6("fd00::2", "fd00::1").icmp(2, 0, 1400);
    } else {
      error.ipv4("10.0.0.2", "10.0.0.1").icmp(3, 4, 1400);
    }
    return test::frame_of(pool_, error.payload(quoted.bytes()));
  };
  see(test::tcp_frame(pool_, ack, 1));                         // taken
  see(test::tcp_frame(pool_, ack, 2, {.backward = true}));     // taken
  see(test::tcp_frame(pool_, ack, 3, {.source_port = 80}));    // not
  see(test::udp_frame(pool_, 4, {.destination_port = 5001}));  // taken
  see(test::udp_frame(pool_, 5, {.source_port = 53}));         // not
  see(test::fragment_frame(pool_, 1480, false, 6));            // taken: has no ports
  see(test::echo_frame(pool_, 7));                             // not
  see(icmp_about(5001, false));                                // taken
  see(icmp_about(5001, true));                                 // taken
  see(icmp_about(80, false));                                  // not
  see(icmp_about(80, true));                                   // not
  const auto captures = (*recorder)->close();
  ASSERT_TRUE(captures);
  EXPECT_EQ(captures->at(0).frames, 6U);
}

TEST_F(RecorderTest, an_unknown_point_is_refused_with_those_there_are) {
  auto world = two_hosts();
  world.capture.points = {"gateway"};
  const auto recorder = Recorder::open(world, folder_.string());
  ASSERT_FALSE(recorder);
  EXPECT_EQ(recorder.error().message(),
            "cannot capture at gateway: there is no such point; there are server, server-wire, "
            "client, client-wire");
}

TEST_F(RecorderTest, a_folder_that_is_not_there_is_an_error) {
  auto world = two_hosts();
  world.capture.points = {"server"};
  EXPECT_FALSE(Recorder::open(world, (folder_ / "none").string()));
  EXPECT_FALSE(EventLog::open((folder_ / "none").string()));
}

TEST_F(RecorderTest, events_are_lines_and_stages_have_their_interval) {
  auto log = EventLog::open(folder_.string());
  ASSERT_TRUE(log);
  (*log)->name(0, "server>client", {"tso-drop", "loss"});
  const auto frame = test::tcp_frame(pool_, ack, 100, {.seq = 77, .ip_id = 9});
  (*log)->happened(0, 1, time_from_ns(5), *frame, "lost", "a \"b\"\n");
  (*log)->happened(0, 0, time_from_ns(6), *frame, "dropped", "");
  (*log)->happened(0, 1, time_from_ns(9), *frame, "lost", "");
  const auto activity = (*log)->activity();
  ASSERT_TRUE((*log)->close());
  const auto all = lines("events.jsonl");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], (nlohmann::json{{"t_ns", 5},
                                    {"direction", "server>client"},
                                    {"stage", "loss"},
                                    {"what", "lost"},
                                    {"detail", "a \"b\"?"},
                                    {"frame", frame->id},
                                    {"parent", 0},
                                    {"len", frame->len},
                                    {"gso_size", 0},
                                    {"ip_id", 9},
                                    {"source_port", 5001},
                                    {"destination_port", 40000},
                                    {"seq", 77},
                                    {"payload", 100}}));
  EXPECT_EQ(all[1]["stage"], "tso-drop");
  ASSERT_EQ(activity.size(), 2U);
  EXPECT_EQ(activity[0].stage, 1U);
  EXPECT_EQ(activity[0].events, 2U);
  EXPECT_EQ(to_ns(activity[0].first), 5);
  EXPECT_EQ(to_ns(activity[0].last), 9);
}

TEST_F(RecorderTest, so_many_events_are_listed_and_the_rest_counted) {
  auto log = EventLog::open(folder_.string(), 3);
  ASSERT_TRUE(log);
  const auto frame = test::tcp_frame(pool_, ack, 0);
  for (int i = 0; i < 10; ++i) (*log)->happened(0, 0, time_from_ns(1), *frame, "x", "");
  EXPECT_EQ((*log)->activity().at(0).events, 10U);
  ASSERT_TRUE((*log)->close());
  const auto all = lines("events.jsonl");
  ASSERT_EQ(all.size(), 4U);
  EXPECT_EQ(all[3], (nlohmann::json{{"not_listed", 7}}));
}

TEST(event_log, a_full_disk_is_told_when_closed) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const auto folder = fs::temp_directory_path() / "slowpath_event_log_full";
  fs::create_directories(folder);
  fs::create_symlink("/dev/full", folder / "events.jsonl");
  auto log = EventLog::open(folder.string());
  ASSERT_TRUE(log);
  FramePool pool;
  const auto frame = test::tcp_frame(pool, ack, 0);
  (*log)->happened(0, 0, time_from_ns(1), *frame, "x", "");
  const auto closed = (*log)->close();
  fs::remove_all(folder);
  ASSERT_FALSE(closed);
  EXPECT_TRUE(closed.error().message().contains("events.jsonl: No space left on device"));
}

}  // namespace
}  // namespace slowpath::lab
