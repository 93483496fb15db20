#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scenarios with ci = true, for a fixed seed: at least 97 % of the verdicts accepted, and no fault
# named in a healthy world.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$(dirname "${BASH_SOURCE[0]}")/can_run.sh"
exec "$SLOWPATH_PROGRAM" lab matrix --ci --seed 1 --time-limit 8m
