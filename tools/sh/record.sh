#!/bin/sh
# record.sh [oldest] [newest]: records the bundled sessions anew, the scenario of `./zaffre bench clients` with the oldest and the newest
# azure-ai-ml, against the program of the last build. Read what it wrote before you commit it.
set -eu
home=$(cd "$(dirname "$0")/../.." && pwd -P)
zaffre=$home/artifacts/zaffre/current/zaffre
[ -x "$zaffre" ] || { echo "record.sh: build the program first: ./zaffre status" >&2; exit 1; }
work=$(mktemp -d)
# The jobs' user, who is not the server's, crosses this folder.
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
cd "$work"

session() {
    name=azure-ai-ml-$1
    shift
    "$zaffre" up --detach --port 0 --data "$work/$name" --record "$work/$name-recording" >/dev/null
    status=0
    "$zaffre" exec --data "$work/$name" -- "$@" "$home/benchmarks/Clients/scenario.py" recorded || status=$?
    "$zaffre" down --data "$work/$name" >/dev/null
    [ "$status" = 0 ] || exit "$status"
    cat "$work/$name-recording"/*.jsonl >"$home/tests/Clients/Recording/recordings/$name.jsonl"
}

[ $# -gt 0 ] || set -- oldest newest
for which; do
    case $which in
        oldest) PYTHONPATH=$home/tests/Clients/python/pydash-standin session oldest /usr/bin/python3 -W ignore ;;
        newest) session newest "$(sh "$home/tools/sh/newest-sdk.sh")/python" ;;
    esac
done
