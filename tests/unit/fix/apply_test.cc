// SPDX-License-Identifier: Apache-2.0
// Whatever ends a step, and wherever: undo leaves the host as it was.
#include "fix/apply.h"

#include <fstream>
#include <random>
#include <stdexcept>

#include <gtest/gtest.h>

#include "fix/persist.h"
#include "unit/fix/model_kernel.h"
#include "unit/fix/scratch.h"

namespace slowpath::test {
namespace {

using fix::Knob;
using fix::KnobKind;

const Knob kSack{KnobKind::sysctl, {}, "net.ipv4.tcp_sack"};
const Knob kTso{KnobKind::feature, "eth0", "tx-tcp-segmentation"};
const Knob kTso6{KnobKind::feature, "eth0", "tx-tcp6-segmentation"};
const Knob kMtu{KnobKind::mtu, "eth0", {}};

struct World {
  World() { kernel.knobs = {{kSack, "1"}, {kTso, "on"}, {kTso6, "on"}, {kMtu, "1500"}}; }
  ModelKernel kernel;
  Scratch scratch;
  fix::Journal journal = *fix::Journal::open(scratch.path());
};

fix::ReadyStep tso_off() {
  return {"lso-not-segmented/1", "ethtool -K eth0 tso off", {{kTso, "off"}, {kTso6, "off"}}};
}

TEST(Apply, TurnsAndTurnsBack) {
  World world;
  const auto before = world.kernel.knobs;
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  ASSERT_TRUE(entry) << entry.error().message();
  EXPECT_EQ(world.kernel.knobs[kTso], "off");
  EXPECT_EQ(world.kernel.knobs[kTso6], "off");
  EXPECT_EQ(entry->state, fix::State::applied);
  const Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, *entry, false);
  ASSERT_TRUE(undone);
  EXPECT_TRUE(undone->done);
  EXPECT_EQ(world.kernel.knobs, before);
  EXPECT_EQ(world.journal.read()->list.at(0).state, fix::State::undone);
}

TEST(Apply, TheRecordComesBeforeTheTurn) {
  World world;
  bool seen = false;
  const auto look = [&](std::string_view point) {
    if (point != "intended") return;
    seen = true;
    EXPECT_EQ(world.kernel.writes, 0);
    const fix::Entries entries = *world.journal.read();
    ASSERT_EQ(entries.list.size(), 1u);
    EXPECT_EQ(entries.list[0].turns.at(0).before, "on");
  };
  ASSERT_TRUE(fix::apply(world.kernel, world.journal, tso_off(), 1, look));
  EXPECT_TRUE(seen);
}

TEST(Apply, AKnobThatRefusesTakesTheOthersBack) {
  World world;
  const auto before = world.kernel.knobs;
  world.kernel.refusing.insert(kTso6);
  const Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  ASSERT_FALSE(entry);
  EXPECT_EQ(world.kernel.knobs, before);
  EXPECT_EQ(world.journal.read()->list.at(0).state, fix::State::undone);
}

TEST(Apply, WhatCannotBeTakenBackIsSaid) {
  World world;
  world.kernel.refusing.insert(kTso6);
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  ASSERT_FALSE(entry);
  EXPECT_NE(entry.error().message().find("the host is as it was before"), std::string::npos);
  world.kernel.stuck.insert(kTso);
  entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  ASSERT_FALSE(entry);
  const std::string said = entry.error().message();
  EXPECT_EQ(said.find("the host is as it was before"), std::string::npos) << said;
  EXPECT_NE(said.find("cannot set feature:eth0:tx-tcp-segmentation"), std::string::npos) << said;
  EXPECT_NE(said.find("'slowpath fix undo 2 --force'"), std::string::npos) << said;
  EXPECT_EQ(world.kernel.knobs[kTso], "off");
}

TEST(Apply, AnUnknownKnobWritesNothing) {
  World world;
  ASSERT_FALSE(fix::apply(world.kernel, world.journal,
                          {"x", "x", {{{KnobKind::mtu, "eth9", {}}, "9000"}}}, 1));
  EXPECT_TRUE(world.journal.read()->list.empty());
}

TEST(Undo, SaysWhatSomebodyElseChanged) {
  World world;
  Result<fix::Entry> entry =
      fix::apply(world.kernel, world.journal, {"mtu", "mtu", {{kMtu, "9000"}}}, 1);
  world.kernel.knobs[kMtu] = "1400";
  Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, *entry, false);
  ASSERT_TRUE(undone);
  EXPECT_FALSE(undone->done);
  ASSERT_EQ(undone->conflicts.size(), 1u);
  EXPECT_EQ(undone->conflicts[0].now, "1400");
  EXPECT_EQ(world.kernel.knobs[kMtu], "1400");
  undone = fix::undo(world.kernel, world.journal, *entry, true);
  EXPECT_TRUE(undone->done);
  EXPECT_EQ(world.kernel.knobs[kMtu], "1500");
}

