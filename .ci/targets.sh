#!/usr/bin/env bash
# Compiles for systems that this machine is not, without linking and without running anything: macOS the whole workspace with its
# tests, Windows the crates below the program.
#
#     .ci/targets.sh [TARGET…]
#
# Without TARGET all below. Needs rustup, which fetches the standard library of each, and Python 3 with a package index for zig,
# which compiles the C parts. What is compiled lies in `target/cross`, about 1.5 GB for each target; a first run takes five minutes
# or so per target for macOS, which is why `.ci/run` does without it.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
tools=$target/cross-tools

[ "$#" -gt 0 ] || set -- aarch64-apple-darwin x86_64-apple-darwin x86_64-pc-windows-gnu
if [ ! -x "$tools/bin/cargo-zigbuild" ]; then
    python3 -m venv "$tools"
    "$tools/bin/python" -m pip install --quiet 'ziglang>=0.15,<0.18' 'cargo-zigbuild>=0.24,<0.25'
fi
# Nothing of it is debugged or built a second time after an edit.
export PATH=$tools/bin:$PATH CARGO_PROFILE_DEV_DEBUG=0 CARGO_INCREMENTAL=0
# aws-lc's assembler for Windows, which is not to be had everywhere: it brings along what that would make.
export AWS_LC_SYS_PREBUILT_NASM=1
for name in "$@"; do
    case $name in
        *-apple-darwin) what=(--workspace --all-targets) ;;
        *-pc-windows-gnu) what=(--workspace --exclude virtpy) ;;
        *)
            echo "error: nothing is known of the target $name: name one of aarch64-apple-darwin, x86_64-apple-darwin," \
                "x86_64-pc-windows-gnu" >&2
            exit 2
            ;;
    esac
    rustup target add "$name"
    cargo-zigbuild check --target "$name" --target-dir "$target/cross" "${what[@]}"
    echo "$name compiles: ${what[*]}"
done
