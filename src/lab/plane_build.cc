// SPDX-License-Identifier: Apache-2.0
// Puts directions together: stages in level order, the other halves of pairs, a segmentation where
// a later stage needs one, and the viewpoints between levels.
#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "lab/plane_core.h"

namespace slowpath::lab {

Result<void> check_order(const std::vector<StageSpec>& stages) {
  for (std::size_t i = 1; i < stages.size(); ++i) {
    const StageSpec &before = stages[i - 1], &after = stages[i];
    const std::string attempt =
        "cannot put " + after.settings.where() + " after " + before.settings.where();
    if (after.kind->level < before.kind->level) {
      return fail(ErrorKind::usage, attempt,
                  std::string(after.kind->name) + " belongs to the level " +
                      std::string(to_string(after.kind->level)) + ", " +
                      std::string(before.kind->name) + " to " +
                      std::string(to_string(before.kind->level)),
                  "the order that makes sense is sending NIC, segmentation, middlebox, path, "
                  "receiving NIC");
    }
    if (after.kind->level == Level::segmentation && before.kind->level == Level::segmentation) {
      return fail(ErrorKind::usage, attempt, "frames are cut once", "leave one of the two out");
    }
  }
  return {};
}

/// The stages that one list of specs makes: for its own direction, and for the reverse.
struct PlaneCore::Stages {
  struct Made {
    const StageKind* kind;
    std::unique_ptr<Stage> stage;
  };
  std::vector<Made> forward, backward;
};

Result<PlaneCore::Stages> PlaneCore::make_stages(std::vector<StageSpec>& specs) {
  if (auto ok = check_order(specs); !ok) return std::unexpected(ok.error());
  Stages stages;
  for (StageSpec& spec : specs) {
    auto pair = spec.kind->make(spec.settings);
    if (!pair) return std::unexpected(pair.error());
    if (auto ok = spec.settings.check(); !ok) return std::unexpected(ok.error());
    stages.forward.push_back({spec.kind, std::move(pair->forward)});
    if (pair->backward) stages.backward.push_back({spec.kind, std::move(pair->backward)});
  }
  return stages;
}

void PlaneCore::add_slot(Direction& direction, std::uint32_t number, const StageKind& kind,
                         std::unique_ptr<Stage> stage) {
  // Numbered among its own kind, so that other stages do not change what it draws.
  const auto same = static_cast<std::uint64_t>(std::ranges::count_if(
      direction.slots, [&](const auto& slot) { return slot->kind().name == kind.name; }));
  const Random random = Random::for_part(seed_, kind.name, (std::uint64_t{number} << 32U) + same);
  direction.slots.push_back(std::make_unique<Slot>(*this, kind, std::move(stage), random));
}

std::unique_ptr<Direction> PlaneCore::make_direction(std::uint32_t number, std::string name,
                                                     Endpoint* to, Stages& own, Stages& other,
                                                     bool segments_on_wire) {
  // The way back passes the other direction's boxes in the reverse order, behind its own.
  std::vector<Stages::Made> all = std::move(own.forward);
  const auto level_of = [](const Stages::Made& made) { return made.kind->level; };
  for (auto made = other.backward.rbegin(); made != other.backward.rend(); ++made) {
    const auto at = std::ranges::upper_bound(all, made->kind->level, {}, level_of);
    all.insert(at, std::move(*made));
  }
  const bool is_cut = std::ranges::any_of(
      all, [](const auto& made) { return made.kind->level == Level::segmentation; });
  const bool needs_cut =
      segments_on_wire || std::ranges::any_of(all, [](const auto& made) {
        return made.kind->level > Level::segmentation && made.kind->needs_segments;
      });
  if (needs_cut && !is_cut) {
    const StageKind* kind = find_stage_kind("segment");
    SLOWPATH_ASSERT(kind != nullptr);
    Settings none;
    auto pair = kind->make(none);
    SLOWPATH_ASSERT(pair.has_value());
    const auto at = std::ranges::find_if(
        all, [](const auto& made) { return made.kind->level > Level::segmentation; });
    all.insert(at, {kind, std::move(pair->forward)});
  }
  auto direction = std::make_unique<Direction>();
  direction->name = std::move(name);
  direction->to = to;
  for (auto& made : all) add_slot(*direction, number, *made.kind, std::move(made.stage));
  for (std::uint32_t i = 0; i < direction->slots.size(); ++i) direction->slots[i]->place(number, i);
  return direction;
}

Result<std::uint32_t> PlaneCore::add_link(Plane::LinkSpec link) {
  SLOWPATH_ASSERT(link.a < endpoints.size() && link.b < endpoints.size() && link.a != link.b);
  auto there = make_stages(link.a_to_b);
  if (!there) return std::unexpected(there.error());
  auto back = make_stages(link.b_to_a);
  if (!back) return std::unexpected(back.error());
  const auto number = static_cast<std::uint32_t>(directions.size());
  directions.push_back(make_direction(number, link.a_name + ">" + link.b_name,
                                      endpoints[link.b].get(), *there, *back,
                                      link.segments_on_wire));
  directions.push_back(make_direction(number + 1, link.b_name + ">" + link.a_name,
                                      endpoints[link.a].get(), *back, *there,
                                      link.segments_on_wire));
  return number / 2;
}

void PlaneCore::lay_out() {
  constexpr std::pair<Viewpoint, Level> kBefore[]{{Viewpoint::guest_out, Level::nic_tx},
                                                  {Viewpoint::wire_near, Level::middlebox},
                                                  {Viewpoint::wire_far, Level::nic_rx}};
  for (std::uint32_t number = 0; number < directions.size(); ++number) {
    Direction& direction = *directions[number];
    auto& steps = direction.steps;
    steps.clear();
    const auto look = [&](Viewpoint viewpoint) {
      if (frame_observer == nullptr || !wanted || !wanted(number, viewpoint)) return;
      steps.push_back({Step::Kind::observe, viewpoint, nullptr});
    };
    const auto here = [&] { return static_cast<std::uint32_t>(steps.size()); };
    auto slot = direction.slots.begin();
    const auto add_below = [&](Level level) {
      for (; slot != direction.slots.end() && (*slot)->kind().level < level; ++slot) {
        (*slot)->set_step(here());
        steps.push_back({Step::Kind::stage, {}, slot->get()});
      }
    };
    for (const auto& [viewpoint, level] : kBefore) {
      add_below(level);
      if (level == Level::nic_rx) direction.answer_step = here();
      look(viewpoint);
    }
    for (; slot != direction.slots.end(); ++slot) {
      (*slot)->set_step(here());
      steps.push_back({Step::Kind::stage, {}, slot->get()});
    }
    look(Viewpoint::guest_in);
    steps.push_back({Step::Kind::send, {}, nullptr});
  }
}

}  // namespace slowpath::lab
