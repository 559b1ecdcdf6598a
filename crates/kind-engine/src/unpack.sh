# Unpacks the images that the containerd of a node image has packed, and then drops what they came in:
# afterwards its store is as if it had never had anything else. Runs in a root of the image.
printf 'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n' >/run/unpack.toml
containerd --config /run/unpack.toml --log-level warn &
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
done | sort -u >/run/unpack.digests
[ -s /run/unpack.digests ]
while read -r digest; do
    ctr --namespace k8s.io snapshots --snapshotter overlayfs unpack "$digest"
done </run/unpack.digests
ctr --namespace k8s.io content prune references
kill "$daemon"
wait "$daemon" || true
rm -rf /var/lib/containerd/tmpmounts /var/lib/containerd/io.containerd.content.v1.content/ingest/*
