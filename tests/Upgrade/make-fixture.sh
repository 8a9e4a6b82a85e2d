#!/bin/sh
# Makes the data directory that `zaffre quickstart` leaves, as tests/Upgrade/fixtures/NAME.tar.gz. Run once per release, from a
# clean checkout of it: ./tests/Upgrade/make-fixture.sh 0.1.0-quickstart
set -eu
cd "$(dirname "$0")/../.."
name=${1:?the name of the fixture, such as 0.1.0-quickstart}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

./zaffre up --detach --port 0 --data "$work/data"
./zaffre quickstart --data "$work/data" || { ./zaffre down --data "$work/data"; exit 1; }
./zaffre down --data "$work/data"
# The scoring workers end after the server.
sleep 3

# Made anew at start, or of this machine only: sockets, certificates, virtual environments, scratch files.
rm -rf "$work/data/run" "$work/data/tls" "$work/data/env"
mkdir -p tests/Upgrade/fixtures
tar -C "$work/data" --sort=name --numeric-owner -cf - . | gzip -9 >"tests/Upgrade/fixtures/$name.tar.gz"
ls -l "tests/Upgrade/fixtures/$name.tar.gz"
