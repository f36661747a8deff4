#!/usr/bin/env bash
# Installs the Debian packages that the build needs and that are missing.
set -euo pipefail

command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or newer first" >&2; exit 1; }
missing=()
command -v gcc >/dev/null || missing+=(gcc)
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "missing packages; as root, run: apt-get install -y ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq "${missing[@]}"
