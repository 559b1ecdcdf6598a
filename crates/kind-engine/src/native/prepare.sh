# Runs in a node image's root. Unpacks the images that its containerd has packed, and then drops what they
# came in: afterwards containerd's store is as if it had never had anything else.
mount -t proc proc /proc
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >/run/prepare.toml
containerd --config /run/prepare.toml --log-level warn &
daemon=$!
tries=0
until ctr version >/dev/null 2>&1; do
    tries=$((tries + 1))
    kill -0 "$daemon"
    [ "$tries" -lt 300 ]
    sleep 0.1
done
ctr --namespace k8s.io images list | sed 1d | while read -r _ _ digest _; do
    echo "$digest"
done | sort -u >/run/prepare.digests
[ -s /run/prepare.digests ]
while read -r digest; do
    ctr --namespace k8s.io snapshots --snapshotter overlayfs unpack "$digest"
done </run/prepare.digests
ctr --namespace k8s.io content prune references
kill "$daemon"
wait "$daemon" || true
rm -rf /var/lib/containerd/tmpmounts /var/lib/containerd/io.containerd.content.v1.content/ingest/*
