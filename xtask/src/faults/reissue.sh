# Issues every certificate of a control plane anew with other times: ROOT is where its files are, then the first and
# the last time at which they are valid, as YYYYMMDDHHMMSSZ.
set -eu
root=$1 start=$2 end=$3
kubernetes=$root/etc/kubernetes
pki=$kubernetes/pki
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > "$work/index"
cat > "$work/ca.conf" <<EOF
[ca]
default_ca = own
[own]
database = $work/index
new_certs_dir = $work
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copyall
unique_subject = no
[any]
organizationName = optional
commonName = optional
EOF

# A file with a certificate, one with its key, and the path of its authority without the ending.
reissue() {
    openssl x509 -x509toreq -in "$1" -signkey "$2" -copy_extensions copyall -out "$work/request"
    openssl ca -batch -notext -config "$work/ca.conf" -cert "$3.crt" -keyfile "$3.key" \
        -startdate "$start" -enddate "$end" -in "$work/request" -out "$work/new"
}

for name in apiserver apiserver-kubelet-client; do
    reissue "$pki/$name.crt" "$pki/$name.key" "$pki/ca"
    cat "$work/new" > "$pki/$name.crt"
done
reissue "$pki/front-proxy-client.crt" "$pki/front-proxy-client.key" "$pki/front-proxy-ca"
cat "$work/new" > "$pki/front-proxy-client.crt"
for name in apiserver-etcd-client etcd/server etcd/peer etcd/healthcheck-client; do
    reissue "$pki/$name.crt" "$pki/$name.key" "$pki/etcd/ca"
    cat "$work/new" > "$pki/$name.crt"
done

read_field() {
    sed -n "s/^ *$1: //p" "$2" | base64 --decode
}
for config in admin controller-manager scheduler kubelet super-admin; do
    file=$kubernetes/$config.conf
    if [ -e "$file" ] && grep -q client-certificate-data "$file"; then
        read_field client-certificate-data "$file" > "$work/crt"
        read_field client-key-data "$file" > "$work/key"
        reissue "$work/crt" "$work/key" "$pki/ca"
        sed -i "s|client-certificate-data: .*|client-certificate-data: $(base64 --wrap 0 "$work/new")|" "$file"
    fi
done
# A link whose target is a path of the node.
directory=$root/var/lib/kubelet/pki
if [ -L "$directory/kubelet-client-current.pem" ]; then
    client=$directory/$(basename "$(readlink "$directory/kubelet-client-current.pem")")
    openssl pkey -in "$client" -out "$work/key"
    reissue "$client" "$work/key" "$pki/ca"
    cat "$work/new" "$work/key" > "$client"
fi
