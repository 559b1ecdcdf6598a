//! Codes of images, registries and downloads.

use super::entry::{Entry, entry};
use crate::Code;

/// What they mean.
pub(super) const TABLE: &[Entry] = &[
    entry(
        Code::ImageIo,
        [
            "The system refused an operation on an archive or on the store of images.",
            "`load …`, `build node-image`, `create cluster` on the native engine.",
            "Mend what the message says: a path, its permissions, a full disk.",
            "open /images/app.tar: permission denied (os error 13)",
        ],
    ),
    entry(
        Code::ImageReference,
        [
            "A text does not have the form of an image's name: host, path, tag, digest.",
            "`create cluster --image`, `build node-image --image`, `load docker-image`.",
            "Write it as `name:tag`, in lower case.",
            "invalid image reference \"App:1\": …",
        ],
    ),
    entry(
        Code::ImageDigest,
        [
            "A digest in an image's documents or name is not `sha256:` with 64 digits.",
            "Whatever reads images.",
            "Look at the digest that the message shows; an archive with such a one is broken.",
            "invalid digest \"sha256:12\"",
        ],
    ),
    entry(
        Code::ImageDocument,
        [
            "A manifest or a configuration of an image, or a file of the store, is not the JSON that it should be.",
            "Whatever reads images.",
            "Make the archive again, or remove the image and load or pull it again.",
            "document manifest.json is damaged",
        ],
    ),
    entry(
        Code::ImageMismatch,
        [
            "Content is there and has another digest than the image says: it was changed or cut off.",
            "Whatever reads images.",
            "Make the archive again, or remove the image and build or load it again.",
            "layer.tar is damaged: its digest is sha256:…, not sha256:…",
        ],
    ),
    entry(
        Code::ImageMissing,
        [
            "The store of the native engine and of builds has no image of that name.",
            "`create cluster` on the native engine, `build node-image --push`.",
            "`kind build node-image debian` builds one.",
            "no image \"kindest/node:v1.36.1\" in the store",
        ],
    ),
    entry(
        Code::ImageIncomplete,
        [
            "The store has an image's manifest and lacks one of its layers: files below the state directory were removed.",
            "`create cluster` on the native engine, `build node-image`.",
            "Remove the image (`kind prune`) and build or pull it again.",
            "layer sha256:… of image kindest/node:v1.36.1 is missing from the store",
        ],
    ),
    entry(
        Code::ImageRefused,
        [
            "A layer has an entry that would leave its directory, is no file, or is larger than kind takes.",
            "Whatever unpacks images.",
            "Do not use that image, unless you know how the entry came there.",
            "archive entry \"../etc/passwd\" refused: its name leaves the target with `..`",
        ],
    ),
    entry(
        Code::ImageNotAnImage,
        [
            "A file is neither what `docker save` writes nor an OCI layout, packed or not.",
            "`load image-archive`.",
            "Make it with `docker save` or `podman save`; of `docker export` there is no image.",
            "not an image archive: it has neither manifest.json nor index.json",
        ],
    ),
    entry(
        Code::RegistryRefused,
        [
            "A registry answered every try with a failure of its own.",
            "`create cluster` on the native engine, `build node-image`, with `--push` too.",
            "Try again later; log in, if it limits how much it serves.",
            "cannot get index.docker.io/kindest/node: …: the server answered 503",
        ],
    ),
    entry(
        Code::RegistryUnreachable,
        [
            "There is no way to a registry or any of its mirrors; the message has every try.",
            "`create cluster` on the native engine, `build node-image`, with `--push` too.",
            "Check the network, HTTPS_PROXY and mirrors in `certs.d`. `kind create cluster --from debian` needs no registry.",
            "cannot get kindest/node:v1.36.1: GET https://registry-1.docker.io/v2/…: no connection: …",
        ],
    ),
    entry(
        Code::RegistryNotFound,
        [
            "The registry knows no image of that name or tag.",
            "`create cluster` on the native engine.",
            "Look at the name and the tag; private images may need `docker login`.",
            "registry-1.docker.io has no kindest/node:v9",
        ],
    ),
    entry(
        Code::RegistryDenied,
        [
            "The registry wants a login, or the login does not suffice.",
            "`create cluster` on the native engine, `build node-image --push`.",
            "Look at the image's name, log in with `docker login HOST`, or ask who may use it.",
            "registry.example.com denies access to team/node:1",
        ],
    ),
    entry(
        Code::RegistryPlatform,
        [
            "The image exists, and not for this machine's architecture.",
            "`create cluster` on the native engine.",
            "Choose another image, or build one with `kind build node-image`.",
            "kindest/node:v1 is not made for linux/riscv64, only for linux/amd64, linux/arm64",
        ],
    ),
    entry(
        Code::RegistryContentRefused,
        [
            "The registry sent a document that is too large, or of a form that kind does not take.",
            "`create cluster` on the native engine.",
            "Choose an image of docker's or OCI's current form.",
            "the manifest of a:1 is refused: …",
        ],
    ),
    entry(
        Code::RegistryMismatch,
        [
            "What came has another digest than was asked for.",
            "`create cluster` on the native engine.",
            "Try again; if it stays so, the registry or something on the way to it is broken.",
            "sha256:… from registry.example.com is damaged: its digest is sha256:…, not sha256:…",
        ],
    ),
    entry(
        Code::RegistryCredentials,
        [
            "`config.json` names a helper for logins that is missing or failed.",
            "`create cluster` on the native engine, `build node-image --push`.",
            "Install the helper (`docker-credential-…`), or take it out of `~/.docker/config.json` and log in again.",
            "no credentials for registry.example.com: …",
        ],
    ),
    entry(
        Code::RegistryConfiguration,
        [
            "A `hosts.toml`, a certificate in `certs.d` or docker's `config.json` cannot be understood.",
            "`create cluster` on the native engine, `build node-image --push`.",
            "Correct the file that the message names.",
            "cannot use /etc/containerd/certs.d/docker.io/hosts.toml: …",
        ],
    ),
    entry(
        Code::RegistryNoSpace,
        [
            "The disk of the state directory has less room than the image needs.",
            "`create cluster` on the native engine.",
            "Make room (`kind prune`), or choose another directory with KIND_STATE_DIR.",
            "/var/lib/kind has 300 MiB of free space, kindest/node:v1.36.1 needs 1200 MiB",
        ],
    ),
    entry(
        Code::DownloadAddress,
        [
            "A text that should be a URL is none, or not of http or https.",
            "`build node-image`, `create cluster --from`.",
            "Correct the address.",
            "GET ftp://x/y: invalid address: …",
        ],
    ),
    entry(
        Code::DownloadLookup,
        [
            "No name server knows the host, or none can be reached.",
            "`build node-image`, `create cluster` on the native engine.",
            "Check the network and its name servers; where only a proxy leads outside, set HTTPS_PROXY.",
            "GET https://dl.k8s.io/…: the name of the host cannot be resolved: …",
        ],
    ),
    entry(
        Code::DownloadConnect,
        [
            "The host is known, and nothing accepts a connection there.",
            "`build node-image`, `create cluster` on the native engine.",
            "Check that the server runs and that no firewall is in the way; where only a proxy leads outside, set HTTPS_PROXY.",
            "GET https://127.0.0.1:5000/…: no connection: connection refused",
        ],
    ),
    entry(
        Code::DownloadBroken,
        [
            "The connection ended before everything was there, more often than kind tries again.",
            "`build node-image`, `create cluster` on the native engine.",
            "Try again: what has come already is kept.",
            "GET https://dl.k8s.io/…: the connection broke: …",
        ],
    ),
    entry(
        Code::DownloadTimeout,
        [
            "The server, or the way to it, took longer than kind waits.",
            "`build node-image`, `create cluster` on the native engine.",
            "Check the network and proxies, and try again.",
            "GET https://dl.k8s.io/…: no answer in time",
        ],
    ),
    entry(
        Code::DownloadCertificate,
        [
            "The server's certificate is signed by nobody whom this system trusts, is of another host, or has expired.",
            "`build node-image`, `create cluster` on the native engine.",
            "Add your authority to the system's certificates, name its file in SSL_CERT_FILE, or put it at \
             `/etc/docker/certs.d/HOST/ca.crt`. Look at the clock too.",
            "GET https://registry.local/…: its certificate is not trusted: …",
        ],
    ),
    entry(
        Code::DownloadTls,
        [
            "Server and kind could not agree on an encrypted connection.",
            "`build node-image`, `create cluster` on the native engine.",
            "See whether the server speaks TLS 1.2 or newer at that port, and not HTTP.",
            "GET https://registry.local:5000/…: no secure connection: …",
        ],
    ),
    entry(
        Code::DownloadProxy,
        [
            "HTTP_PROXY or HTTPS_PROXY is no address, or the proxy refuses to connect.",
            "`build node-image`, `create cluster` on the native engine.",
            "Correct the variables, or add the host to NO_PROXY if it is reached directly.",
            "GET https://dl.k8s.io/… through proxy http://proxy:3128: the proxy does not connect: …",
        ],
    ),
    entry(
        Code::DownloadRedirect,
        [
            "The server leads in a circle, or from https to http.",
            "`build node-image`, `create cluster` on the native engine.",
            "Give the address that it should lead to.",
            "GET https://a.example/…: redirect not followed: …",
        ],
    ),
    entry(
        Code::DownloadStatus,
        [
            "The server answered that it has no such file, or that it failed.",
            "`build node-image`, `create cluster` on the native engine.",
            "Look at the version or address (404), wait or log in (429), try again later (5xx).",
            "GET https://dl.k8s.io/v1.99.0/…: the server answered 404",
        ],
    ),
    entry(
        Code::DownloadTooLarge,
        [
            "An answer that should be short is not.",
            "`build node-image`, `create cluster` on the native engine.",
            "See whether the address, or a proxy on the way, leads to a page for people.",
            "GET https://dl.k8s.io/ci/latest.txt: the answer is larger than 1024 bytes",
        ],
    ),
    entry(
        Code::DownloadProtocol,
        [
            "An answer has no form that HTTP allows, or not the one that was asked for.",
            "`build node-image`, `create cluster` on the native engine.",
            "See whether the address, or a proxy on the way, leads to something else.",
            "GET http://127.0.0.1:22/: the answer cannot be understood: …",
        ],
    ),
];
