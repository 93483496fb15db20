// SPDX-License-Identifier: Apache-2.0
#include "lab/scenario_merge.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "lab/table_reader.h"

namespace slowpath::lab {
namespace {

void replace_fields(Node& base, const Node& over) {
  for (const auto& [key, value] : over.fields) base.make(key, value.line) = value;
}

/// A host's tables are joined and its commands run after those of the healthy world; the rest is
/// replaced.
void merge_host(Node& host, const Node& over) {
  for (const auto& [key, value] : over.fields) {
    auto* const before = host.find(key);
    if (key == "sysctl" && before != nullptr && before->is_table()) {
      replace_fields(*before, value);
    } else if (key == "run" && before != nullptr && before->is_array() && value.is_array()) {
      before->items.insert(before->items.end(), value.items.begin(), value.items.end());
    } else {
      host.make(key, value.line) = value;
    }
  }
}

class FaultMerge {
 public:
  FaultMerge(std::string_view scenario, const Node& root)
      : scenario_(scenario),
        merged_(without_fault(root)),
        fault_(scenario, root.find("fault"), "[fault]") {}

  Result<Node> merge() {
    if (const auto* path = fault_.table("path")) {
      replace_fields(merged_.make("path", path->line), *path);
    }
    if (const auto* hosts = fault_.table("hosts")) {
      auto& base = merged_.make("hosts", hosts->line);
      for (const auto& [name, host] : hosts->fields) merge_host(base.make(name, host.line), host);
    }
    remove_stages();
    change_transfers();
    add_transfers();
    const auto stages = fault_.tables("stages");
    if (const auto read = fault_.finish(); !read) return std::unexpected(read.error());
    if (!stages.empty()) {
      Node array{.kind = Node::Kind::array};
      for (const auto* stage : stages) array.items.push_back(*stage);
      merged_.make("fault", 0).make("stages", 0) = std::move(array);
    }
    return std::move(merged_);
  }

 private:
  void remove_stages() {
    for (const auto& kind : fault_.list("without")) {
      auto* const stages = merged_.find("stages");
      const auto is_meant = [&](const Node& stage) {
        const auto* of_stage = stage.find("kind");
        return of_stage != nullptr && of_stage->text == kind;
      };
      if (stages == nullptr || std::erase_if(stages->items, is_meant) == 0) {
        fault_.complain("without", fmt::format("the healthy world has no stage {}", kind));
      }
    }
  }

  void change_transfers() {
    const auto* changes = fault_.table("transfers");
    if (changes == nullptr) return;
    auto& transfers = merged_.make("transfers", 0);
    for (const auto& [name, change] : changes->fields) {
      const auto found = std::ranges::find_if(transfers.items, [&](const Node& transfer) {
        const auto* of_transfer = transfer.find("name");
        return of_transfer != nullptr && of_transfer->text == name;
      });
      if (found == transfers.items.end()) {
        fault_.complain("transfers", fmt::format("there is no transfer {} to change", name),
                        "add a further one by [[fault.more_transfers]]");
        return;
      }
      replace_fields(*found, change);
    }
  }

  void add_transfers() {
    for (const auto* transfer : fault_.tables("more_transfers")) {
      auto& transfers = merged_.make("transfers", transfer->line);
      transfers.kind = Node::Kind::array;
      transfers.items.push_back(*transfer);
    }
  }

  std::string_view scenario_;
  Node merged_;
  TableReader fault_;
};

}  // namespace

Node without_fault(const Node& root) {
  Node copy = root;
  std::erase_if(copy.fields, [](const auto& field) { return field.first == "fault"; });
  return copy;
}

Result<Node> merge_fault(std::string_view scenario, const Node& root) {
  return FaultMerge{scenario, root}.merge();
}

}  // namespace slowpath::lab
