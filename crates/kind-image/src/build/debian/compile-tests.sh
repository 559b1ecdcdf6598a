# Goes on where prepare.sh ends. The tests need a Go that can run them, `ginkgo` runs several of them at once, and
# the rest is what pods of the tests run.
echo "step: compiling the programs of the tests' images"
go build -v -trimpath -ldflags "-s -w $*" -o /bin-out/ ./vendor/github.com/onsi/ginkgo/ginkgo ./test/images/agnhost \
    ./vendor/k8s.io/sample-apiserver
go build -v -trimpath -ldflags "-s -w" -o /bin-out/nnp ./test/images/nonewprivs
cp test/images/agnhost/porter/localhost.crt test/images/agnhost/porter/localhost.key /bin-out/
echo "step: compiling the tests"
go test -v -c -trimpath -ldflags "-s -w $*" -o /bin-out/e2e.test ./test/e2e
