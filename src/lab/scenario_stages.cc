// SPDX-License-Identifier: Apache-2.0
#include "lab/scenario_stages.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/format.h"
#include "lab/table_reader.h"

namespace slowpath::lab {
namespace {

/// "10ms" of 10 000 000 ns: exact, in the largest unit that leaves it at least 1.
std::string exact_duration(Duration duration) {
  struct Unit {
    std::int64_t ns;
    std::string_view name;
  };
  for (const Unit unit : {Unit{1'000'000'000, "s"}, Unit{1'000'000, "ms"}, Unit{1'000, "us"}}) {
    if (duration.count() < unit.ns) continue;
    auto text = fmt::format("{}.{:09}", duration.count() / unit.ns,
                            duration.count() % unit.ns * (1'000'000'000 / unit.ns));
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
    return text.append(unit.name);
  }
  return fmt::format("{}ns", duration.count());
}

using Direction = std::vector<StageSpec>;

class StageReader {
 public:
  StageReader(std::string_view scenario, std::vector<WorldLink>& links)
      : scenario_(scenario), links_(links) {}

  Result<void> read(const Node& root);

 private:
  Result<void> read_path(const Node* table);
  Result<void> add_path_stage(Direction& direction, std::string_view kind,
                              std::map<std::string, std::string> values, std::uint32_t line);
  Result<void> read_list(const Node* array, std::string_view list_name);
  Result<StageSpec> read_stage(TableReader& table, const std::string& where);
  Result<Direction*> find_direction(TableReader& table);
  Result<StageSpec> make(const std::string& kind, std::map<std::string, std::string> values,
                         const std::string& where, std::uint32_t line);
  /// Levels must not go back, and only one stage segments. `before` is null for the first.
  Result<void> check_next(const StageSpec* before, const StageSpec& stage, std::uint32_t line);
  Result<void> merge_levels();

  std::string_view scenario_;
  std::vector<WorldLink>& links_;
};

Result<void> StageReader::read(const Node& root) {
  if (const auto read = read_path(root.find("path")); !read) return read;
  if (const auto read = read_list(root.find("stages"), "stages"); !read) return read;
  if (const auto* fault = root.find("fault")) {
    if (const auto read = read_list(fault->find("stages"), "fault.stages"); !read) return read;
  }
  return merge_levels();
}

/// A bottleneck's queue stands before the distance: rate, then delay.
Result<void> StageReader::read_path(const Node* node) {
  if (node == nullptr) return {};
  TableReader table{scenario_, node, "[path]"};
  const auto rtt = table.duration("rtt");
  const auto rate = table.text("rate"), rate_back = table.text("rate_to_server");
  const auto queue = table.text("queue"), queue_back = table.text("queue_to_server", queue);
  if (const auto read = table.finish(); !read) return read;
  auto& link = links_.front();
  const bool a_is_client = link.a == "client" || (link.b != "client" && link.b == "server");
  auto& to_client = a_is_client ? link.b_to_a : link.a_to_b;
  auto& to_server = a_is_client ? link.a_to_b : link.b_to_a;
  if (rate.empty() && table.has("queue") && rate_back.empty()) {
    return fail_at(scenario_, table.line_of("queue"), "[path] has a queue and no rate",
                   "a queue stands before a rate = \"100Mbit/s\"");
  }
  struct Half {
    Direction& direction;
    const std::string &rate, &queue;
    const char* key;
  };
  for (const Half& half : {Half{to_client, rate, queue, "rate"},
                           Half{to_server, rate_back, queue_back, "rate_to_server"}}) {
    if (!half.rate.empty()) {
      std::map<std::string, std::string> values{{"rate", half.rate}};
      if (!half.queue.empty()) values.emplace("queue", half.queue);
      const auto added =
          add_path_stage(half.direction, "rate", std::move(values), table.line_of(half.key));
      if (!added) return added;
    }
    if (rtt.count() == 0) continue;
    const auto added = add_path_stage(half.direction, "delay", {{"time", exact_duration(rtt / 2)}},
                                      table.line_of("rtt"));
    if (!added) return added;
  }
  return {};
}

Result<void> StageReader::add_path_stage(Direction& direction, std::string_view kind,
                                         std::map<std::string, std::string> values,
                                         std::uint32_t line) {
  auto stage = make(std::string(kind), std::move(values), fmt::format("[path] ({})", kind), line);
  if (!stage) return std::unexpected(stage.error());
  direction.push_back(std::move(*stage));
  return {};
}

Result<void> StageReader::read_list(const Node* array, std::string_view list_name) {
  if (array == nullptr) return {};
  if (!array->is_array()) {
    return fail_at(scenario_, array->line,
                   fmt::format("{} is a list of tables: [[{}]]", list_name, list_name));
  }
  std::map<Direction*, const StageSpec> last;  // of this list
  std::size_t number = 0;
  for (const auto& item : array->items) {
    const auto where = fmt::format("[[{}]] {}", list_name, ++number);
    TableReader table{scenario_, &item, where};
    const auto direction = find_direction(table);
    if (!direction) return std::unexpected(direction.error());
    auto stage = read_stage(table, where);
    if (!stage) return std::unexpected(stage.error());
    const auto before = last.find(*direction);
    const auto ordered =
        check_next(before == last.end() ? nullptr : &before->second, *stage, item.line);
    if (!ordered) return ordered;
    last.erase(*direction);
    last.emplace(*direction, *stage);
    (*direction)->push_back(std::move(*stage));
  }
  return {};
}

Result<void> StageReader::check_next(const StageSpec* before, const StageSpec& stage,
                                     std::uint32_t line) {
  if (before == nullptr) return {};
  const auto old_level = before->kind->level, level = stage.kind->level;
  if (level < old_level) {
    return fail_at(
        scenario_, line,
        fmt::format("stage {} ({}) stands behind {} ({}), which comes later on the way",
                    stage.kind->name, to_string(level), before->kind->name, to_string(old_level)),
        fmt::format("put {} before {}", stage.kind->name, before->kind->name));
  }
  return {};
}

Result<StageSpec> StageReader::read_stage(TableReader& table, const std::string& where) {
  const auto kind = table.required("kind");
  const auto line = table.line_of("kind");
  auto values = table.remaining();
  if (const auto read = table.finish(); !read) return std::unexpected(read.error());
  return make(kind, std::move(values), fmt::format("{} ({})", where, kind), line);
}

Result<StageSpec> StageReader::make(const std::string& kind_name,
                                    std::map<std::string, std::string> values,
                                    const std::string& where, std::uint32_t line) {
  const auto* kind = find_stage_kind(kind_name);
  if (kind == nullptr) {
    std::vector<std::string_view> names;
    for (const auto* each : all_stage_kinds()) names.push_back(each->name);
    return fail_at(scenario_, line, fmt::format("there is no kind of stage \"{}\"", kind_name),
                   suggest(kind_name, names));
  }
  StageSpec stage{.kind = kind, .settings = Settings{where, std::move(values)}};
  auto tried = stage.settings;
  const auto made = kind->make(tried);
  const auto checked = made ? tried.check() : Result<void>{std::unexpected(made.error())};
  if (!checked) {
    const auto& error = checked.error();
    auto cause = error.attempt;
    if (!error.cause.empty()) cause += ": " + error.cause;
    return fail_at(scenario_, line, std::move(cause), error.hint);
  }
  return stage;
}

Result<Direction*> StageReader::find_direction(TableReader& table) {
  const auto on = table.required("on");
  std::vector<std::string> names;
  for (auto& link : links_) {
    if (on == link.a + ">" + link.b) return &link.a_to_b;
    if (on == link.b + ">" + link.a) return &link.b_to_a;
    names.push_back(link.a + ">" + link.b);
    names.push_back(link.b + ">" + link.a);
  }
  return fail_at(scenario_, table.line_of("on"), fmt::format("there is no direction \"{}\"", on),
                 suggest(on, {names.begin(), names.end()}));
}

Result<void> StageReader::merge_levels() {
  const auto level = [](const StageSpec& stage) { return stage.kind->level; };
  for (auto& link : links_) {
    for (auto* direction : {&link.a_to_b, &link.b_to_a}) {
      std::ranges::stable_sort(*direction, {}, level);
      if (std::ranges::count(*direction, Level::segmentation, level) > 1) {
        return fail_at(scenario_, 0,
                       fmt::format("frames between {} and {} would be cut twice", link.a, link.b),
                       "name one stage of the segmentation level; without = [\"segment\"] in "
                       "[fault] takes the healthy one away");
      }
    }
  }
  return {};
}

}  // namespace

Result<void> read_stages(std::string_view scenario, const Node& root,
                         std::vector<WorldLink>& links) {
  return StageReader{scenario, links}.read(root);
}

}  // namespace slowpath::lab
