// SPDX-License-Identifier: Apache-2.0
// The table of RSS, against a driver of the test's own: no virtual interface has one. It answers
// as net/ethtool/ioctl.c does (ethtool_get_rxfh_indir(), ethtool_set_rxfh_indir()).
#include <linux/ethtool.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <gtest/gtest.h>

#include "fix/apply.h"
#include "fix/persist.h"
#include "fix/plan.h"
#include "fix/rss_knob.h"
#include "unit/fix/scratch.h"

namespace slowpath::test {
namespace {

using fix::Knob;
using fix::KnobKind;
using Table = std::vector<std::uint32_t>;

const Knob kTable{KnobKind::rss, "eth0", "table"};

struct FakeNic {
  Table table{0, 0, 0, 0, 0, 0, 0, 0};
  std::uint32_t queues = 4;
  bool has_table = true, may_write = true;
  bool is_configured = true;  // the kernel's IFF_RXFH_CONFIGURED

  int ask(void* command) {
    std::uint32_t number = 0;
    std::memcpy(&number, command, sizeof number);
    if (number == ETHTOOL_GRXRINGS) {
      static_cast<ethtool_rxnfc*>(command)->data = queues;
      return 0;
    }
    auto* head = static_cast<ethtool_rxfh_indir*>(command);
    auto* buckets = reinterpret_cast<std::uint32_t*>(head + 1);
    if (number == ETHTOOL_GRXFHINDIR) return get(*head, buckets);
    return number == ETHTOOL_SRXFHINDIR ? set(*head, buckets) : EOPNOTSUPP;
  }

 private:
  int get(ethtool_rxfh_indir& head, std::uint32_t* buckets) const {
    if (!has_table) return EOPNOTSUPP;
    const std::uint32_t room = head.size;
    head.size = static_cast<std::uint32_t>(table.size());
    if (room < table.size()) return room == 0 ? 0 : EINVAL;
    std::ranges::copy(table, buckets);
    return 0;
  }
  int set(const ethtool_rxfh_indir& head, const std::uint32_t* buckets) {
    if (!may_write) return EPERM;
    if (!has_table) return EOPNOTSUPP;
    if (head.size != 0 && head.size != table.size()) return EINVAL;
    if (head.size == 0) {
      for (std::size_t i = 0; i < table.size(); ++i)
        table[i] = static_cast<std::uint32_t>(i % queues);
      is_configured = false;
      return 0;
    }
    if (std::any_of(buckets, buckets + head.size, [&](auto queue) { return queue >= queues; }))
      return EINVAL;
    table.assign(buckets, buckets + head.size);
    is_configured = true;
    return 0;
  }
};

/// A kernel with that one interface.
class RssKernel final : public fix::Kernel {
 public:
  FakeNic nic;
  Result<std::string> read(const Knob& knob) override { return fix::read_rss(knob, asker()); }
  Result<void> write(const Knob& knob, const std::string& value) override {
    return fix::write_rss(knob, value, asker());
  }
  Result<std::vector<std::string>> changeable_features(const std::string&) override { return {}; }

 private:
  fix::AskEthtool asker() {
    return [this](void* command) { return nic.ask(command); };
  }
};

struct World {
  RssKernel kernel;
  Scratch scratch;
  fix::Journal journal = *fix::Journal::open(scratch.path());

