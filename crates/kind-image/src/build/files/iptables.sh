#!/bin/sh
# Stands for every iptables program until one is called first. Then it finds out which of the kernel's
# two rule sets the kubelet on this node uses, by the chain that it leaves, puts the programs for that
# one in its place and goes on as the one that was called.
set -eu
kind=nft
legacy=$(xtables-legacy-multi iptables-save -t mangle 2>/dev/null || true)
legacy6=$(xtables-legacy-multi ip6tables-save -t mangle 2>/dev/null || true)
case "$legacy$legacy6" in
*KUBE-KUBELET-CANARY* | *KUBE-IPTABLES-HINT*) kind=legacy ;;
esac
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
    ln -sf "xtables-$kind-multi" "/usr/sbin/$name"
done
exec "$0" "$@"
