#!/bin/sh
# Keeps the edge agent running where no service manager does: supervise.sh COMMAND [ARGUMENT...]
# Starts it again a second after it ended; ends with it on TERM or INT, and when starting again does not help (78).
set -u
stop=
child=
finish() {
    stop=1
    [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
}
trap finish TERM INT
while [ -z "$stop" ]; do
    "$@" &
    child=$!
    wait "$child"
    status=$?
    # A trap ends `wait` early: then the agent is still stopping.
    while kill -0 "$child" 2>/dev/null; do
        wait "$child"
        status=$?
    done
    child=
    [ -z "$stop" ] || exit 0
    [ "$status" -ne 78 ] || exit 78
    echo "tandem-edge: the agent ended with status $status and is started again" >&2
    sleep 1 &
    wait $!
done
