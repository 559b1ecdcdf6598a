//! Images that stand in for those of the tests, which registries hold that not every machine reaches.

/// What an image's root begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    /// Nothing.
    Empty,
    /// Debian's busybox under all its names.
    Busybox,
    /// Programs of Debian's packages, and busybox for what they lack.
    Tools,
}

/// Something in an image's root beside its base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A file of the suite's directory, by its name there, with its mode.
    Part(&'static str, u32),
    /// A file with this text and mode.
    Text(&'static str, u32),
    /// A symbolic link.
    Link(&'static str),
    /// An empty directory.
    Directory,
}

/// An image that stands in for one of the tests' images.
#[derive(Debug, Clone, Copy)]
pub(super) struct StandIn {
    /// The last part of the name of the image for which it stands, whatever its registry and tag.
    pub(super) name: &'static str,
    pub(super) base: Base,
    /// Paths without the leading slash.
    pub(super) content: &'static [(&'static str, Content)],
    pub(super) entrypoint: &'static [&'static str],
    pub(super) command: &'static [&'static str],
    pub(super) user: &'static str,
}

impl StandIn {
    /// The files of the suite's directory that it is made of.
    pub(super) fn parts(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.content
            .iter()
            .filter_map(|(_, content)| match content {
                Content::Part(name, _) => Some(*name),
                _ => None,
            })
    }
}

const IMAGE: StandIn = StandIn {
    name: "",
    base: Base::Empty,
    content: &[],
    entrypoint: &[],
    command: &[],
    user: "",
};

const AGNHOST: (&str, Content) = ("agnhost", Content::Part("agnhost", 0o755));

/// Ends at once when asked to, which busybox as the first process would not.
macro_rules! web_server {
    ($pages:literal) => {
        Content::Text(
            concat!(
                "#!/bin/sh\ntrap 'exit 0' TERM INT\nhttpd -f -p 80 -h ",
                $pages,
                " &\nwait\n"
            ),
            0o755,
        )
    };
}

const WELCOME: Content = Content::Text("<html><body><h1>It works!</h1></body></html>\n", 0o644);

/// All of them. Pods find the same programs, paths and first process as in the original, not the same versions.
pub(super) const STAND_INS: &[StandIn] = &[
    StandIn {
        name: "agnhost",
        base: Base::Tools,
        content: &[
            AGNHOST,
            ("agnhost-2", Content::Link("agnhost")),
            ("coredns", Content::Part("coredns", 0o755)),
            ("localhost.crt", Content::Part("localhost.crt", 0o644)),
            ("localhost.key", Content::Part("localhost.key", 0o644)),
            ("uploads", Content::Directory),
        ],
        entrypoint: &["/agnhost"],
        command: &["pause"],
        ..IMAGE
    },
    StandIn {
        name: "busybox",
        base: Base::Busybox,
        command: &["sh"],
        ..IMAGE
    },
    StandIn {
        name: "etcd",
        base: Base::Tools,
        content: &[("usr/local/bin/etcd", Content::Link("../../bin/etcd"))],
        command: &["etcd"],
        ..IMAGE
    },
    StandIn {
        name: "glibc-dns-testing",
        base: Base::Tools,
        command: &["bash"],
        ..IMAGE
    },
    StandIn {
        name: "httpd",
        base: Base::Busybox,
        content: &[
            ("usr/local/apache2/htdocs/index.html", WELCOME),
            (
                "usr/local/bin/httpd-foreground",
                web_server!("/usr/local/apache2/htdocs"),
            ),
        ],
        command: &["httpd-foreground"],
        ..IMAGE
    },
    StandIn {
        name: "jessie-dnsutils",
        base: Base::Tools,
        command: &["bash"],
        ..IMAGE
    },
    StandIn {
        name: "kitten",
        base: Base::Empty,
        content: &[
            AGNHOST,
            // The test of image volumes looks for what upstream's is made of.
            (
                "etc/os-release",
                Content::Text("NAME=\"Alpine Linux\"\n", 0o644),
            ),
            (
                "data.json",
                Content::Text("{\"image\": \"kitten.jpg\"}\n", 0o644),
            ),
        ],
        entrypoint: &["/agnhost"],
        command: &["test-webserver"],
        ..IMAGE
    },
    StandIn {
        name: "nautilus",
        base: Base::Empty,
        content: &[
            AGNHOST,
            (
                "data.json",
                Content::Text("{\"image\": \"nautilus.jpg\"}\n", 0o644),
            ),
        ],
        entrypoint: &["/agnhost"],
        command: &["test-webserver"],
        ..IMAGE
    },
    StandIn {
        name: "nginx",
        base: Base::Busybox,
        content: &[
            ("usr/share/nginx/html/index.html", WELCOME),
            ("usr/local/bin/nginx", web_server!("/usr/share/nginx/html")),
        ],
        command: &["nginx", "-g", "daemon off;"],
        ..IMAGE
    },
    StandIn {
        name: "nonewprivs",
        base: Base::Busybox,
        content: &[("usr/local/bin/nnp", Content::Part("nnp", 0o6755))],
        command: &["nnp"],
        ..IMAGE
    },
    StandIn {
        name: "nonroot",
        base: Base::Busybox,
        command: &["sh"],
        user: "1234",
        ..IMAGE
    },
    StandIn {
        name: "pause",
        base: Base::Empty,
        content: &[AGNHOST],
        entrypoint: &["/agnhost", "pause"],
        ..IMAGE
    },
    StandIn {
        name: "perl",
        base: Base::Tools,
        command: &["perl", "-de0"],
        ..IMAGE
    },
    StandIn {
        name: "sample-apiserver",
        base: Base::Empty,
        content: &[("sample-apiserver", Content::Part("sample-apiserver", 0o755))],
        entrypoint: &["/sample-apiserver"],
        ..IMAGE
    },
];

/// What stands in for an image, by its whole name. Nothing does for what must not be there, nor for images of
/// another system.
pub(super) fn stand_in(image: &str) -> Option<&'static StandIn> {
    let absent = ["invalid.", "authenticated"];
    if absent.iter().any(|part| image.contains(part)) {
        return None;
    }
    let name = image.rsplit('/').next()?;
    let name = name.split([':', '@']).next()?;
    STAND_INS.iter().find(|stand_in| stand_in.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_their_own_name() {
        let name = |image| stand_in(image).map(|stand_in| stand_in.name);
        for (image, expected) in [
            ("k8s.gcr.io/e2e-test-images/agnhost:2.21", Some("agnhost")),
            (
                "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
                Some("busybox"),
            ),
            ("docker.io/library/httpd:2.4.38-alpine", Some("httpd")),
            ("k8s.gcr.io/etcd:3.4.13-0", Some("etcd")),
            ("invalid.com/invalid/alpine:3.1", None),
            ("gcr.io/k8s-authenticated-test/agnhost:2.6", None),
            ("gcr.io/kubernetes-e2e-test-images/volume/nfs:1.0", None),
        ] {
            assert_eq!(name(image), expected, "{image}");
        }
    }

    #[test]
    fn pages_list_every_stand_in() {
        let page = include_str!("../../../docs/conformance/README.md");
        for stand_in in STAND_INS {
            let cell = format!("`{}`", stand_in.name);
            assert!(page.contains(&cell), "{cell} is missing");
        }
    }
}
