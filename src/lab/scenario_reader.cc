// SPDX-License-Identifier: Apache-2.0
// A scenario's own keys: what it is, what must be found, what cures it. Worlds are read by
// scenario_world.cc, once with the fault and once without.
#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "facts/catalogue.h"
#include "lab/capture_points.h"
#include "lab/scenario.h"
#include "lab/scenario_merge.h"
#include "lab/scenario_parameters.h"
#include "lab/scenario_tree.h"
#include "lab/scenario_world.h"
#include "lab/table_reader.h"

namespace slowpath::lab {
namespace {

constexpr std::string_view kHealthy = "healthy", kUnclear = "unclear";

std::vector<std::string_view> fault_ids() {
  std::vector<std::string_view> ids;
  for (const auto& fault : all_faults()) ids.push_back(fault.id);
  return ids;
}

class ScenarioReader {
 public:
  ScenarioReader(std::string_view name, const Node& root)
      : root_(root), table_(name, &root, "the scenario") {
    scenario_.name = name;
  }

  Result<Scenario> read(std::vector<Parameter> parameters) {
    scenario_.parameters = std::move(parameters);
    read_heading();
    if (const auto read = read_worlds(); !read) return std::unexpected(read.error());
    for (const auto step : {&ScenarioReader::read_symptom, &ScenarioReader::read_expectations,
                            &ScenarioReader::read_unseen, &ScenarioReader::read_fixes}) {
      if (const auto read = (this->*step)(); !read) return std::unexpected(read.error());
    }
    if (const auto read = table_.finish(); !read) return std::unexpected(read.error());
    return std::move(scenario_);
  }

 private:
  void read_heading();
  Result<void> read_worlds();
  Result<void> read_symptom();
  Result<void> read_expectations();
  Result<void> read_unseen();
  Result<void> read_fixes();
  Result<Fix> read_fix(const Node& node);
  /// Complains about ids that the catalogue does not have; `verdicts` are allowed besides.
  void check_faults(TableReader& table, std::string_view key, const std::vector<std::string>& ids,
                    bool verdicts_too);

