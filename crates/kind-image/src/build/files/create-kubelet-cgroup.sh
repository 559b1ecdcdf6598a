#!/bin/sh
# Makes the cgroups that the kubelet keeps pods in, before it starts.
set -eu
root=/sys/fs/cgroup
if [ ! -e "$root/cgroup.controllers" ]; then
    # Version 1: the boot made those of the controllers.
    mkdir -p "$root/systemd/kubelet"
    exit 0
fi
# Version 2 hands controllers on only where no process is left at the top. A process of another
# namespace reads as 0 and does not count.
if grep -qv '^0$' "$root/cgroup.procs"; then
    echo "processes are left in the node's root cgroup" >&2
    exit 1
fi
mkdir -p "$root/kubelet" "$root/kubelet.slice"
controllers=$(sed 's/[^ ]*/+&/g' "$root/cgroup.controllers")
for group in "$root" "$root/kubelet" "$root/kubelet.slice"; do
    echo "$controllers" >"$group/cgroup.subtree_control"
done
