#!/usr/bin/env bash
# Builds the programs of a release into dist/, with SHA256SUMS and a bill of materials.
#
#   scripts/release.sh            build everything
#   scripts/release.sh --check    build grafi-agent twice, from two folders with two empty
#                                 build caches, and compare
#
# VERSION names the release (git describe when it is not set). Nothing of the machine is
# in the programs: no paths, no time, no C compiler. So anybody can build them again and
# compare the checksums.
set -euo pipefail
cd "$(dirname "$0")/.."

version=${VERSION:-$(git describe --tags --always --dirty)}
commit=$(git rev-parse HEAD)
epoch=$(git show -s --format=%ct HEAD)
package=github.com/cosmos/cosmos-sdk/version

# What is built where. grafi-executor and grafi-demo run containers of Linux.
targets=(
  linux/amd64:grafid,grafi-agent,grafi-executor,grafi-demo
  linux/arm64:grafid,grafi-agent,grafi-executor,grafi-demo
  windows/amd64:grafid,grafi-agent
)

# build OS/ARCH PROGRAM FILE
build() {
  local os=${1%/*} arch=${1#*/} ldflags
  ldflags="-s -w -buildid= -X $package.Name=grafi -X $package.AppName=$2 -X $package.Version=$version -X $package.Commit=$commit"
  CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOFLAGS= GOAMD64=v1 GOARM64=v8.0 GOTOOLCHAIN=local \
    go build -trimpath -buildvcs=false -ldflags "$ldflags" -o "$3" "./cmd/$2"
}

if [ "${1:-}" = --check ]; then
  work=$(mktemp -d)
  trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
  for n in one two/deeper; do
    mkdir -p "$work/$n"
    git archive HEAD | tar -x -C "$work/$n"
    (cd "$work/$n" && GOCACHE="$work/cache-${n%%/*}" build linux/amd64 grafi-agent "$work/agent-${n%%/*}")
  done
  sha256sum "$work"/agent-*
  cmp "$work/agent-one" "$work/agent-two"
  if strings -a "$work/agent-one" | grep -qF "$work"; then
    echo "the program names the folder it was built in" >&2
    exit 1
  fi
  echo "grafi-agent: two builds, one program"
  exit 0
fi

dist=dist/$version
rm -rf "$dist"
mkdir -p "$dist"
for target in "${targets[@]}"; do
  platform=${target%%:*}
  IFS=, read -ra programs <<<"${target#*:}"
  for program in "${programs[@]}"; do
    suffix=
    [ "${platform%/*}" != windows ] || suffix=.exe
    file=$dist/${program}_${platform%/*}_${platform#*/}$suffix
    echo "$file"
    build "$platform" "$program" "$file"
  done
done
go run ./cmd/grafi-sbom -o "$dist/grafi.cdx.json" -version "$version" -time "$epoch" "$dist"/grafi*_*
cp deploy/systemd/grafi-agent.service deploy/systemd/grafi-executor.service "$dist/"
(cd "$dist" && sha256sum -- * >SHA256SUMS)
cat "$dist/SHA256SUMS"
