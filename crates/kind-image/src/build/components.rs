//! Container images of the control plane and the add-ons.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;
use super::cache::StepContext;
use super::confined::ask_program;
use super::etcd_image::{self, EtcdSource};
use super::host::host_architecture;
use super::node_files::is_since;
use super::shared_libraries::LibraryCopier;
use super::tree;
use crate::oci::{ImageConfig, RunConfig};
use crate::packages::Packages;
use crate::store::{Placement, Store};
use crate::{Image, Reference};

/// Programs that are a container image each, with nothing else in it.
const STATIC: &[&str] = &[
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// A program that stands beside Kubernetes' own where whoever made the tarball put it there: it needs
/// nothing else, as etcd's releases have it.
pub(super) const ETCD: &str = "etcd";

/// What `kube-proxy` calls, all from the node root.
const PROXY_PROGRAMS: &[&str] = &[
    "usr/bin/kmod",
    "usr/bin/ln",
    "usr/bin/sh",
    "usr/sbin/conntrack",
    "usr/sbin/ipset",
    "usr/sbin/nft",
    "usr/sbin/xtables-legacy-multi",
    "usr/sbin/xtables-nft-multi",
];
const IPTABLES_NAMES: &[&str] = &[
    "iptables",
    "iptables-save",
    "iptables-restore",
    "ip6tables",
    "ip6tables-save",
    "ip6tables-restore",
];
/// Stands for the programs of iptables in the image of `kube-proxy`; a part of the images' key.
pub(super) const IPTABLES: &str = include_str!("files/iptables.sh");
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the images are made from.
pub(super) struct ImageInputs<'a> {
    /// Directory of the Kubernetes programs.
    pub(super) programs: &'a Path,
    /// Directory that is the root of etcd's image; `None` if etcd stands among the programs or comes from its
    /// registry.
    pub(super) etcd: Option<&'a Path>,
    /// Where it is in its registry.
    pub(super) registry: EtcdSource<'a>,
    /// Root filesystem of nodes.
    pub(super) node_root: &'a Path,
    /// What is installed in it.
    pub(super) packages: &'a Packages,
    /// The static `kind-node` program.
    pub(super) node_agent: &'a Path,
}

/// Whether Debian's etcd (3.4) is new enough for that version of Kubernetes.
pub(super) fn takes_debians_etcd(version: &str) -> bool {
    !is_since(version, (1, 22))
}

/// The names that kubeadm gives the images of a control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Names(Vec<Reference>);

impl Names {
    pub(super) fn ask_kubeadm(
        work: &StepContext<'_>,
        programs: &Path,
        version: &str,
    ) -> Result<Self, Error> {
        let arguments = ["config", "images", "list", "--kubernetes-version", version];
        Self::parse(&ask_program(work, &programs.join("kubeadm"), &arguments)?)
    }

    fn parse(listing: &str) -> Result<Self, Error> {
        let names = listing.split_whitespace().map(str::parse);
        Ok(Self(names.collect::<Result<_, _>>()?))
    }

    /// The name of the image of one component.
    pub(super) fn reference_of(
        &self,
        work: &StepContext<'_>,
        component: &str,
    ) -> Result<&Reference, Error> {
        self.find_component(component)
            .ok_or_else(|| Error::Unexpected {
                step: work.step,
                what: format!("kubeadm names no image for {component}"),
            })
    }

    fn find_component(&self, component: &str) -> Option<&Reference> {
        self.0
            .iter()
            .find(|name| name.path().rsplit('/').next() == Some(component))
    }
}

/// The name of the image that all add-on pods use: in a domain that nobody can own (RFC 2606), so that no registry could
/// ever give another one for it.
pub(super) fn node_agent_reference() -> Result<Reference, Error> {
    let name = format!("kind.invalid/kind-node:v{}", env!("CARGO_PKG_VERSION"));
    Ok(name.parse()?)
}

/// Makes all images in a store of their own.
pub(super) fn make_component_images(
    work: &StepContext<'_>,
    store: &Store,
    scratch: &Path,
    names: &Names,
    from: &ImageInputs<'_>,
) -> Result<Vec<Image>, Error> {
    let maker = Maker {
        work,
        store,
        scratch,
    };
    let mut images = Vec::new();
    for program in STATIC {
        images.push(maker.make_program_image(program, names, from)?);
    }
    images.push(maker.make_image(
        maker.proxy_root(from)?,
        names.reference_of(work, "kube-proxy")?,
        &[],
    )?);
    images.push(match from.etcd {
        Some(files) => maker.make_etcd_image(files, names)?,
        None if from.programs.join(ETCD).is_file() => {
            maker.make_program_image(ETCD, names, from)?
        }
        None => {
            let name = names.reference_of(work, "etcd")?;
            etcd_image::pull_etcd(store, name, &from.registry, work.observer)?
        }
    });
    for (name, command) in [
        (
            names.reference_of(work, "pause")?.clone(),
            &["/kind-node", "pause"][..],
        ),
        // Who runs kubeadm's own addon phase, as the original kind does, gets the same answers.
        (
            names.reference_of(work, "coredns")?.clone(),
            &["/kind-node", "dns"][..],
        ),
        (node_agent_reference()?, &["/kind-node"][..]),
    ] {
        let root = maker.make_root("kind-node")?;
        tree::link_file(from.node_agent, &root.join("kind-node"))?;
        images.push(maker.make_image(root, &name, command)?);
    }
    Ok(images)
}

