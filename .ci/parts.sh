# Sourced by run and nightly: runs the parts of a check, one after the other or in lanes, and counts
# what they say of themselves.

logs=$(mktemp -d)
mkdir "$logs/parts"
: > "$logs/counts" # a line for each part that has run, of whatever lane
trap 'rm -rf "$logs"' EXIT
part_seconds=${CI_PART_SECONDS:-1500}
lane=
lanes=()

note() { printf '\n== %s (after %d s)\n' "$*" "$SECONDS"; }

# run_into <file> <command...>: what it prints is in the file, and is shown while it comes, but in a
# lane. No pipe leads there: a program that outlives the command would hold the pipe open. The CPU
# time is that of a shell which has no other children.
run_into() {
  local log=$1
  shift
  : > "$log"
  (
    timeout --kill-after=30 "$part_seconds" "$@" < /dev/null
    status=$?
    times > "$logs/times-$BASHPID"
    exit "$status"
  ) > "$log" 2>&1 3>&- &
  ran_as=$!
  [ -n "$lane" ] || tail -s 0.2 -f -n +1 --pid="$ran_as" "$log"
  wait "$ran_as"
}

# cpu_seconds: of the command that run_into ran last.
cpu_seconds() {
  awk -F '[ms ]+' 'NR == 2 { printf "%d", $1 * 60 + $2 + $3 * 60 + $4 }' "$logs/times-$ran_as"
}

# part <name> <command...>: adds the counts that its output ends with, or that
# its TAP holds. A part without counts is one check.
part() {
  local name=$1 log status p f cpu_s said started=$SECONDS
  shift
  log="$logs/parts/$name"
  note "$name: $*"
  run_into "$log" "$@"
  status=$?
  cpu_s=$(cpu_seconds)
  [ -z "$lane" ] || cat "$log"
  read -r p f < <(node scripts/tap-count.mjs --exit-code "$status" ${checks:+--one-check} "$log")
  echo "$p $f $cpu_s $name" >> "$logs/counts"
  said="$name: $p passed, $f failed (exit code $status; $((SECONDS - started)) s, $cpu_s s of CPU)"
  note "$said"
  # At once, too: what the lane says otherwise is shown when it is done.
  [ -z "$lane" ] || note "in lane $lane, $said" >&3
}

# lane <name> <function>: the parts in it run beside what follows. They must not build, write or
# empty what those of another lane read.
lane() {
  note "lane $1 begins"
  (
    lane=$1
    "$2"
  ) 3>&1 > "$logs/lane-$1" 2>&1 &
  lanes+=("$1:$!")
}

# join_lanes: waits for all lanes, and shows what each printed, whole.
join_lanes() {
  local each name
  for each in "${lanes[@]}"; do
    name=${each%:*}
    wait "${each#*:}"
    note "lane $name is done; what it printed"
    cat "$logs/lane-$name"
  done
  lanes=()
}

# total <parts>: the failures once more, by part, for a reader who has the end of the log alone;
# the last line, and the exit code.
total() {
  local passed failed cpu_s ran
  read -r passed failed cpu_s ran < <(
    awk '{ p += $1; f += $2; s += $3 } END { print p + 0, f + 0, s + 0, NR }' "$logs/counts"
  )
  note "total, $cpu_s s of CPU"
  [ "$failed" -eq 0 ] || (cd "$logs/parts" && grep -E '^[ |]*not ok ' -- * | head -60)
  [ "$ran" -eq "$1" ] || echo "$ran of $1 parts have run"
  echo "$passed passed, $failed failed"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$ran" -eq "$1" ]
}
