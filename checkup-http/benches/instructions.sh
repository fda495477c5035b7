#!/bin/sh
# Holds a plain HTTP check through the whole engine to 1.5 times the instructions of a bare hyper exchange, and
# 10,000 of them to 30 MB of resident memory. Needs valgrind. Counts are exact to about a percent, whatever the machine.
set -eu
cd "$(dirname "$0")/.."

program=$(cargo bench -p checkup-http --bench instructions --no-run --message-format=json |
    sed -n 's/.*"executable":"\([^"]*instructions-[^"]*\)".*/\1/p' | tail -n 1)
[ -n "$program" ] || { echo "the bench was not built" >&2; exit 1; }

count() {
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" "$1" "$2" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

checks=$((($(count checks 1000) - $(count checks 0)) / 1000))
hyper=$((($(count hyper 1000) - $(count hyper 0)) / 1000))
ratio=$((checks * 100 / hyper))
memory=$("$program" rss 10000)
echo "a check: $checks instructions; a bare exchange: $hyper; ratio: $((ratio / 100)).$(printf %02d $((ratio % 100))), at most 1.50"
echo "10,000 checks: $memory kB of resident memory, at most 30000"
[ "$ratio" -le 150 ] && [ "$memory" -le 30000 ]
