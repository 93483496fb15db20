// SPDX-License-Identifier: Apache-2.0
#include "fix/rss_knob.h"

#include <linux/ethtool.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

#include "fix/refusal.h"

namespace slowpath::fix {
namespace {

using Table = std::vector<std::uint32_t>;

// Drivers have 2 to 4096; what is told is not trusted with memory.
constexpr std::uint32_t kMostBuckets = 1U << 16;
constexpr std::string_view kForms =
    "it can be default, [start N] equal N, or [start N] weight N...";

std::unexpected<Error> refused(const std::string& attempt, int code) {
  return refused_by_kernel(
      ErrorKind::environment, attempt, code,
      code == EOPNOTSUPP ? "the driver has no table of RSS, or keeps it to itself" : "");
}

template <typename Number>
std::optional<Number> number_of(std::string_view word) {
  Number number{};
  const auto [end, code] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (code != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return number;
}

/// Bucket i to queue `start` + i modulo `queues`.
Table spread(std::size_t buckets, std::uint32_t start, std::uint32_t queues) {
  Table table(buckets);
  for (std::size_t i = 0; i < buckets; ++i)
    table[i] = start + static_cast<std::uint32_t>(i % queues);
  return table;
}

/// As ethtool(8) parts the buckets by weights: each queue's share ends where the sum of the weights
/// so far does (fill_indir_table() of ethtool.c).
std::optional<Table> weighed(std::size_t buckets, std::uint32_t start,
                             std::span<const std::uint32_t> weights) {
  const std::uint64_t sum = std::accumulate(weights.begin(), weights.end(), std::uint64_t{0});
  if (sum == 0 || sum > buckets) return std::nullopt;
  Table table(buckets);
  std::uint64_t so_far = weights[0];
  std::uint32_t queue = 0;
  for (std::size_t i = 0; i < buckets; ++i) {
    while (i >= buckets * so_far / sum && queue + 1 < weights.size()) so_far += weights[++queue];
    table[i] = start + queue;
  }
  return table;
}

std::string runs_of(std::span<const std::uint32_t> table) {
  std::string text;
  for (std::size_t i = 0; i < table.size();) {
    std::size_t end = i + 1;
    while (end < table.size() && table[end] == table[i]) ++end;
    text += fmt::format(" {}*{}", table[i], end - i);
    i = end;
  }
  return text;
}

std::optional<Table> table_of_runs(std::span<const std::string> runs, std::uint32_t buckets) {
  Table table;
  for (const std::string& run : runs) {
    const std::size_t star = std::min(run.find('*'), run.size());
    const auto queue = number_of<std::uint32_t>(std::string_view(run).substr(0, star));
    const auto length = star == run.size()
                            ? std::nullopt
                            : number_of<std::uint32_t>(std::string_view(run).substr(star + 1));
    if (!queue || !length || *length > buckets - table.size()) return std::nullopt;
    table.insert(table.end(), *length, *queue);
  }
  return table.size() == buckets ? std::optional(std::move(table)) : std::nullopt;
}

/// The words of `ethtool -X`, in any order of start and the rest.
struct Wish {
  std::uint32_t start = 0, equal = 0;
  std::vector<std::uint32_t> weights;
  bool is_default = false;
};
std::optional<Wish> wish_of(std::span<const std::string> words) {
  Wish wish;
  for (std::size_t at = 0; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word == "default") {
      wish.is_default = true;
      continue;
    }
    if (word != "start" && word != "equal" && word != "weight") return std::nullopt;
    std::optional<std::uint32_t> number;
    while (at + 1 < words.size() && (number = number_of<std::uint32_t>(words[at + 1]))) {
      ++at;
      if (word == "weight") wish.weights.push_back(*number);
      if (word == "weight") continue;
      (word == "start" ? wish.start : wish.equal) = *number;
      break;
    }
    if (!number && (word != "weight" || wish.weights.empty())) return std::nullopt;
  }
  const int said =
      (wish.is_default ? 1 : 0) + (wish.equal > 0 ? 1 : 0) + (wish.weights.empty() ? 0 : 1);
  if (said != 1 || (wish.is_default && wish.start > 0)) return std::nullopt;
  return wish;
}

/// ethtool's structure with its array behind it.
struct Buckets {
  explicit Buckets(std::uint32_t command, std::uint32_t count)
      : memory(sizeof(ethtool_rxfh_indir) / sizeof(std::uint32_t) + count) {
    head() = {.cmd = command, .size = count};
  }
  [[nodiscard]] ethtool_rxfh_indir& head() {
    return *reinterpret_cast<ethtool_rxfh_indir*>(memory.data());
  }
  [[nodiscard]] std::span<std::uint32_t> table() {
    return std::span(memory).subspan(sizeof(ethtool_rxfh_indir) / sizeof(std::uint32_t));
  }
  std::vector<std::uint32_t> memory;
};

Result<Table> read_table(const AskEthtool& ask, const std::string& attempt) {
  // A table of no buckets asks how many there are.
  Buckets sized(ETHTOOL_GRXFHINDIR, 0);
  if (const int code = ask(&sized.head()); code != 0) return refused(attempt, code);
  const std::uint32_t count = sized.head().size;
  if (count == 0 || count > kMostBuckets) return refused(attempt, EOPNOTSUPP);
  Buckets told(ETHTOOL_GRXFHINDIR, count);
  if (const int code = ask(&told.head()); code != 0) return refused(attempt, code);
  const std::span<std::uint32_t> table = told.table();
  return Table(table.begin(), table.end());
}

Result<std::uint32_t> read_queues(const AskEthtool& ask, const std::string& attempt) {
  ethtool_rxnfc rings{};
  rings.cmd = ETHTOOL_GRXRINGS;
  if (const int code = ask(&rings); code != 0) return refused(attempt, code);
  return static_cast<std::uint32_t>(rings.data);
}

/// No table at all stands for the default.
int set_table(const AskEthtool& ask, std::span<const std::uint32_t> table) {
  Buckets wanted(ETHTOOL_SRXFHINDIR, static_cast<std::uint32_t>(table.size()));
  std::ranges::copy(table, wanted.table().begin());
  return ask(&wanted.head());
}

}  // namespace

std::string rss_value_of(std::span<const std::uint32_t> table) {
  if (table.empty()) return "0 buckets";
  const std::uint32_t start = table.front();
  const std::uint32_t most = *std::ranges::max_element(table);
  const std::string size = fmt::format("{} buckets", table.size());
  if (most < start || !std::ranges::equal(table, spread(table.size(), start, most - start + 1)))
    return size + " list" + runs_of(table);
  if (start == 0) return fmt::format("{} equal {}", size, most + 1);
  return fmt::format("{} start {} equal {}", size, start, most - start + 1);
}

std::optional<std::vector<std::uint32_t>> parse_rss_value(std::string_view value) {
  const std::vector<std::string> words = words_of(value);
  if (words.size() < 4 || words[1] != "buckets") return std::nullopt;
  const auto buckets = number_of<std::uint32_t>(words[0]);
  if (!buckets || *buckets == 0 || *buckets > kMostBuckets) return std::nullopt;
  const std::span<const std::string> rest = std::span(words).subspan(2);
  if (rest[0] == "list") return table_of_runs(rest.subspan(1), *buckets);
  const std::optional<Wish> wish = wish_of(rest);
  if (!wish || wish->equal == 0) return std::nullopt;
  return spread(*buckets, wish->start, wish->equal);
}

bool is_rss_wish(std::span<const std::string> words) {
  // The catalogue's N is a number that somebody still has to say.
  std::vector<std::string> said(words.begin(), words.end());
  std::ranges::replace(said, "N", "1");
  return wish_of(said).has_value();
}

Result<std::string> rss_value_of_words(const std::string& interface,
                                       std::span<const std::string> words, Kernel& kernel) {
  const std::string attempt = fmt::format("cannot set the table of RSS of {}", interface);
  const std::optional<Wish> wish = wish_of(words);
  if (!wish)
    return fail(ErrorKind::usage, attempt, "ethtool -X has other words than are known here",
                std::string(kForms));
  const Result<std::string> now = kernel.read({KnobKind::rss, interface, std::string(kRssTable)});
  if (!now) return std::unexpected(now.error());
  const std::size_t buckets = parse_rss_value(*now).value_or(Table{}).size();
  if (wish->is_default) {
    const Result<std::string> told =
        kernel.read({KnobKind::rss, interface, std::string(kRssQueues)});
    if (!told) return std::unexpected(told.error());
    const std::uint32_t queues = number_of<std::uint32_t>(*told).value_or(0);
    if (queues == 0) return refused(attempt, EOPNOTSUPP);
    return rss_value_of(spread(buckets, 0, queues));
  }
  if (wish->equal > 0) return rss_value_of(spread(buckets, wish->start, wish->equal));
  const std::optional<Table> table = weighed(buckets, wish->start, wish->weights);
  if (!table)
    return fail(
        ErrorKind::usage, attempt,
        fmt::format("the weights together are to be 1 to {}, the buckets of the table", buckets));
  return rss_value_of(*table);
}

std::string rss_command(std::string_view interface, std::string_view value) {
  const std::size_t words = value.find("buckets ");
  if (words == std::string_view::npos || value.contains(" list")) return {};
  return fmt::format("ethtool -X {} {}", interface, value.substr(words + 8));
}

Result<std::string> read_rss(const Knob& knob, const AskEthtool& ask) {
  const std::string attempt = "cannot read " + to_string(knob);
  if (knob.item == kRssQueues) {
    const Result<std::uint32_t> queues = read_queues(ask, attempt);
    if (!queues) return std::unexpected(queues.error());
    return std::to_string(*queues);
  }
  const Result<Table> table = read_table(ask, attempt);
  if (!table) return std::unexpected(table.error());
  return rss_value_of(*table);
}

Result<void> write_rss(const Knob& knob, const std::string& value, const AskEthtool& ask) {
  const std::string attempt = fmt::format("cannot set {} to '{}'", to_string(knob), value);
  const std::optional<Table> wanted = parse_rss_value(value);
  if (!wanted || knob.item != kRssTable)
    return fail(ErrorKind::usage, attempt, "it is no table of RSS",
                "write 'N buckets equal QUEUES', or ethtool -X as in ethtool(8)");
  const Result<Table> now = read_table(ask, attempt);
  if (!now) return std::unexpected(now.error());
  if (now->size() != wanted->size())
    return fail(ErrorKind::usage, attempt, fmt::format("the table has {} buckets", now->size()));
  const Result<std::uint32_t> queues = read_queues(ask, attempt);
  if (!queues) return std::unexpected(queues.error());
  if (*std::ranges::max_element(*wanted) >= *queues)
    return fail(ErrorKind::usage, attempt,
                fmt::format("there {} {} receive {}, counted from 0", *queues == 1 ? "is" : "are",
                            *queues, *queues == 1 ? "queue" : "queues"),
                fmt::format("'ethtool -L {} combined N' makes more", knob.interface));
  if (*wanted == spread(wanted->size(), 0, *queues) && set_table(ask, {}) == 0) {
    const Result<Table> made = read_table(ask, attempt);
    if (made && *made == *wanted) return {};
  }
  if (const int code = set_table(ask, *wanted); code != 0) return refused(attempt, code);
  return {};
}

}  // namespace slowpath::fix
