// SPDX-License-Identifier: Apache-2.0
#include "facts/figures.h"

namespace slowpath {

Figures::Figures() = default;
Figures::Figures(const Figures& other) = default;
Figures::Figures(Figures&& other) noexcept = default;
Figures& Figures::operator=(const Figures& other) = default;
Figures& Figures::operator=(Figures&& other) noexcept = default;
Figures::~Figures() = default;

Figures::Figures(std::initializer_list<std::pair<std::string_view, double>> figures) {
  figures_.reserve(figures.size());
  for (const auto& [name, value] : figures) add(name, value);
}

void Figures::add(std::string_view name, double value) { figures_.emplace_back(name, value); }

void Figures::add(const Figures& others) {
  figures_.insert(figures_.end(), others.figures_.begin(), others.figures_.end());
}

}  // namespace slowpath
