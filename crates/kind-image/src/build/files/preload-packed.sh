# Runs in the node root. Standard input is an archive of images, arguments are further ones
# of `ctr images import`; /var/lib/containerd becomes a store that
# has them packed and only packed.
exec 3<&0 </dev/null
mkdir -p /tmp/preload
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >/tmp/preload/config.toml
containerd --config /tmp/preload/config.toml --log-level warn &
daemon=$!
tries=0
until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || exit 1
    sleep 0.1
done
ctr --namespace k8s.io images import "$@" --all-platforms --no-unpack --digests - <&3
for image in $(ctr --namespace k8s.io images list --quiet); do
    ctr --namespace k8s.io images label "$image" io.cri-containerd.pinned=pinned >/dev/null
done
ctr --namespace k8s.io images list
kill "$daemon"
wait "$daemon" || true
rm -rf /var/lib/containerd/tmpmounts /var/lib/containerd/io.containerd.content.v1.content/ingest/*
