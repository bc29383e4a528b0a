#!/bin/sh
# Runs built targets at the lowest priority, one after the other: fuzz/run.sh SECONDS TARGET...
# New inputs go to fuzz/runs/TARGET, the log to fuzz/runs/TARGET.log; the committed corpus is only read. Ends with 1 if one
# failed.
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
host=$(rustc -vV | sed -n 's/^host: //p')
programs=${CARGO_TARGET_DIR:-target}/$host/release
failed=0
scratch=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for target; do
    mkdir -p "runs/$target" "artifacts/$target"
    case $target in zip | tar) dict=$target limit=16384 ;; *) dict=text limit=4096 ;; esac
    date -u +"%F %T start" >>"runs/$target.log"
    TMPDIR=$scratch nice -n 19 "$programs/$target" "runs/$target" "corpus/$target" \
        -max_total_time="$seconds" -max_len=$limit -dict="dict/$dict.dict" -use_value_profile=1 -timeout=20 \
        -rss_limit_mb=2048 -artifact_prefix="artifacts/$target/" -print_final_stats=1 >>"runs/$target.log" 2>&1 ||
        { echo "$target: see runs/$target.log" >&2; tail -n 20 "runs/$target.log" >&2; failed=1; }
done
exit "$failed"
