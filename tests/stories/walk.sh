#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One story end to end, where networks can be made: walk.sh STORY.
set -euo pipefail
here=$(dirname "$0")
# shellcheck source=tests/lab/can_run.sh
. "$here/../lab/can_run.sh"
exec python3 "$here/walk.py" "$@"