TEST(Undo, WhatAStepFoundAsWantedIsNotItsToPutBack) {
  World world;
  world.kernel.knobs[kMtu] = "9000";
  Result<fix::Entry> entry =
      fix::apply(world.kernel, world.journal, {"mtu", "mtu", {{kMtu, "9000"}}}, 1);
  ASSERT_TRUE(entry);
  EXPECT_TRUE(fix::turns_nothing(entry->turns));
  world.kernel.knobs[kMtu] = "1400";
  const Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, *entry, true);
  ASSERT_TRUE(undone);
  EXPECT_TRUE(undone->done);
  EXPECT_TRUE(undone->conflicts.empty());
  EXPECT_EQ(world.kernel.knobs[kMtu], "1400");
}

TEST(Undo, ALaterStepOfOursIsNobodyElse) {
  World world;
  Result<fix::Entry> first =
      fix::apply(world.kernel, world.journal, {"mtu", "mtu", {{kMtu, "9000"}}}, 1);
  Result<fix::Entry> second =
      fix::apply(world.kernel, world.journal, {"mtu", "mtu", {{kMtu, "1400"}}}, 2);
  Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, *first, false);
  ASSERT_EQ(undone->conflicts.size(), 1u);
  EXPECT_EQ(undone->conflicts[0].later_step, second->id);
  world.kernel.knobs[kMtu] = "1300";
  undone = fix::undo(world.kernel, world.journal, *first, false);
  ASSERT_EQ(undone->conflicts.size(), 1u);
  EXPECT_EQ(undone->conflicts[0].later_step, 0u);
}

TEST(Undo, IsDoneWhereTheKernelForgotTheStepItself) {
  World world;
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  world.kernel.knobs[kTso] = world.kernel.knobs[kTso6] = "on";  // a reboot
  const int writes = world.kernel.writes;
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_EQ(world.kernel.writes, writes);
}

TEST(Undo, TakesAwayWhatMadeItLast) {
  World world;
  std::filesystem::create_directories(world.scratch.path() + "/root/etc/sysctl.d");
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal,
                                        {"s", "sysctl -w net.ipv4.tcp_sack=0", {{kSack, "0"}}}, 1);
  ASSERT_TRUE(fix::persist(world.kernel, world.journal, *entry, world.scratch.path() + "/root"));
  ASSERT_EQ(entry->files.size(), 1u);
  std::ifstream file(entry->files[0].path);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(content.find("net.ipv4.tcp_sack = 0\n"), std::string::npos);
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_FALSE(std::filesystem::exists(entry->files[0].path));
}

TEST(Persist, WhatWasTypedStaysAComment) {
  World world;
  fix::ReadyStep step = tso_off();
  step.action += "\nreboot\n";
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, step, 1);
  const std::string root = world.scratch.path() + "/root";
  std::filesystem::create_directories(root + "/etc/systemd/system");
  const std::string content = fix::files_for(world.kernel, *entry, root)->at(0).content;
  EXPECT_NE(content.find("reboot"), std::string::npos);
  EXPECT_EQ(content.find("\nreboot"), std::string::npos) << content;
}

