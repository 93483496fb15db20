#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Story S0 by fetch alone: in the lab a server's NIC damages large frames before their checksums are
# computed. The fetch finds it, and finds nothing in the same network without the damage.
set -euo pipefail
# shellcheck source=tests/lab/can_run.sh
source "$SLOWPATH_SOURCE_DIR/tests/lab/can_run.sh"
command -v nsenter >/dev/null || skip "needs nsenter"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
head -c 30000000 /dev/urandom >"$folder/file.bin"

# Runs inside the client; SERVER is the server's namespace.
cat >"$folder/inside.sh" <<'INSIDE'
#!/usr/bin/env bash
nsenter --net="$SERVER" python3 -m http.server -d "$FOLDER" 8080 >/dev/null 2>&1 &
server=$!
for _ in $(seq 600); do
  (: </dev/tcp/10.1.0.1/8080) 2>/dev/null && break
  sleep 0.1
done
"$SLOWPATH_PROGRAM" fetch --json -n 4 --capture "$FOLDER/$NAME.pcapng" http://10.1.0.1:8080/file.bin \
  >"$FOLDER/$NAME.json" 2>"$FOLDER/$NAME.txt"
kill "$server"
INSIDE
chmod +x "$folder/inside.sh"

# fetch_in NAME SETTING: what fetch says in the story's network with this setting.
fetch_in() {
  FOLDER=$folder NAME=$1 SHELL=$folder/inside.sh timeout 300 "$SLOWPATH_PROGRAM" lab shell S0 --set "$2" >"$folder/lab.txt" 2>&1 ||
    { cat "$folder/lab.txt"; exit 1; }
  [[ -s $folder/$1.json ]] || { cat "$folder/lab.txt" "$folder/$1.txt"; exit 1; }
}

fetch_in broken damaged=5%
fetch_in sound damaged=0%
python3 - "$folder" <<'CHECK'
import json
import sys

broken, sound = (json.load(open(f"{sys.argv[1]}/{name}.json", encoding="utf-8")) for name in ("broken", "sound"))
assert broken["verdict"] == "payload-altered-csum-good", broken["summary"]
assert broken["pattern"]["kind"] == "bit flips", broken["pattern"]
assert broken["packets"] and all(p["carries"] == "wrong" for p in broken["packets"]), broken["packets"]
assert (sound["outcome"], sound["verdict"]) == ("consistent", "healthy"), sound["summary"]
print(f"found {len(broken['differences'])} damaged places; nothing in {sound['blocks_compared']} blocks without the damage")
CHECK
