//! Making the images that stand in for those of the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kind_image::oci::{ImageConfig, Platform, RunConfig};
use kind_image::registry::{Access, LayerForm, push};
use kind_image::store::{Draft, Layer, Placement, Store};
use kind_testkit::registry::Registry;

use super::stand_ins::{Base, Content, STAND_INS, StandIn, stand_in};
use super::suite::Suite;
use crate::Failure;
use crate::shell::{output, program, run, say};

/// What the tests call inside of pods.
const PACKAGES: &str = "bash-static,bind9-dnsutils,busybox-static,curl,etcd-server,iperf,iproute2,libc-bin,\
                        netcat-openbsd,perl-base,wget";
/// Other shells take variables whose names have a `-` away from what they run, which tests ask for.
const SHELL: &str = "bin/bash-static";
/// Tests compare what busybox' shell says of a failure, but that one drops variables whose names have a `-`: what has such
/// a variable is run by the other one.
const SH: &str = r#"#!/bin/bash-static
while IFS= read -rd '' variable; do
    case ${variable%%=*} in *[!A-Za-z0-9_]* | [0-9]*) exec -a "$0" /bin/bash-static "$@" ;; esac
done < /proc/self/environ
exec -a "$0" /bin/busybox "$@"
"#;
const SUITE: &str = "bookworm";
/// Nothing of it is used in pods; nodes would hold it several times.
const NEEDLESS: [&str; 6] = ["boot", "dev", "usr/include", "usr/share", "usr/src", "var"];
/// Where a program of a Debian root may be.
const PROGRAMS: [&str; 4] = ["bin", "sbin", "usr/bin", "usr/sbin"];
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The tests of supplementary groups ask for the user 1000 and its group 50000.
const USERS: [(&str, &str); 3] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n\
         nobody:x:65534:65534:nobody:/:/bin/false\n",
    ),
    (
        "etc/group",
        "root:x:0:\nuser:x:1000:\nimage:x:50000:user\nnogroup:x:65534:\n",
    ),
    ("etc/nsswitch.conf", "hosts: files dns\n"),
];

/// The images that stand in for a suite's, in a store below a directory.
pub(super) struct Images {
    store: Store,
    /// The names under which the tests ask for them.
    names: Vec<String>,
}

impl Images {
    /// Makes what is missing there.
    pub(super) fn make(suite: &Suite, directory: &Path) -> Result<Self, Failure> {
        let images = Self::of(suite, directory)?;
        let (stamp, inputs) = (
            directory.join("images.inputs"),
            inputs(suite, &images.names)?,
        );
        if fs::read_to_string(&stamp).is_ok_and(|made_from| made_from == inputs) {
            return Ok(images);
        }
        let tools = make_tools(directory)?;
        let mut maker = Maker {
            store: &images.store,
            suite,
            scratch: tempfile::tempdir_in(directory)?,
            tools,
            bases: BTreeMap::new(),
        };
        say(&format!(
            "making {} stand-ins for images",
            images.names.len()
        ));
        for name in &images.names {
            if let Some(stand_in) = stand_in(name) {
                maker.make(name, stand_in)?;
            }
        }
        fs::write(stamp, inputs)?;
        Ok(images)
    }

    /// Those that were made there.
    pub(super) fn of(suite: &Suite, directory: &Path) -> Result<Self, Failure> {
        let store = Store::open(&directory.join("images"))?;
        let mut names = suite.images()?;
        names.retain(|name| stand_in(name).is_some_and(|image| is_possible(image, suite)));
        names.sort();
        names.dedup();
        Ok(Self { store, names })
    }

    /// Puts into a registry those that the tests pull though the nodes have them.
    pub(super) fn publish(&self, registry: &Registry) -> Result<(), Failure> {
        let access = Access::from_environment(&BTreeMap::new());
        for name in self.names.iter().filter(|name| is_pulled(name)) {
            let (_, path) = name.split_once('/').ok_or("an image of no registry")?;
            let image = self.store.find_image(name)?;
            let image = image.ok_or_else(|| format!("no stand-in for {name} was made"))?;
            let reference = registry.image(path).parse()?;
            push(
                &self.store,
                &image,
                &reference,
                LayerForm::Plain,
                &access,
                &|_| {},
            )?;
        }
        Ok(())
    }

    /// Writes those that are not among the names already there as one archive.
    pub(super) fn archive(&self, there: &BTreeSet<String>, path: &Path) -> Result<(), Failure> {
        let mut images = Vec::new();
        for name in self.names.iter().filter(|name| !there.contains(*name)) {
            let image = self.store.find_image(name)?;
            images.push(image.ok_or_else(|| format!("no stand-in for {name} was made"))?);
        }
        kind_image::archive::write(&self.store, &images, File::create(path)?)?;
        Ok(())
    }
}

/// What the images of a suite are made of: they stay as long as that does.
fn inputs(suite: &Suite, names: &[String]) -> Result<String, Failure> {
    let mut text = format!("{PACKAGES}\n{SH}\n{STAND_INS:?}\n{names:?}\n");
    for part in STAND_INS.iter().flat_map(StandIn::parts) {
        if let Ok(metadata) = fs::metadata(suite.part(part)) {
            let (size, modified) = (metadata.len(), metadata.modified()?);
            let _ = writeln!(text, "{} {part} {size} {modified:?}", suite.version);
        }
    }
    Ok(text)
}