  Result<fix::Entry> apply(const std::string& command) {
    Result<std::vector<fix::Change>> changes = fix::changes_of(command, kernel);
    if (!changes) return std::unexpected(changes.error());
    return fix::apply(kernel, journal, {command, command, *changes}, 1);
  }
  std::string complaint(const std::string& command) {
    const Result<fix::Entry> entry = apply(command);
    return entry ? "taken" : entry.error().message();
  }
};

TEST(RssValue, IsTheWholeTableInEthtoolsWords) {
  EXPECT_EQ(fix::rss_value_of(Table{0, 1, 2, 0, 1, 2, 0, 1}), "8 buckets equal 3");
  EXPECT_EQ(fix::rss_value_of(Table{0, 0, 0, 0}), "4 buckets equal 1");
  EXPECT_EQ(fix::rss_value_of(Table{2, 3, 2, 3}), "4 buckets start 2 equal 2");
  EXPECT_EQ(fix::rss_value_of(Table{5, 5}), "2 buckets start 5 equal 1");
  EXPECT_EQ(fix::rss_value_of(Table{1, 0, 0, 7}), "4 buckets list 1*1 0*2 7*1");
  EXPECT_EQ(fix::rss_value_of(Table{0, 1, 5, 0}), "4 buckets list 0*1 1*1 5*1 0*1");
  for (const Table& table : {Table{0, 1, 2, 0}, Table{2, 3, 2}, Table{9, 1, 1, 1, 0}, Table{0}}) {
    EXPECT_EQ(fix::parse_rss_value(fix::rss_value_of(table)), table);
  }
}

TEST(RssValue, WhatIsNoneIsRefused) {
  for (const char* value :
       {"", "8", "8 buckets", "8 buckets equal", "8 buckets equal 0", "8 buckets equal x",
        "0 buckets equal 1", "99999999 buckets equal 1", "8 buckets list 0*7", "8 buckets list 0*9",
        "8 buckets list 0*99999999999999999999", "8 buckets list 0 1", "8 buckets default",
        "8 buckets weight 1", "8 buckets equal 2 equal", "8 bucket equal 2"}) {
    EXPECT_FALSE(fix::parse_rss_value(value)) << value;
  }
}

TEST(Rss, IsSpreadAndPutBack) {
  World world;
  const Table before = world.kernel.nic.table;
  for (const auto& [command, after] :
       {std::pair{"ethtool -X eth0 equal 2", Table{0, 1, 0, 1, 0, 1, 0, 1}},
        std::pair{"ethtool -X eth0 start 1 equal 2", Table{1, 2, 1, 2, 1, 2, 1, 2}},
        std::pair{"ethtool -X eth0 equal 2 start 1", Table{1, 2, 1, 2, 1, 2, 1, 2}},
        std::pair{"ethtool -X eth0 weight 6 1 0 1", Table{0, 0, 0, 0, 0, 0, 1, 3}},
        std::pair{"ethtool -X eth0 weight 0 1 1", Table{1, 1, 1, 1, 2, 2, 2, 2}},
        std::pair{"ethtool -X eth0 default", Table{0, 1, 2, 3, 0, 1, 2, 3}},
        std::pair{"rss:eth0:table=8 buckets list 3*8", Table{3, 3, 3, 3, 3, 3, 3, 3}}}) {
    Result<fix::Entry> entry = world.apply(command);
    ASSERT_TRUE(entry) << entry.error().message();
    EXPECT_EQ(world.kernel.nic.table, after) << command;
    fix::Entry kept = world.journal.read()->list.back();  // as after a kill
    const Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, kept, false);
    ASSERT_TRUE(undone);
    EXPECT_TRUE(undone->done) << command;
    EXPECT_EQ(world.kernel.nic.table, before) << command;
    EXPECT_TRUE(world.kernel.nic.is_configured) << command;
  }
}

TEST(Rss, TheKernelsOwnTableIsAskedForAndNotWritten) {
  World world;
  world.kernel.nic.table = {0, 1, 2, 3, 0, 1, 2, 3};
  world.kernel.nic.is_configured = false;
  Result<fix::Entry> entry = world.apply("ethtool -X eth0 equal 1");
  ASSERT_TRUE(entry);
  EXPECT_TRUE(world.kernel.nic.is_configured);
  ASSERT_TRUE(fix::undo(world.kernel, world.journal, *entry, false)->done);
  EXPECT_EQ(world.kernel.nic.table, (Table{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_FALSE(world.kernel.nic.is_configured);
}

TEST(Rss, WhatDoesNotFitIsSaidAndLeftAlone) {
  World world;
  const Table before = world.kernel.nic.table;
  const auto said = [&](const char* command, const char* what) {
    const std::string complaint = world.complaint(command);
    EXPECT_NE(complaint.find(what), std::string::npos) << command << ": " << complaint;
    EXPECT_EQ(world.kernel.nic.table, before) << command;
  };
  said("ethtool -X eth0 equal 5", "there are 4 receive queues, counted from 0");
  said("ethtool -X eth0 start 3 equal 2", "'ethtool -L eth0 combined N' makes more");
  said("ethtool -X eth0 weight 0 0", "the weights together are to be 1 to 8");
  said("ethtool -X eth0 weight 9", "the weights together are to be 1 to 8");
  said("ethtool -X eth0 hkey 1:2", "it can be default");
  said("ethtool -X eth0 equal 2 default", "it can be default");
  said("ethtool -X eth0", "it says neither interface nor table");
  said("rss:eth0:table=16 buckets equal 2", "the table has 8 buckets");
  said("rss:eth0:table=many", "it is no table of RSS");
  said("rss:eth0:queues=2", "cannot read the knob");
  world.kernel.nic.may_write = false;
  said("ethtool -X eth0 equal 2", "this needs cap_net_admin");
  world.kernel.nic.has_table = false;
  said("ethtool -X eth0 equal 2", "the driver has no table of RSS");
}

TEST(Rss, ATableThatChangedItsSizeIsSomebodyElses) {
  World world;
  Result<fix::Entry> entry = world.apply("ethtool -X eth0 equal 2");
  ASSERT_TRUE(entry);
  world.kernel.nic.table.assign(16, 0);
  const Result<fix::Undone> undone = fix::undo(world.kernel, world.journal, *entry, false);
  ASSERT_EQ(undone->conflicts.size(), 1u);
  EXPECT_EQ(undone->conflicts[0].now, "16 buckets equal 1");
  EXPECT_EQ(fix::undo(world.kernel, world.journal, *entry, true)->failures.size(), 1u);
  EXPECT_EQ(world.kernel.nic.table, Table(16, 0));
}

TEST(Rss, WhatEthtoolCanSayLasts) {
  World world;
  std::filesystem::create_directories(world.scratch.path() + "/etc/systemd/system");
  Result<fix::Entry> equal = world.apply("ethtool -X eth0 start 1 equal 2");
  const auto files = fix::files_for(world.kernel, *equal, world.scratch.path());
  ASSERT_TRUE(files) << files.error().message();
  EXPECT_NE(files->at(0).content.find(" ethtool -X eth0 start 1 equal 2\n"), std::string::npos)
      << files->at(0).content;
  Result<fix::Entry> list = world.apply("ethtool -X eth0 weight 6 1 0 1");
  const auto refused = fix::files_for(world.kernel, *list, world.scratch.path());
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("ethtool(8) has no words for this table"),
            std::string::npos);
}

TEST(Rss, TheCataloguesStepIsOurs) {
  const Result<fix::PlannedStep> step =
      fix::find_step("rss-one-queue/3", Platform::linux, {"eth0", "4", "", ""});
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->is_ours);
  EXPECT_TRUE(fix::is_known_form("ethtool -X eth0 default"));
  EXPECT_TRUE(fix::is_known_form("ethtool -X eth0 start 0 equal 1"));
  EXPECT_FALSE(fix::is_known_form("ethtool -X eth0 hfunc toeplitz"));
  World world;
  EXPECT_TRUE(world.apply(step->command));
  EXPECT_EQ(world.kernel.nic.table, (Table{0, 1, 2, 3, 0, 1, 2, 3}));
}

}  // namespace
}  // namespace slowpath::test
