#!/usr/bin/env bash
# Runs every fuzz target for FUZZTIME, as many at once as there are cores, and notes in a
# list which ones have passed: a run that was ended goes on where it was. The list is of
# one commit; with another, or with another FUZZTIME, it begins anew. What crashes is kept
# by go in testdata/fuzz of its package, and the run ends with 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export FUZZTIME=${FUZZTIME:-1h} CGO_ENABLED=0
export list=.fuzz-release GO=${GO:-go}
head="commit $(git rev-parse HEAD) $FUZZTIME"
if [ "$(head -n 1 "$list" 2>/dev/null)" != "$head" ]; then echo "$head" >"$list"; fi

one() {
	package=$1 target=$2 log=$(mktemp)
	if "$GO" test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" -parallel 1 -timeout 0 "$package" >"$log" 2>&1 </dev/null; then
		echo "passed $package $target" | tee -a "$list"
	else
		echo "FAILED $package $target"
		cat "$log"
		failed=1
	fi
	rm -f "$log"
	return "${failed:-0}"
}
export -f one

grep -rlE '^func Fuzz' --include='*_test.go' client cmd internal | sort | while read -r file; do
	grep -oE '^func Fuzz[A-Za-z0-9_]*' "$file" | sed "s|^func |./$(dirname "$file") |"
done | { grep -vxFf <(sed -n 's/^passed //p' "$list") || true; } |
	xargs -r -P "$(nproc)" -L 1 bash -c 'one "$1" "$2"' one
echo "every fuzz target has passed $FUZZTIME"