TEST(Persist, FollowsWhatBringsInterfacesUp) {
  World world;
  const std::string root = world.scratch.path() + "/root";
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, tso_off(), 1);
  EXPECT_FALSE(fix::files_for(world.kernel, *entry, root));
  std::filesystem::create_directories(root + "/etc/systemd/system");
  const std::vector<fix::MadeFile> unit = *fix::files_for(world.kernel, *entry, root);
  ASSERT_EQ(unit.size(), 2u);
  EXPECT_NE(unit[0].content.find("ethtool -K eth0 tx-tcp-segmentation off"), std::string::npos);
  // ifupdown is there and does not know this interface; then it does.
  std::filesystem::create_directories(root + "/etc/network/if-up.d");
  EXPECT_EQ(fix::files_for(world.kernel, *entry, root)->size(), 2u);
  std::ofstream(root + "/etc/network/interfaces") << "auto lo eth0\niface eth0 inet dhcp\n";
  EXPECT_NE(fix::files_for(world.kernel, *entry, root)->at(0).path.find("if-up.d"),
            std::string::npos);
}

TEST(Persist, AUnitIsStartedByALinkAndLeavesNothing) {
  World world;
  const std::string root = world.scratch.path() + "/root", units = root + "/etc/systemd/system";
  std::filesystem::create_directories(units);
  const Knob mtu{KnobKind::mtu, "br-0", {}};
  world.kernel.knobs[mtu] = "1500";
  Result<fix::Entry> entry =
      fix::apply(world.kernel, world.journal, {"m", "mtu", {{mtu, "1400"}}}, 1);
  ASSERT_TRUE(fix::persist(world.kernel, world.journal, *entry, root));
  // systemd-escape --path would not do: an interface's name is escaped as a unit's.
  const std::string link =
      units + "/sys-subsystem-net-devices-br\\x2d0.device.wants/slowpath-fix-1.service";
  ASSERT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_TRUE(std::filesystem::exists(link)) << "the link leads nowhere";
  const fix::Entry kept = world.journal.read()->list.at(0);
  EXPECT_TRUE(kept.files.at(1).is_link);
  // A kill in the middle of writing leaves this.
  std::ofstream(entry->files[0].path + ".new") << "half";
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_TRUE(std::filesystem::is_empty(units));
}

// After a restart sysctl.d(5) has set the value again, under another boot id.
TEST(Persist, IsUndoneAfterARestartAsWell) {
  World world;
  const std::string root = world.scratch.path() + "/root";
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal,
                                        {"s", "sysctl -w net.ipv4.tcp_sack=0", {{kSack, "0"}}}, 1);
  ASSERT_TRUE(fix::persist(world.kernel, world.journal, *entry, root));
  entry->boot_id = "the one before";
  ASSERT_TRUE(world.journal.write(*entry));
  fix::Entry kept = world.journal.read()->list.at(0);
  EXPECT_EQ(kept.boot_id, "the one before");
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, kept, false)->done);
  EXPECT_EQ(world.kernel.knobs[kSack], "1");
  EXPECT_TRUE(std::filesystem::is_empty(root + "/etc/sysctl.d"));
}

/// A host on which nobody has eth0 in hand yet, and a step on one of its routes.
struct RouteWorld : World {
  RouteWorld(const std::string& item, const std::string& before, const std::string& after)
      : knob{KnobKind::route, "eth0", item} {
    const std::string to = item.substr(item.find('@'));
    kernel.knobs[knob] = before;
    kernel.knobs[{KnobKind::route, "eth0", "via" + to}] = "10.0.0.254";
    kernel.knobs[{KnobKind::route, "eth0", "src" + to}] = "none";
    kernel.knobs[{KnobKind::route, "eth0", "proto" + to}] = "dhcp";
    entry = *fix::apply(kernel, journal, {"r", "r", {{knob, after}}}, 1);
    write("/sys/class/net/eth0/ifindex", "2\n");
  }
  void write(const std::string& path, const std::string& content) {
    std::filesystem::create_directories(std::filesystem::path(root + path).parent_path());
    std::ofstream(root + path) << content;
  }
  Result<std::vector<fix::MadeFile>> files() { return fix::files_for(kernel, entry, root); }

