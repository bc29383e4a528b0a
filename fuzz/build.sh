#!/bin/sh
# Builds every target with the coverage that libFuzzer steers by, with the stable compiler and without cargo-fuzz:
# fuzz/build.sh. Needs a C++ compiler, for libFuzzer. The programs are in TARGET_DIR/HOST/release.
set -eu
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage="$coverage -Cllvm-args=-sanitizer-coverage-trace-compares"
# With --target, the flags are not for build scripts.
RUSTFLAGS="--cfg fuzzing $coverage -Ccodegen-units=1" cargo build --release --bins --target "$host"
