//! A node image from a node root, Kubernetes' programs and add-ons, wherever those come from.

use std::fs;
use std::path::{Path, PathBuf};

use super::cache::{BuildCache, CacheKey, StepOutput, file_digest};
use super::components::{self, ImageInputs, Names};
use super::contents::{self, ImageParts};
use super::etcd_image::EtcdSource;
use super::host::host_architecture;
use super::node_files::{self, NodeFileInputs};
use super::tree;
use super::{Error, Request, Step, preload};
use crate::Image;
use crate::oci::{History, ImageConfig, RunConfig};
use crate::packages::Packages;
use crate::store::{Draft, Layer, Placement, Store};

/// What a node image is made from.
pub(super) struct Parts {
    /// `bin/` with Kubernetes' programs, and the file `version`.
    pub(super) kubernetes: StepOutput,
    /// Root of etcd's container image; `None` if etcd is among Kubernetes' programs or comes from its registry.
    pub(super) etcd: Option<StepOutput>,
    pub(super) node_root: NodeRoot,
}

/// The root filesystem of nodes.
pub(super) struct NodeRoot {
    /// Has it as `root/`.
    pub(super) made: StepOutput,
    /// What is installed in it.
    pub(super) packages: Packages,
}

impl NodeRoot {
    pub(super) fn path(&self) -> PathBuf {
        self.made.path.join("root")
    }
}

/// Programs that run on the node itself; the others are in container images.
const NODE_PROGRAMS: &[&str] = &["kubeadm", "kubectl", "kubelet"];

/// Makes the image. What changes least is the lowest layer.
pub(super) fn assemble_image(
    build_cache: &BuildCache<'_>,
    store: &Store,
    request: &Request,
    parts: &Parts,
) -> Result<Image, Error> {
    let version = kubernetes_version(&parts.kubernetes)?;
    let preloaded = preloaded_root(build_cache, request, parts, &version)?;
    let scratch = build_cache.make_scratch("assembly")?;
    build_cache.uncached_step(Step::Assemble, &scratch, |work| {
        let mut draft = store.draft()?;
        add_layer(&mut draft, &parts.node_root.made.path, "root")?;
        link_programs(&parts.kubernetes.path)?;
        add_layer(&mut draft, &parts.kubernetes.path, "layer")?;
        let files = scratch.join("files");
        let names = Names::ask_kubeadm(work, &parts.kubernetes.path.join("bin"), &version)?;
        let contents = contents::describe_image(
            &request.name,
            &version,
            &ImageParts {
                node_root: &parts.node_root.path(),
                programs: &parts.kubernetes.path.join("bin"),
                etcd: parts.etcd.as_ref().map(|etcd| etcd.path.as_path()),
                etcd_image: names.reference_of(work, "etcd")?,
                node_agent: &request.add_ons.node_agent,
            },
        )?;
        node_files::write_node_files(
            work,
            &files,
            &NodeFileInputs {
                version: &version,
                sandbox_image: names.reference_of(work, "pause")?,
                dns_image: names.reference_of(work, "coredns")?,
                add_ons: &request.add_ons,
                node_root: &parts.node_root.path(),
                packages: &parts.node_root.packages,
                contents: &contents,
            },
        )?;
        draft.add_directory(&files, Placement::Move)?;
        add_layer(&mut draft, &preloaded, preload::LAYER)?;
        Ok(draft.commit(
            image_config(&version, &parts.node_root.packages)?,
            std::slice::from_ref(&request.name),
        )?)
    })
}

/// The version of Kubernetes that was made.
pub(super) fn kubernetes_version(kubernetes: &StepOutput) -> Result<String, Error> {
    let path = kubernetes.path.join("version");
    fs::read_to_string(&path).map_err(Error::path("read", &path))
}

/// Directory of the step that preloads images.
fn preloaded_root(
    build_cache: &BuildCache<'_>,
    request: &Request,
    parts: &Parts,
    version: &str,
) -> Result<PathBuf, Error> {
    let node_agent = &request.add_ons.node_agent;
    let key = CacheKey::of_parts([
        preload::preload_script(request.packing),
        components::IPTABLES,
        // What decides which files an image gets is an input as well.
        include_str!("components.rs"),
        include_str!("shared_libraries.rs"),
        env!("CARGO_PKG_VERSION"),
        file_digest(node_agent)?.hex(),
        parts.kubernetes.key.as_ref(),
        parts
            .etcd
            .as_ref()
            .map_or("not Debian's", |etcd| etcd.key.as_ref()),
        parts.node_root.made.key.as_ref(),
    ]);
    build_cache.cached_step(Step::Preload, &key, |work| {
        let programs = parts.kubernetes.path.join("bin");
        let names = Names::ask_kubeadm(work, &programs, version)?;
        let scratch = build_cache.make_scratch("components")?;
        // A copy of its own: containers' images get links to it, and the caller's file may change.
        let program = scratch.join("kind-node-program");
        tree::copy_program(node_agent, &program)?;
        preload::preload_images(
            work,
            &scratch,
            &names,
            &ImageInputs {
                programs: &programs,
                etcd: parts.etcd.as_ref().map(|etcd| etcd.path.as_path()),
                registry: EtcdSource {
                    lists: &request.digest_places.images,
                    environment: &request.environment,
                },
                node_root: &parts.node_root.path(),
                packages: &parts.node_root.packages,
                node_agent: &program,
            },
            request.packing,
        )
    })
}

/// Adds a part of a step's result as a layer, by the digest noted beside it if the store has it.
fn add_layer(draft: &mut Draft, result: &Path, part: &str) -> Result<(), Error> {
    let note = result.join("layer.json");
    let known = fs::read(&note)
        .ok()
        .and_then(|bytes| serde_json::from_slice::<Layer>(&bytes).ok());
    if known.is_some_and(|layer| draft.add_known(&layer)) {
        return Ok(());
    }
    let layer = draft.add_directory(&result.join(part), Placement::Link)?;
    let bytes = serde_json::to_vec(&layer).expect("a layer is plain data");
    fs::write(&note, bytes).map_err(Error::path("write", &note))
}

/// Gives the programs of nodes the paths they have there.
fn link_programs(kubernetes: &Path) -> Result<(), Error> {
    let target = kubernetes.join("layer/usr/bin");
    if target.is_dir() {
        return Ok(());
    }
    for program in NODE_PROGRAMS {
        tree::link_file(&kubernetes.join("bin").join(program), &target.join(program))?;
    }
    tree::settle_tree(&kubernetes.join("layer"))
}

fn image_config(version: &str, packages: &Packages) -> Result<ImageConfig, Error> {
    let text = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect());
    let version = (
        "io.x-k8s.kind.kubernetes-version".to_owned(),
        version.to_owned(),
    );
    let labels = packages.labels().chain([version]).collect();
    let history = ["node root", "kubernetes", "kind", "images"];
    Ok(ImageConfig {
        architecture: host_architecture()?.to_owned(),
        os: "linux".to_owned(),
        config: RunConfig {
            env: text(&[
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "container=docker",
            ]),
            entrypoint: text(&["/usr/local/bin/entrypoint", "/sbin/init"]),
            stop_signal: Some("SIGRTMIN+3".to_owned()),
            labels: Some(labels),
            ..RunConfig::default()
        },
        history: history
            .map(|layer| History {
                created_by: Some(format!("kind build node-image: {layer}")),
                empty_layer: false,
            })
            .into(),
        ..ImageConfig::default()
    })
}