  Knob knob;
  std::string root = scratch.path() + "/root";
  fix::Entry entry;
};

TEST(PersistRoute, NobodyMakesTheRoute) {
  RouteWorld world("mtu@default", "none", "1400");
  world.write("/etc/systemd/system/x.service", "");
  const auto files = world.files();
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().message().find("has eth0 in hand"), std::string::npos);
}

TEST(PersistRoute, IfupdownRunsAScriptOnceTheInterfaceIsUp) {
  RouteWorld world("mtu@10.0.0.9/32", "absent", "1400 lock");
  world.write("/etc/network/interfaces", "auto eth0\niface eth0 inet dhcp\n");
  std::filesystem::create_directories(world.root + "/etc/network/if-up.d");
  ASSERT_TRUE(fix::persist(world.kernel, world.journal, world.entry, world.root));
  const std::string path = world.entry.files.at(0).path;
  EXPECT_EQ(path, world.root + "/etc/network/if-up.d/slowpath-1");
  EXPECT_NE(world.entry.files[0].content.find(
                "ip -4 route replace 10.0.0.9/32 via 10.0.0.254 dev eth0 proto 83 mtu lock 1400"),
            std::string::npos)
      << world.entry.files[0].content;
  using std::filesystem::perms;
  EXPECT_NE(std::filesystem::status(path).permissions() & perms::owner_exec, perms::none);
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, world.entry, false)->done);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(PersistRoute, NetworkdHasADropIn) {
  RouteWorld made("initcwnd@10.0.0.9/32", "absent", "30");
  made.write("/run/systemd/netif/links/2",
             "ADMIN_STATE=configured\nNETWORK_FILE=/run/systemd/network/10-netplan-eth0.network\n");
  ASSERT_TRUE(fix::persist(made.kernel, made.journal, made.entry, made.root));
  EXPECT_EQ(made.entry.files.at(0).path,
            made.root + "/etc/systemd/network/10-netplan-eth0.network.d/90-slowpath-1.conf");
  EXPECT_NE(made.entry.files[0].content.find(
                "[Route]\nDestination=10.0.0.9/32\nGateway=10.0.0.254\nProtocol=83\n"
                "InitialCongestionWindow=30\n"),
            std::string::npos)
      << made.entry.files[0].content;
  EXPECT_TRUE(fix::undo(made.kernel, made.journal, made.entry, false)->done);
  EXPECT_TRUE(std::filesystem::is_empty(made.root + "/etc/systemd/network"));
  // A route that DHCP brings: what there is would change all of them.
  RouteWorld leased("mtu@default", "none", "1400");
  leased.write("/run/systemd/netif/links/2", "NETWORK_FILE=/etc/systemd/network/lan.network\n");
  ASSERT_FALSE(leased.files());
  EXPECT_NE(leased.files().error().message().find("add 'RouteMTUBytes=1400' to [DHCPv4] of "),
            std::string::npos);
  RouteWorld window("initcwnd@default", "none", "30");
  window.write("/run/systemd/netif/links/2", "NETWORK_FILE=/etc/systemd/network/lan.network\n");
  EXPECT_FALSE(window.files());
  // One of the file's own, and one that networkd has no word for.
  leased.kernel.knobs[{KnobKind::route, "eth0", "proto@default"}] = "static";
  ASSERT_FALSE(leased.files());
  EXPECT_NE(leased.files().error().message().find("add 'MTUBytes=1400' to its section [Route]"),
            std::string::npos);
  RouteWorld rto("rto_min@10.0.0.9/32", "absent", "50");
  rto.write("/run/systemd/netif/links/2", "NETWORK_FILE=/etc/systemd/network/lan.network\n");
  EXPECT_FALSE(rto.files());
}

