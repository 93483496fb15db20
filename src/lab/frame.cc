// SPDX-License-Identifier: Apache-2.0
// Buffers handed out and taken back.
#include "lab/frame.h"

#include <cstring>

#include "base/assert.h"

namespace slowpath::lab {
namespace {

constexpr std::array<std::uint32_t, 3> kClasses{FramePool::kPacketBytes, FramePool::kSmallBytes,
                                                FramePool::kLargeBytes};

std::size_t class_of(std::uint32_t len) {
  std::size_t size_class = 0;
  while (kClasses[size_class] < len) ++size_class;
  return size_class;
}

}  // namespace

void ReturnToPool::operator()(Frame* frame) const { frame->pool->give_back(frame); }

FramePool::~FramePool() {
  for (const auto& list : free_) {
    for (Frame* frame : list) {
      delete[] frame->data;
      delete frame;
    }
  }
}

FramePtr FramePool::make(std::uint32_t len) {
  SLOWPATH_ASSERT(len <= kLargeBytes);
  auto& list = free_[class_of(len)];
  Frame* frame = nullptr;
  if (list.empty()) {
    frame = new Frame;
    frame->capacity = kClasses[class_of(len)];
    frame->data = new std::byte[frame->capacity];
    frame->pool = this;
  } else {
    frame = list.back();
    list.pop_back();
  }
  frame->len = len;
  frame->vnet = {};
  frame->arrived = {};
  frame->id = next_id_++;
  frame->parent = 0;
  frame->leave_checksum = false;
  ++in_use_;
  return FramePtr{frame};
}

FramePtr FramePool::copy(const Frame& frame) {
  FramePtr same = make(frame.len);
  std::memcpy(same->data, frame.data, frame.len);
  same->vnet = frame.vnet;
  same->arrived = frame.arrived;
  same->parent = frame.id;
  same->leave_checksum = frame.leave_checksum;
  return same;
}

void FramePool::give_back(Frame* frame) {
  SLOWPATH_ASSERT(in_use_ > 0);
  --in_use_;
  free_[class_of(frame->capacity)].push_back(frame);
}

}  // namespace slowpath::lab
