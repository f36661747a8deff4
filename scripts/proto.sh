#!/usr/bin/env bash
# Generates the Go code of proto/ without a network: the imported .proto files
# come out of the Go module cache, the plugins are built from go.mod's versions.
# With --check it fails when the committed code differs from a new run; with the
# name of a package, such as "gpumarket", it generates that one only.
set -euo pipefail
cd "$(dirname "$0")/.."

mod() { go list -m -f '{{.Dir}}' "$1"; }
if ! command -v protoc >/dev/null; then
  echo "protoc is missing: run 'apt-get install -y protobuf-compiler libprotobuf-dev'" >&2
  exit 1
fi

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
go mod download github.com/cosmos/cosmos-sdk github.com/cosmos/gogoproto github.com/cosmos/cosmos-proto \
  github.com/grpc-ecosystem/grpc-gateway
sdk=$(mod github.com/cosmos/cosmos-sdk)
gogo=$(mod github.com/cosmos/gogoproto)
cosmosproto=$(mod github.com/cosmos/cosmos-proto)
gateway=$(mod github.com/grpc-ecosystem/grpc-gateway)
mkdir -p "$work/gogo/gogoproto" "$work/bin" "$work/out"
cp "$gogo/gogoproto/gogo.proto" "$work/gogo/gogoproto/"

go build -o "$work/bin/" github.com/cosmos/gogoproto/protoc-gen-gocosmos
go build -o "$work/bin/" github.com/grpc-ecosystem/grpc-gateway/protoc-gen-grpc-gateway

# One run per package: the gogo plugin takes the files of one Go package at a time.
packages=(proto/grafi/*/v1)
if [ -n "${1:-}" ] && [ "$1" != --check ]; then
  packages=("proto/grafi/$1/v1")
fi
for dir in "${packages[@]}"; do
  PATH="$work/bin:$PATH" protoc \
    -I proto -I "$sdk/proto" -I "$work/gogo" -I "$cosmosproto/proto" \
    -I "$gateway/third_party/googleapis" -I /usr/include \
    --gocosmos_out="plugins=grpc,Mgoogle/protobuf/any.proto=github.com/cosmos/gogoproto/types/any:$work/out" \
    --grpc-gateway_out="logtostderr=true,allow_colon_final_segments=true:$work/out" \
    "$dir"/*.proto
done

generated="$work/out/github.com/grafilab/grafi"
if [ "${1:-}" = --check ]; then
  status=0
  while read -r f; do
    cmp -s "$generated/$f" "$f" || { echo "stale: $f (run 'make proto')" >&2; status=1; }
  done < <(cd "$generated" && find . -name '*.go' | sed 's|^\./||' | sort)
  while read -r f; do
    [ -f "$generated/$f" ] || { echo "orphan: $f" >&2; status=1; }
  done < <(find x -name '*.pb.go' -o -name '*.pb.gw.go' | sort)
  exit $status
fi
cp -r "$generated/." .