TEST(PersistRoute, NetworkdCannotTakeAMetricAway) {
  for (const char* word : {"mtu", "quickack"}) {
    RouteWorld world(std::string(word) + "@default", "1", "none");
    world.write("/run/systemd/netif/links/2", "NETWORK_FILE=/etc/systemd/network/lan.network\n");
    const auto files = world.files();
    ASSERT_FALSE(files) << files->at(0).content;
    EXPECT_NE(files.error().message().find("take " + std::string(word) + " out of what sets it"),
              std::string::npos);
  }
}

TEST(PersistRoute, NetworkManagerDispatchesAScript) {
  RouteWorld world("initrwnd@default", "none", "40");
  world.write("/run/NetworkManager/devices/2", "[device]\nmanaged=true\n");
  std::filesystem::create_directories(world.root + "/etc/NetworkManager/dispatcher.d");
  const std::vector<fix::MadeFile> files = *world.files();
  ASSERT_EQ(files.size(), 1u);
  EXPECT_TRUE(files[0].path.ends_with("/dispatcher.d/90-slowpath-1"));
  EXPECT_NE(files[0].content.find("[ \"$1\" = 'eth0' ] && [ \"$2\" = up ] || exit 0\n"),
            std::string::npos);
  world.write("/run/NetworkManager/devices/2", "[device]\nmanaged=false\n");
  EXPECT_FALSE(world.files());
}

/// So that a unit can be for a host that has nft(8).
void make_nft(const std::string& root) {
  std::filesystem::create_directories(root + "/usr/sbin");
  std::ofstream(root + "/usr/sbin/nft") << "";
}

TEST(Persist, AClampThatIsTurnedOffIsNotTurnedOnAtStart) {
  World world;
  const std::string root = world.scratch.path() + "/root";
  std::filesystem::create_directories(root + "/etc/systemd/system");
  make_nft(root);
  const Knob clamp{KnobKind::mss_clamp, {}, "any"};
  world.kernel.knobs[clamp] = "on";
  Result<fix::Entry> entry =
      fix::apply(world.kernel, world.journal, {"c", "c", {{clamp, "off"}}}, 1);
  const auto files = fix::files_for(world.kernel, *entry, root);
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().message().find("nothing to do at start"), std::string::npos);
}

TEST(Persist, AClampComesAfterTheFirewall) {
  World world;
  const std::string root = world.scratch.path() + "/root", units = root + "/etc/systemd/system";
  const Knob clamp{KnobKind::mss_clamp, {}, "any"};
  world.kernel.knobs[clamp] = "off";
  Result<fix::Entry> entry =
      fix::apply(world.kernel, world.journal, {"c", "c", {{clamp, "on"}}}, 1);
  EXPECT_FALSE(fix::files_for(world.kernel, *entry, root));
  std::filesystem::create_directories(units);
  // A unit that could not run would only be found out at the next start.
  const auto without = fix::files_for(world.kernel, *entry, root);
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().message().find("install the package nftables"), std::string::npos);
  make_nft(root);
  ASSERT_TRUE(fix::persist(world.kernel, world.journal, *entry, root));
  EXPECT_NE(entry->files.at(0).content.find("After=nftables.service"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(entry->files.at(1).path)) << "the link leads nowhere";
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_FALSE(std::filesystem::exists(entry->files.at(0).path));
}

// systemd reads the units as systemctl would, without a systemd that runs.
TEST(Persist, SystemdHasNothingToSayAboutTheUnits) {
  if (system("command -v systemd-analyze > /dev/null && command -v ethtool > /dev/null") != 0)
    GTEST_SKIP() << "needs systemd-analyze(1)";
  World world;
  const Knob clamp{KnobKind::mss_clamp, {}, "wg0"};
  world.kernel.knobs[clamp] = "off";
  const std::string root = world.scratch.path() + "/root";
  std::filesystem::create_directories(root + "/etc/systemd/system");
  make_nft(root);
  for (const fix::ReadyStep& step : {tso_off(), fix::ReadyStep{"c", "a clamp", {{clamp, "on"}}}}) {
    Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, step, 1);
    ASSERT_TRUE(fix::persist(world.kernel, world.journal, *entry, root));
    const std::string said = world.scratch.path() + "/said";
    const int code = system(
        ("systemd-analyze verify --man=no " + entry->files.at(0).path + " > " + said + " 2>&1")
            .c_str());
    std::ifstream stream(said);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(code, 0) << text;
    EXPECT_EQ(text.find("slowpath-fix"), std::string::npos) << text;
  }
}

