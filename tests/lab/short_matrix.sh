#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scenarios with ci = true, for a fixed seed: nine in ten verdicts accepted, and no fault named in a healthy
# world. docs/accuracy.md says what the whole matrix reaches; here a busy machine must not fail the build.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$(dirname "${BASH_SOURCE[0]}")/can_run.sh"
exec "$SLOWPATH_PROGRAM" lab matrix --ci --seed 1 --need 0.9 --time-limit 8m
