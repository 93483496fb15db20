// SPDX-License-Identifier: Apache-2.0
// The figures of an item of proof.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace slowpath {

/// Figures named with their unit, in the order in which they were said: {"superframes", 127},
/// {"rtt_min_us", 130}. Names are copied. Hundreds of files write such lists: what a list costs to
/// make, to copy and to destroy is compiled once, in figures.cc.
class Figures {
 public:
  using Figure = std::pair<std::string, double>;

  Figures();
  Figures(std::initializer_list<std::pair<std::string_view, double>> figures);
  Figures(const Figures& other);
  Figures(Figures&& other) noexcept;
  Figures& operator=(const Figures& other);
  Figures& operator=(Figures&& other) noexcept;
  ~Figures();

  void add(std::string_view name, double value);
  void add(const Figures& others);

  [[nodiscard]] std::size_t size() const { return figures_.size(); }
  [[nodiscard]] const Figure& operator[](std::size_t i) const { return figures_[i]; }
  [[nodiscard]] const Figure* begin() const { return figures_.data(); }
  [[nodiscard]] const Figure* end() const { return begin() + size(); }

 private:
  std::vector<Figure> figures_;
};

}  // namespace slowpath
