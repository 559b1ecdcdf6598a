#!/bin/sh
# Prepares the node and becomes its first process. An engine may show a newer program than the image's.
set -eu
program=/usr/local/bin/kind-node
if [ -x /kind/bin/kind-node ]; then
    program=/kind/bin/kind-node
fi
exec "$program" boot -- "$@"