TEST(Apply, WhatWasOnlyIntendedIsUndoneWithoutATurn) {
  World world;
  Result<fix::Entry> entry = fix::intend(world.kernel, world.journal, tso_off(), 1);
  ASSERT_TRUE(entry);
  EXPECT_EQ(world.kernel.writes, 0);
  EXPECT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_EQ(world.kernel.writes, 0);
}

TEST(Journal, KeepsThatAStepIsOnTrial) {
  World world;
  fix::ReadyStep step = tso_off();
  step.on_trial = true;
  Result<fix::Entry> entry = fix::apply(world.kernel, world.journal, step, 1);
  EXPECT_TRUE(world.journal.read()->list.at(0).on_trial);
  (void)fix::undo(world.kernel, world.journal, *entry, false);
  EXPECT_FALSE(world.journal.read()->list.at(0).on_trial);
}

TEST(Journal, SurvivesWhatIsNotItsOwn) {
  World world;
  ASSERT_TRUE(fix::apply(world.kernel, world.journal, tso_off(), 1));
  std::ofstream(world.scratch.path() + "/000002.json") << "{ \"schema\": ";
  std::ofstream(world.scratch.path() + "/000003.json")
      << R"({"schema":"slowpath.fix-journal.v1","id":3,"state":"gone"})";
  std::ofstream(world.scratch.path() + "/notes.txt") << "mine";
  const fix::Entries entries = *world.journal.read();
  EXPECT_EQ(entries.list.size(), 1u);
  EXPECT_EQ(entries.damaged.size(), 2u);
  // A number that was taken once is not given again.
  const Result<fix::Entry> next =
      fix::apply(world.kernel, world.journal, {"s", "s", {{kSack, "0"}}}, 2);
  EXPECT_EQ(next->id, 4u);
}

TEST(Journal, IsHeldByOneAtATime) {
  World world;
  EXPECT_FALSE(fix::Journal::open(world.scratch.path(), 0));
}

/// Ends a process that only exists in this test.
struct Killed : std::runtime_error {
  Killed() : std::runtime_error("killed") {}
};

// Steps taken, killed at any point, and undone, in random order: nothing is left in the end.
TEST(Apply, AThousandRandomSequencesLeaveNoDifference) {
  std::mt19937 random(11);
  const std::vector<Knob> all{kSack, kTso, kTso6, kMtu};
  for (int round = 0; round < 1000; ++round) {
    World world;
    const auto before = world.kernel.knobs;
    const auto perhaps_killed = [&](std::string_view) {
      if (random() % 6 == 0) throw Killed();
    };
    for (int step = 0; step < 5; ++step) {
      try {
        if (random() % 3 != 0) {
          fix::ReadyStep ready{"random", "random", {}};
          for (const Knob& knob : all) {
            if (random() % 2 == 0) ready.changes.push_back({knob, std::to_string(random() % 3)});
          }
          (void)fix::apply(world.kernel, world.journal, ready, step, perhaps_killed);
        } else {
          fix::Entries entries = *world.journal.read();
          if (entries.list.empty()) continue;
          // Out of order, so that steps find each other's values.
          (void)fix::undo(world.kernel, world.journal, entries.list[random() % entries.list.size()],
                          false, perhaps_killed);
        }
      } catch (const Killed&) {
        continue;
      }
    }
    fix::Entries entries = *world.journal.read();
    for (auto entry = entries.list.rbegin(); entry != entries.list.rend(); ++entry) {
      (void)fix::undo(world.kernel, world.journal, *entry, true);
    }
    ASSERT_EQ(world.kernel.knobs, before) << "round " << round;
  }
}

}  // namespace
}  // namespace slowpath::test
