// SPDX-License-Identifier: Apache-2.0
#include "machine/interface_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slowpath::machine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(InterfaceSettings, LoopbackIsRead) {
  const auto settings = read_interface_settings("lo");
  ASSERT_TRUE(settings.has_value()) << settings.error().message();
  EXPECT_EQ(settings->name, "lo");
  EXPECT_GE(settings->mtu_bytes, 1280);
  EXPECT_FALSE(settings->promiscuous);
  EXPECT_TRUE(settings->tso.has_value());
  EXPECT_TRUE(settings->tx_checksum.has_value());
}

TEST(InterfaceSettings, UnknownNamesAreUsageErrors) {
  for (const char* name : {"nosuchif0", "", "a-name-longer-than-any-interface", "../lo"}) {
    const auto settings = read_interface_settings(name);
    ASSERT_FALSE(settings.has_value()) << name;
    EXPECT_EQ(settings.error().kind, ErrorKind::usage);
    EXPECT_THAT(settings.error().message(), HasSubstr("cannot read the settings of"));
  }
}

TEST(InterfaceSettings, ChangesInWords) {
  InterfaceSettings before;
  before.name = "eth0";
  before.mtu_bytes = 1500;
  before.up = true;
  before.gro = true;
  InterfaceSettings after = before;
  EXPECT_THAT(describe_changes(before, after), IsEmpty());
  after.mtu_bytes = 9000;
  after.promiscuous = true;
  after.gro = false;
  after.lro = true;
  EXPECT_THAT(describe_changes(before, after),
              ElementsAre("eth0: MTU was 1500, is 9000", "eth0: promiscuous mode was off, is on",
                          "eth0: generic-receive-offload (gro) was on, is off",
                          "eth0: large-receive-offload (lro) was unknown, is on"));
}

}  // namespace
}  // namespace slowpath::machine
