# Runs in the build root; /source/tree is Kubernetes, $1 its version. Leaves the programs in /bin-out.
version=$1
minor=${version#*.}
minor=${minor%%.*}
export GOPATH=/source/gopath GOCACHE=/source/gocache GO111MODULE=off CGO_ENABLED=0 GOFLAGS=
mkdir -p "$GOPATH/src/k8s.io"
ln -sfn /source/tree "$GOPATH/src/k8s.io/kubernetes"
cd "$GOPATH/src/k8s.io/kubernetes"
echo "step: generating code"
export KUBE_GIT_TREE_STATE=archive KUBE_GIT_COMMIT=archive KUBE_GIT_VERSION="$version"
make generated_files
# Built this way, vendored packages have their whole path as their name.
set --
for package in component-base/version client-go/pkg/version; do
    name=k8s.io/kubernetes/vendor/k8s.io/$package
    set -- "$@" -X "$name.gitVersion=$version" -X "$name.gitMajor=1" \
        -X "$name.gitMinor=$minor" -X "$name.gitTreeState=clean"
done
