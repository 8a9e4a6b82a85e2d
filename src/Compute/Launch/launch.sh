#!/bin/sh
# Starts one task: `setsid [unshare --mount] sh launch.sh FOLDER`. The folder holds `plan` and its companions, written by the server.
# Left behind: `started` (not empty once the command runs), `exit` (lines, whole or absent), `launcher.log` (what went wrong here).
# With ZAFFRE_PINNED the mount namespace is ready; otherwise `mounts` is mounted here and compared with what was looked at.
# Standard output tells the parent, if there still is one: `started`, `failed WHY` or `refused WHY`, then `exited`.
# The server starts it differently: with a session, its folder and the lock (descriptor 9, ZAFFRE_LOCKED), and with a stream in both directions as
# standard output (ZAFFRE_CHANNEL): told `ended`, a living server puts the exit record in place and answers `kept`.
# ZAFFRE_WARM: a sandbox without a task yet. Its shell reads commands from standard input; the server gives it mounts, moves this folder to the attempt's
# place and only then writes the command. Without a command it leaves nothing behind that looks like an attempt.
cd -- "$1" || exit 125
umask 022
[ -z "$ZAFFRE_WARM" ] || exec 7<&0
exec </dev/null 2>>launcher.log
tell() { trap '' PIPE; echo "$1" 2>/dev/null; trap - PIPE; }

if [ -z "$ZAFFRE_LOCKED" ]; then
  exec 9>>lock
  flock -w 1 9 || { tell 'refused the attempt is running already'; exit 75; }
fi
if [ -e started ] || [ -e exit ]; then tell 'refused the attempt was started before'; exit 75; fi
trap : HUP INT TERM
echo $$ >pid
exec 3>started 4>&1
. ./plan

record() {
  # On a full disk the record waits for space: what the task did is not forgotten.
  until {
    echo "code $1"
    for file in $usage; do
      [ -r "$file" ] && while read -r line; do echo "${file##*/} $line"; done <"$file"
    done
    echo end
  } >exit.tmp; do sleep 1; done
  if [ -n "$ZAFFRE_CHANNEL" ]; then
    tell ended
    read -r kept <&4 && [ "$kept" = kept ] && exit 0
  fi
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

# What outlived its command; again until nobody is left who was not killed: who is dies in its own time, and forks no more.
for file in $processes; do
  killed=' ' left=yes
  while [ "$left" ]; do
    left=
    while read -r process; do
      case $killed in *" $process "*) continue ;; esac
      killed="$killed$process "
      [ "$process" = 0 ] || { kill -9 "$process" && left=yes; }
    done <"$file"
  done
done 2>/dev/null
if [ -n "$ZAFFRE_WARM" ] && [ "$code" = 0 ] && [ ! -s started ]; then
  rm -f started pid lock
  exit 0
fi
[ -s started ] || give_up 'the sandbox did not start'
record "$code"
