echo "step: compiling"
go build -v -trimpath -ldflags "-s -w $*" -o /bin-out/ ./cmd/kube-apiserver ./cmd/kube-controller-manager \
    ./cmd/kube-scheduler ./cmd/kube-proxy ./cmd/kubelet ./cmd/kubeadm ./cmd/kubectl