/// Whether a test asks for it with the policy `Always`.
fn is_pulled(name: &str) -> bool {
    stand_in(name).is_some_and(|image| image.name == "kitten")
}

/// Whether the suite has all that the image is made of.
fn is_possible(image: &StandIn, suite: &Suite) -> bool {
    // Only for pods that serve TLS.
    let mut needed = image
        .parts()
        .filter(|part| !part.starts_with("localhost.") && *part != "coredns");
    needed.all(|part| suite.part(part).is_file())
}

/// A root with Debian's packages, made once for a list of them.
fn make_tools(directory: &Path) -> Result<PathBuf, Failure> {
    let (root, stamp) = (directory.join("tools"), directory.join("tools.packages"));
    if fs::read_to_string(&stamp).is_ok_and(|packages| packages == PACKAGES) {
        return Ok(root);
    }
    remove(&root)?;
    run(program("mmdebstrap")
        .args(["--mode=root", "--variant=extract", "--format=directory"])
        .args(["--quiet", &format!("--include={PACKAGES}"), SUITE])
        .arg(&root)
        .env_remove("TMPDIR"))?;
    for part in NEEDLESS {
        remove(&root.join(part))?;
    }
    symlink("nc.openbsd", root.join("bin/nc"))?;
    finish_base(&root, &root)?;
    fs::write(&stamp, PACKAGES)?;
    Ok(root)
}

/// Gives a root the directories that every pod has, users, a shell, and busybox' names for what it lacks. Programs come
/// from the root `tools`.
fn finish_base(root: &Path, tools: &Path) -> Result<(), Failure> {
    for directory in [
        "bin", "dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var/tmp",
    ] {
        fs::create_dir_all(root.join(directory))?;
    }
    for directory in ["tmp", "var/tmp"] {
        fs::set_permissions(root.join(directory), fs::Permissions::from_mode(0o1777))?;
    }
    for (path, text) in USERS {
        fs::write(root.join(path), text)?;
    }
    let busybox = tools.join("bin/busybox");
    if root != tools {
        fs::copy(&busybox, root.join("bin/busybox"))?;
        fs::copy(tools.join(SHELL), root.join(SHELL))?;
    }
    for name in ["bash", "sh"] {
        remove_file(&root.join("bin").join(name))?;
        symlink("bash-static", root.join("bin").join(name))?;
    }
    if root != tools {
        let sh = root.join("bin/sh");
        remove_file(&sh)?;
        fs::write(&sh, SH)?;
        fs::set_permissions(&sh, fs::Permissions::from_mode(0o755))?;
    }
    for applet in output(program(&busybox).arg("--list"))?.lines() {
        let there = |directory| root.join(directory).join(applet).symlink_metadata().is_ok();
        if !PROGRAMS.into_iter().any(there) {
            symlink("busybox", root.join("bin").join(applet))?;
        }
    }
    Ok(())
}

fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

struct Maker<'a> {
    store: &'a Store,
    suite: &'a Suite,
    scratch: tempfile::TempDir,
    tools: PathBuf,
    /// Layers that are in the store by now.
    bases: BTreeMap<&'static str, Layer>,
}

impl Maker<'_> {
    fn make(&mut self, name: &str, image: &StandIn) -> Result<(), Failure> {
        let mut draft = self.store.draft()?;
        self.add_base(&mut draft, image.base)?;
        let root = self.scratch.path().join("content");
        fs::create_dir(&root)?;
        for (path, content) in image.content {
            self.add(&root.join(path), content)?;
        }
        draft.add_directory(&root, Placement::Move)?;
        draft.commit(config(image), &[name.parse()?])?;
        Ok(())
    }

    fn add_base(&mut self, draft: &mut Draft, base: Base) -> Result<(), Failure> {
        let (name, root) = match base {
            Base::Empty => return Ok(()),
            Base::Tools => ("tools", self.tools.clone()),
            Base::Busybox => ("busybox", self.scratch.path().join("busybox")),
        };
        if let Some(layer) = self.bases.get(name)
            && draft.add_known(layer)
        {
            return Ok(());
        }
        if base == Base::Busybox && !root.exists() {
            finish_base(&root, &self.tools)?;
        }
        let layer = draft.add_directory(&root, Placement::Link)?;
        self.bases.insert(name, layer);
        Ok(())
    }

    fn add(&self, path: &Path, content: &Content) -> Result<(), Failure> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let mode = match *content {
            Content::Part(part, mode) => {
                let part = self.suite.part(part);
                if !part.is_file() {
                    return Ok(());
                }
                fs::copy(part, path)?;
                mode
            }
            Content::Text(text, mode) => {
                fs::write(path, text)?;
                mode
            }
            Content::Link(target) => return Ok(symlink(target, path)?),
            Content::Directory => return Ok(fs::create_dir_all(path)?),
        };
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(mode))?)
    }
}

fn config(image: &StandIn) -> ImageConfig {
    let words = |words: &[&str]| -> Option<Vec<String>> {
        let words: Vec<_> = words.iter().map(|&word| word.to_owned()).collect();
        (!words.is_empty()).then_some(words)
    };
    let platform = Platform::of_host();
    ImageConfig {
        architecture: platform.architecture,
        os: platform.os,
        config: RunConfig {
            entrypoint: words(image.entrypoint),
            cmd: words(image.command),
            env: words(&[PATH]),
            user: (!image.user.is_empty()).then(|| image.user.to_owned()),
            ..RunConfig::default()
        },
        ..ImageConfig::default()
    }
}