struct Maker<'a> {
    work: &'a StepContext<'a>,
    store: &'a Store,
    scratch: &'a Path,
}

impl Maker<'_> {
    /// An empty directory to become an image's only layer.
    fn make_root(&self, name: &str) -> Result<PathBuf, Error> {
        let path = self.scratch.join(name);
        tree::make_directory(&path)?;
        Ok(path)
    }

    fn make_image(
        &self,
        root: PathBuf,
        name: &Reference,
        entrypoint: &[&str],
    ) -> Result<Image, Error> {
        tree::settle_tree(&root)?;
        let mut draft = self.store.draft()?;
        draft.add_directory(&root, Placement::Move)?;
        let config = ImageConfig {
            architecture: host_architecture()?.to_owned(),
            os: "linux".to_owned(),
            config: RunConfig {
                env: Some(vec![PATH.to_owned()]),
                entrypoint: Some(entrypoint.iter().map(ToString::to_string).collect()),
                ..RunConfig::default()
            },
            ..ImageConfig::default()
        };
        Ok(draft.commit(config, std::slice::from_ref(name))?)
    }

    /// A static program with nothing else.
    fn make_program_image(
        &self,
        program: &str,
        names: &Names,
        from: &ImageInputs<'_>,
    ) -> Result<Image, Error> {
        let root = self.make_root(program)?;
        let path = root.join("usr/local/bin").join(program);
        tree::link_file(&from.programs.join(program), &path)?;
        self.make_image(root, names.reference_of(self.work, program)?, &[])
    }

    fn make_etcd_image(&self, files: &Path, names: &Names) -> Result<Image, Error> {
        let root = self.make_root("etcd")?;
        let copying = copy_command(files, &root);
        self.work
            .run_command(copying, super::command::NO_PROGRESS)?;
        self.make_image(root, names.reference_of(self.work, "etcd")?, &[])
    }

    fn proxy_root(&self, from: &ImageInputs<'_>) -> Result<PathBuf, Error> {
        let root = self.make_root("kube-proxy")?;
        let mut copier = LibraryCopier::new(self.work, from.node_root, &root)?;
        copier.copy_programs(PROXY_PROGRAMS)?;
        copier.copy_programs(&iptables_modules(from.node_root)?)?;
        copier.copy_file(Path::new("etc/protocols"))?;
        for name in IPTABLES_NAMES {
            let path = root.join("usr/sbin").join(name);
            tree::write_file(&path, 0o755, IPTABLES)?;
        }
        tree::make_link(&root.join("usr/sbin/modprobe"), "../bin/kmod")?;
        for directory in ["run", "tmp", "var/run"] {
            tree::make_directory(&root.join(directory))?;
        }
        let program = root.join("usr/local/bin/kube-proxy");
        tree::link_file(&from.programs.join("kube-proxy"), &program)?;
        Ok(root)
    }
}

/// The matches and targets of iptables, which it loads at run time.
fn iptables_modules(node_root: &Path) -> Result<Vec<PathBuf>, Error> {
    let libraries = node_root.join("usr/lib");
    let mut found = Vec::new();
    for entry in fs::read_dir(&libraries).map_err(Error::path("read", &libraries))? {
        let entry = entry.map_err(Error::path("read", &libraries))?;
        let directory = entry.path().join("xtables");
        let Ok(modules) = fs::read_dir(&directory) else {
            continue;
        };
        for module in modules {
            let module = module.map_err(Error::path("read", &directory))?;
            let parent = Path::new("usr/lib").join(entry.file_name()).join("xtables");
            found.push(parent.join(module.file_name()));
        }
    }
    found.sort();
    Ok(found)
}

fn copy_command(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("cp");
    command
        .args(["--archive", "--link"])
        .arg(from.join("."))
        .arg(to);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_found_under_any_registry() {
        let old =
            "k8s.gcr.io/kube-apiserver:v1.20.2\nk8s.gcr.io/pause:3.2\nk8s.gcr.io/etcd:3.4.13-0\n";
        let new = "registry.k8s.io/coredns/coredns:v1.14.3\nregistry.k8s.io/pause:3.10.2\n";
        let found = |listing: &str, component| {
            let names = Names::parse(listing).unwrap();
            names.find_component(component).map(ToString::to_string)
        };
        assert_eq!(found(old, "pause").as_deref(), Some("k8s.gcr.io/pause:3.2"));
        assert_eq!(
            found(old, "etcd").as_deref(),
            Some("k8s.gcr.io/etcd:3.4.13-0")
        );
        assert_eq!(
            found(new, "coredns").as_deref(),
            Some("registry.k8s.io/coredns/coredns:v1.14.3")
        );
        assert_eq!(found(new, "kube-proxy"), None);
        assert!(Names::parse("W1122 not a name").is_err());
    }
}
