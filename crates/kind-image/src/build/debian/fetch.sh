# Runs in the build root. Brings the source of Kubernetes to /source/tree and says in
# /source/package-version what it is.
sed -n 's/^deb /deb-src /p' /etc/apt/sources.list >/etc/apt/sources.list.d/kind-source.list
apt-get update
cd /source
apt-get -o APT::Sandbox::User=root source --download-only kubernetes
dpkg-source --no-copy --extract kubernetes_*.dsc tree
dpkg-parsechangelog --file tree/debian/changelog --show-field Version >package-version
# The vendored reflect2 crashes every program that Go 1.18 or later builds with it; Debian's own package
# of it does not.
reflect2=tree/vendor/github.com/modern-go/reflect2
rm -rf "$reflect2"
cp -r /usr/share/gocode/src/github.com/modern-go/reflect2 "$reflect2"
rm -f kubernetes_*
