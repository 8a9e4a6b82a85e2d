#!/bin/sh
# Starts one task: `setsid [unshare --mount] sh launch.sh FOLDER`. The folder holds `plan` and its companions, written by the server.
# Left behind: `started` (not empty once the command runs), `exit` (lines, whole or absent), `launcher.log` (what went wrong here).
# With ZAFFRE_PINNED the mount namespace is ready; otherwise `mounts` is mounted here and compared with what was looked at.
# Standard output tells the parent, if there still is one: `started`, `failed WHY` or `refused WHY`, then `exited`.
cd -- "$1" || exit 125
umask 022
exec </dev/null 2>>launcher.log
tell() { trap '' PIPE; echo "$1" 2>/dev/null; trap - PIPE; }

exec 9>>lock
flock -w 1 9 || { tell 'refused the attempt is running already'; exit 75; }
if [ -e started ] || [ -e exit ]; then tell 'refused the attempt was started before'; exit 75; fi
trap : HUP INT TERM
echo $$ >pid
exec 3>started 4>&1
. ./plan

record() {
  {
    echo "code $1"
    for file in $usage; do
      [ -r "$file" ] && while read -r line; do echo "${file##*/} $line"; done <"$file"
    done
    echo end
  } >exit.tmp
  sync exit.tmp
  mv exit.tmp exit
  tell exited
  exit 0
}
give_up() { echo "$1" >failure; tell "failed $1"; record 125; }

[ ! -e stop ] || give_up 'the task was stopped before it started'
if [ -n "$mounts" ] && [ -z "$ZAFFRE_PINNED" ]; then
  mount -a -n -T mounts || give_up 'its folders could not be mounted'
  [ "$(stat -c %d:%i -- $pinned)" = "$identities" ] || give_up 'one of its folders was replaced while the task was starting'
fi

(
  trap - HUP INT TERM
  exec 9>&-
  # When the host itself runs out of memory, tasks go before the server.
  echo 500 >/proc/self/oom_score_adj
  for group in $join; do echo 0 >"$group" || exit 125; done
  exec >>"$log" 2>&1 || exit 125
  run
)
code=$?

for file in $processes; do
  while read -r process; do kill -9 "$process"; done <"$file"
done 2>/dev/null
[ -s started ] || give_up 'the sandbox did not start'
record "$code"