  const Node& root_;
  TableReader table_;
  Scenario scenario_;
};

void ScenarioReader::check_faults(TableReader& table, std::string_view key,
                                  const std::vector<std::string>& ids, bool verdicts_too) {
  for (const auto& id : ids) {
    if (find_fault(id) != nullptr) continue;
    if (verdicts_too && (id == kHealthy || id == kUnclear)) continue;
    table.complain(key, fmt::format("the catalogue has no fault \"{}\"", id),
                   suggest(id, fault_ids()));
  }
}

void ScenarioReader::read_heading() {
  scenario_.title = table_.required("title");
  scenario_.story = table_.text("story");
  scenario_.about = table_.text("about");
  // Lines of a paragraph belong together; whoever shows it breaks them anew.
  std::ranges::replace(scenario_.about, '\n', ' ');
  while (scenario_.about.ends_with(' ')) scenario_.about.pop_back();
  scenario_.faults = table_.list("faults");
  check_faults(table_, "faults", scenario_.faults, false);
  scenario_.looks_suspicious = table_.flag("suspicious");
  scenario_.in_ci = table_.flag("ci");
  if (scenario_.title.contains('\n')) table_.complain("title", "the title is one line");
  if (scenario_.looks_suspicious && !scenario_.faults.empty()) {
    table_.complain("suspicious", "only a healthy scenario looks suspicious");
  }
  const auto* first = scenario_.faults.empty() ? nullptr : find_fault(scenario_.faults.front());
  scenario_.family = first == nullptr              ? kHealthy
                     : scenario_.faults.size() > 1 ? kSeveral
                                                   : to_string(first->family);
  // Read elsewhere.
  for (const auto* key : {"hosts", "path", "parameters", "fault", "capture"}) {
    (void)table_.table(key);
  }
  for (const auto* key : {"links", "stages", "transfers"}) (void)table_.tables(key);
  (void)table_.flag("ipv6");
}

Result<void> ScenarioReader::read_worlds() {
  if (const auto read = table_.so_far(); !read) return read;
  const bool has_fault = root_.find("fault") != nullptr;
  if (has_fault == scenario_.faults.empty()) {
    return fail_at(scenario_.name, has_fault ? root_.find("fault")->line : table_.line_of("faults"),
                   has_fault ? "there is a [fault] and faults names none"
                             : "faults are named and there is no [fault]",
                   "say both, or neither for a healthy scenario");
  }
  auto healthy = read_world(scenario_.name, without_fault(root_));
  if (!healthy) return std::unexpected(healthy.error());
  scenario_.healthy = std::move(*healthy);
  if (!has_fault) {
    scenario_.broken = scenario_.healthy;
    return {};
  }
  const auto merged = merge_fault(scenario_.name, root_);
  if (!merged) return std::unexpected(merged.error());
  auto broken = read_world(scenario_.name, *merged);
  if (!broken) return std::unexpected(broken.error());
  scenario_.broken = std::move(*broken);
  return {};
}

Result<void> ScenarioReader::read_symptom() {
  TableReader table{scenario_.name, table_.table("symptom"), "[symptom]"};
  auto& symptom = scenario_.symptom;
  symptom.rate_below_bps = table.rate_bps("rate_below");
  symptom.rate_above_bps = table.rate_bps("rate_above");
  symptom.bytes_wrong = table.flag("bytes_wrong");
  symptom.window_bytes = table.bytes("window");
  return table.finish();
}

Result<void> ScenarioReader::read_expectations() {
  const auto* node = table_.table("expect");
  TableReader table{scenario_.name, node, "[expect]"};
  scenario_.allowed = table.list("allowed");
  scenario_.never = table.list("never");
  check_faults(table, "allowed", scenario_.allowed, false);
  check_faults(table, "never", scenario_.never, false);
  for (const auto& point : scenario_.broken.capture.points) {
    auto accepted = table.list(point);
    check_faults(table, point, accepted, true);
    if (accepted.empty() && scenario_.faults.empty()) accepted.emplace_back(kHealthy);
    if (accepted.empty()) {
      table.complain(point, fmt::format("[expect] does not say what is found at {}", point),
                     fmt::format("write {} = [\"{}\"]", point, scenario_.faults.front()));
    }
    scenario_.expected.push_back({.point = point, .accepted = std::move(accepted)});
  }
  return table.finish();
}

Result<void> ScenarioReader::read_unseen() {
  for (const auto* node : table_.tables("unseen")) {
    TableReader table{scenario_.name, node, "[[unseen]]"};
    Unseen unseen{.point = table.required("point"),
                  .fault = table.required("fault"),
                  .why = table.required("why"),
                  .shows_as = table.list("shows_as")};
    check_faults(table, "shows_as", unseen.shows_as, false);
    const auto& points = scenario_.broken.capture.points;
    if (std::ranges::find(points, unseen.point) == points.end()) {
      table.complain("point", fmt::format("nothing is captured at {}", unseen.point));
    }
    if (scenario_.faults.size() < 2 ||
        std::ranges::find(scenario_.faults, unseen.fault) == scenario_.faults.end()) {
      table.complain("fault", fmt::format("{} is not one of several faults", unseen.fault));
    }
    if (const auto read = table.finish(); !read) return read;
    scenario_.unseen.push_back(std::move(unseen));
  }
  return {};
}

Result<void> ScenarioReader::read_fixes() {
  for (const auto* node : table_.tables("fixes")) {
    auto fix = read_fix(*node);
    if (!fix) return std::unexpected(fix.error());
    scenario_.fixes.push_back(std::move(*fix));
  }
  if (!scenario_.fixes.empty() && scenario_.fixes.front().is_wrong) {
    table_.complain("fixes", "the first fix is a wrong one", "put the right one first");
  }
  return {};
}

Result<Fix> ScenarioReader::read_fix(const Node& node) {
  TableReader table{scenario_.name, &node, "[[fixes]]"};
  Fix fix;
  fix.summary = table.required("summary");
  fix.set = table.values("set");
  fix.heal = table.flag("heal");
  fix.rate_ratio = table.ratio("rate_ratio");
  fix.rate_at_least_bps = table.rate_bps("rate_at_least");
  fix.bytes_right = table.flag("bytes_right", true);
  fix.is_wrong = table.flag("wrong");
  for (const auto* command_node : table.tables("commands")) {
    TableReader command{scenario_.name, command_node, "commands"};
    HostCommand read{.host = command.required("host"), .command = command.required("run")};
    if (const auto done = command.finish(); !done) return std::unexpected(done.error());
    if (std::ranges::find(scenario_.broken.hosts, read.host, &HostSpec::name) ==
        scenario_.broken.hosts.end()) {
      table.complain("commands", fmt::format("there is no host {}", read.host));
    }
    fix.commands.push_back(std::move(read));
  }
  for (const auto& [name, value] : fix.set) {
    if (std::ranges::find(scenario_.parameters, name, &Parameter::name) !=
        scenario_.parameters.end()) {
      continue;
    }
    table.complain("set", fmt::format("there is no parameter {}", name));
  }
  if (fix.commands.empty() && fix.set.empty() && !fix.heal) {
    table.complain("summary", fmt::format("the fix \"{}\" does nothing", fix.summary),
                   "give it commands, set or heal = true");
  }
  if (const auto read = table.finish(); !read) return std::unexpected(read.error());
  return fix;
}

void add_field(Node& table, std::string_view key, std::string_view value) {
  Node field;
  field.kind = Node::Kind::value;
  field.text = value;
  table.fields.emplace_back(key, std::move(field));
}

// A path that has a rate keeps it.
void give_path_a_rate(Node& root, std::string_view rate) {
  Node& path = root.make("path", 0);
  if (path.find("rate") != nullptr || path.find("rate_to_server") != nullptr) return;
  add_field(path, "rate", rate);
  add_field(path, "rate_to_server", rate);
  if (path.find("queue") == nullptr) add_field(path, "queue", kPathQueue);
}

}  // namespace

Result<Scenario> read_scenario(std::string_view name, std::string_view toml,
                               const std::map<std::string, std::string>& overrides, Random* draw,
                               std::string_view path_rate) {
  auto root = parse_scenario_tree(name, toml);
  if (!root) return std::unexpected(root.error());
  auto parameters = read_parameters(name, root->find("parameters"), overrides, draw);
  if (!parameters) return std::unexpected(parameters.error());
  if (const auto done = substitute_parameters(name, *parameters, *root); !done) {
    return std::unexpected(done.error());
  }
  if (!path_rate.empty()) give_path_a_rate(*root, path_rate);
  return ScenarioReader{name, *root}.read(std::move(*parameters));
}

}  // namespace slowpath::lab
