# Sourced by run and nightly: counts what the parts of a check say of themselves.

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
passed=0 failed=0 ran=0

note() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

# part <name> <command...>: adds the counts that its output ends with, or that
# its TAP holds. A part without counts is one check.
part() {
  local name=$1 log status counts
  shift
  log="$logs/$name"
  note "$name: $*"
  timeout --kill-after=30 1500 "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  read -r p f < <(node scripts/tap-count.mjs --exit-code "$status" ${checks:+--one-check} "$log")
  passed=$((passed + p)) failed=$((failed + f)) ran=$((ran + 1))
  note "$name: $p passed, $f failed (exit code $status)"
}

# total <parts>: the failures once more, by part, for a reader who has the end of the log alone;
# the last line, and the exit code.
total() {
  note total
  [ "$failed" -eq 0 ] || (cd "$logs" && grep -E '^[ |]*not ok ' -- * | head -60)
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$ran" -eq "$1" ]
}
