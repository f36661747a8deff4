#!/bin/sh
# Compiles the proof-of-compute kernels to PTX with clang 16 (Debian: clang-16);
# no CUDA SDK is needed. With --check it compares the committed PTX instead, and
# skips where that clang is not installed. Where NVIDIA's ptxas is installed the PTX
# is also assembled for the architectures that it knows of ours.
set -eu
cd "$(dirname "$0")/../agent/prove/kernel"

clang=${CLANG:-clang-16}
if ! command -v "$clang" >/dev/null 2>&1; then
  echo "kernel.sh: $clang is not installed" >&2
  if [ "${1-}" = --check ]; then exit 0; fi
  exit 1
fi

compile() {
  "$clang" -x cuda --cuda-device-only --cuda-gpu-arch=sm_80 -nocudainc -nocudalib \
    -Xclang -target-feature -Xclang +ptx70 -O3 -S -o "$1" prove.cu
}

if [ "${1-}" = --check ]; then
  fresh=$(mktemp)
  trap 'rm -f "$fresh"' EXIT
  compile "$fresh"
  cmp prove.ptx "$fresh" || { echo "kernel.sh: prove.ptx is stale, run ./scripts/kernel.sh" >&2; exit 1; }
else
  compile prove.ptx
fi

ptxas=${PTXAS:-ptxas}
if command -v "$ptxas" >/dev/null 2>&1; then
  for arch in sm_80 sm_86 sm_89 sm_90; do
    # A spilled register would cost the product a third of its speed.
    "$ptxas" -arch="$arch" -v -o /dev/null prove.ptx 2>&1 | awk -v arch="$arch" '
      /error|fatal/ { print; bad = 1 }
      /spill stores/ { if ($5 + 0 > 0) { print "kernel.sh: " arch " spills registers: " $0; bad = 1 } }
      END { exit bad }' >&2
  done
fi
