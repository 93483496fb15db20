// SPDX-License-Identifier: Apache-2.0
// The pool hands out what was given back, and numbers every frame anew.
#include "lab/frame.h"

#include <gtest/gtest.h>

namespace slowpath::lab {
namespace {

TEST(FramePool, reuses_buffers_of_the_same_class) {
  FramePool pool;
  const std::byte* small = nullptr;
  {
    const FramePtr frame = pool.make(1514);
    small = frame->data;
    EXPECT_EQ(frame->capacity, FramePool::kPacketBytes);
    EXPECT_EQ(pool.in_use(), 1U);
  }
  EXPECT_EQ(pool.in_use(), 0U);
  const FramePtr jumbo = pool.make(9014);
  const FramePtr large = pool.make(FramePool::kLargeBytes);
  const FramePtr again = pool.make(60);
  EXPECT_EQ(jumbo->capacity, FramePool::kSmallBytes);
  EXPECT_EQ(large->capacity, FramePool::kLargeBytes);
  EXPECT_EQ(again->data, small);
  EXPECT_EQ(pool.in_use(), 3U);
}

TEST(FramePool, forgets_what_a_frame_was) {
  FramePool pool;
  std::uint64_t id = 0;
  {
    FramePtr frame = pool.make(100);
    frame->vnet.flags = VnetHeader::kNeedsChecksum;
    frame->leave_checksum = true;
    frame->parent = 9;
    id = frame->id;
  }
  const FramePtr frame = pool.make(100);
  EXPECT_FALSE(frame->vnet.needs_checksum());
  EXPECT_FALSE(frame->leave_checksum);
  EXPECT_EQ(frame->parent, 0U);
  EXPECT_GT(frame->id, id);
}

TEST(FramePool, a_copy_names_its_original) {
  FramePool pool;
  FramePtr frame = pool.make(3);
  frame->data[2] = std::byte{7};
  frame->vnet.gso_size = 1448;
  const FramePtr same = pool.copy(*frame);
  EXPECT_NE(same->data, frame->data);
  EXPECT_EQ(same->data[2], std::byte{7});
  EXPECT_EQ(same->vnet.gso_size, 1448);
  EXPECT_EQ(same->parent, frame->id);
  EXPECT_NE(same->id, frame->id);
}

}  // namespace
}  // namespace slowpath::lab
