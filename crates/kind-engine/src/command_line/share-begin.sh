# Runs in a container of a node image. /shared is an empty volume that gets the image's /var, with its images
# unpacked, to be shown to all nodes of the image.
snapshotter=lib/containerd/io.containerd.snapshotter.v1.overlayfs
mkdir -p "/shared/var/$snapshotter" "/var/$snapshotter"
cp -a "/var/$snapshotter/." "/shared/var/$snapshotter/"
mount --bind "/shared/var/$snapshotter" "/var/$snapshotter"
