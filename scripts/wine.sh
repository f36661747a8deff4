#!/usr/bin/env bash
# Runs a Windows program under wine:  scripts/wine.sh [PROGRAM [ARGUMENT]...]
# Without a program it only prepares the wine folder, $WINEPREFIX, which takes half a
# minute once. scripts/wine.sh --stop ends the server that stays up for it.
set -euo pipefail

: "${WINEPREFIX:?name the wine folder, for example a new temporary one}"
export WINEPREFIX WINEARCH=win64 WINEDEBUG=${WINEDEBUG:--all} WINEDLLOVERRIDES="mscoree,mshtml="
root=$(cd "$(dirname "$0")/.." && pwd)
wine=$(command -v wine64 || echo /usr/lib/wine/wine64) # Debian keeps it off PATH
server=$(command -v wineserver64 || echo /usr/lib/wine/wineserver64)
cc=$(command -v x86_64-w64-mingw32-gcc || true)
[ -x "$wine" ] && [ -n "$cc" ] || { echo "needs the packages wine64 and gcc-mingw-w64-x86-64-win32 (GRAFI_WINE=1 make setup)" >&2; exit 2; }

if [ "${1:-}" = --stop ]; then
  exec "$server" -k
fi
mkdir -p "$WINEPREFIX"
"$server" -p >/dev/null 2>&1 </dev/null || true # stays: its start and stop cost seconds a program
exec 9>"$WINEPREFIX/.grafi-lock"
flock 9
if [ ! -e "$WINEPREFIX/.grafi-ready" ]; then
  "$wine" wineboot -i >/dev/null 2>&1 9>&-
  # Go's runtime looks for this DLL in the system folder and nowhere else.
  "$cc" -shared -O1 -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" \
    "$root/agent/gpu/testdata/wine/bcryptprimitives.c" -ladvapi32
  touch "$WINEPREFIX/.grafi-ready"
fi
exec 9>&-
[ $# -eq 0 ] || exec "$wine" "$@"
