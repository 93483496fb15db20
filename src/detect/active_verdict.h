// SPDX-License-Identifier: Apache-2.0
// The verdict of an active test, which has no case to weigh findings by: the worst one speaks.
#pragma once

#include <string>

#include "facts/finding.h"

namespace slowpath::detect {

/// A first letter that is upper case, where it is a letter of ASCII.
std::string capitalised(std::string text);

/// What was proved is the verdict.
void tell_fault(const Finding& worst, Diagnosis& diagnosis);
/// What was not proved makes it `unclear`, with what to look at next.
void tell_suspect(const Finding& worst, Diagnosis& diagnosis);

/// Nothing measured says more than `summary`.
void tell_unclear(std::string summary, Diagnosis& diagnosis);

/// Tells the first of the findings where it is a fault or a suspect; whether it is.
bool tell_worst(Diagnosis& diagnosis);

}  // namespace slowpath::detect
