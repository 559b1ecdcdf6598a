//! Kubernetes from a source tree, built by its own `make`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache::{BuildCache, CacheKey, StepOutput, file_digest};
use super::host::host_architecture;
use super::stop::set_apart;
use super::tarball::PROGRAMS;
use super::{Error, Request, Step, Stop, node_files, tree};

const STATUS: &str = "hack/print-workspace-status.sh";
const MODULE: &str = "module k8s.io/kubernetes";
/// Where GOPATH may have the tree.
const PLACES: [&str; 2] = [
    "src/k8s.io/kubernetes",
    "src/github.com/kubernetes/kubernetes",
];

/// The programs in `bin/`, and the version in the file `version`.
///
/// With docker the tree builds itself in its own build container, as kind has it do; without, with this
/// machine's `go`. What `make` finds unchanged it does not build again.
pub(super) fn make_from_checkout(
    build_cache: &BuildCache<'_>,
    request: &Request,
    path: &Path,
) -> Result<StepOutput, Error> {
    let root = find_tree(path, request)?;
    build_cache.report_note(&format!(
        "Building using source: {:?}",
        root.display().to_string()
    ));
    if docker_answers() {
        return make_in_container(build_cache, &root);
    }
    build_cache.report_note("docker does not answer: building with this machine's go");
    make_here(build_cache, &root)
}

fn make_in_container(build_cache: &BuildCache<'_>, root: &Path) -> Result<StepOutput, Error> {
    let (version, platform) = (read_version(root)?, build_platform()?);
    build_in_container(&build_cache.stop, root, &version, &platform)?;
    collect_programs(
        build_cache,
        &output_directory(root, "dockerized", &platform),
        &version,
    )
}

fn make_here(build_cache: &BuildCache<'_>, root: &Path) -> Result<StepOutput, Error> {
    let (version, platform) = (read_version(root)?, build_platform()?);
    build_here(&build_cache.stop, root, &platform)?;
    collect_programs(
        build_cache,
        &output_directory(root, "local", &platform),
        &version,
    )
}

/// What this machine is, in the tree's words.
fn build_platform() -> Result<String, Error> {
    Ok(format!("linux/{}", host_architecture()?))
}

/// Where the tree puts the programs of one way to build it.
fn output_directory(root: &Path, way: &str, platform: &str) -> PathBuf {
    root.join("_output").join(way).join("bin").join(platform)
}

/// The tree: the given one, or the first that stands where trees stand.
fn find_tree(path: &Path, request: &Request) -> Result<PathBuf, Error> {
    if !path.as_os_str().is_empty() {
        if path.join(STATUS).is_file() {
            return path.canonicalize().map_err(Error::path("find", path));
        }
        let text = format!("{} has no {STATUS}", path.display());
        return Err(Error::NoTree(text));
    }
    let variable = |name: &str| {
        request
            .environment
            .get(name)
            .filter(|value| !value.is_empty())
    };
    let home = || variable("HOME").map(|home| format!("{home}/go"));
    let gopath = variable("GOPATH")
        .cloned()
        .or_else(home)
        .unwrap_or_default();
    let below = PLACES.map(|place| Path::new(&gopath).join(place));
    let here = std::env::current_dir().map_err(Error::path("find", Path::new(".")))?;
    let mut candidates = std::iter::once(here).chain(below);
    let found = candidates.find(|directory| {
        fs::read_to_string(directory.join("go.mod"))
            .is_ok_and(|text| text.lines().any(|line| line.trim() == MODULE))
    });
    found.ok_or_else(|| {
        Error::NoTree(format!(
            "could not find Kubernetes source under current working directory or GOPATH={gopath}"
        ))
    })
}

/// What the tree says that it is.
fn read_version(root: &Path) -> Result<String, Error> {
    let output = Command::new(root.join(STATUS))
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(Error::path("run", &root.join(STATUS)))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("gitVersion "));
    let version = line
        .map(str::trim)
        .filter(|version| super::source::is_version(version));
    version.map(str::to_owned).ok_or_else(|| {
        Error::NoTree(format!(
            "{STATUS} of {} tells no gitVersion",
            root.display()
        ))
    })
}

fn docker_answers() -> bool {
    let mut command = Command::new("docker");
    command.arg("info");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Options of all builds: nothing that a node image does not need.
fn build_options(platform: &str) -> [String; 4] {
    [
        "KUBE_VERBOSE=0".to_owned(),
        "KUBE_BUILD_HYPERKUBE=n".to_owned(),
        "KUBE_BUILD_CONFORMANCE=n".to_owned(),
        format!("KUBE_BUILD_PLATFORMS={platform}"),
    ]
}

fn build_in_container(
    stop: &Stop,
    root: &Path,
    version: &str,
    platform: &str,
) -> Result<(), Error> {
    let mut command = Command::new("make");
    command
        .arg("-C")
        .arg(root)
        .arg("quick-release-images")
        .arg("KUBE_EXTRA_WHAT=cmd/kubeadm cmd/kubectl cmd/kubelet")
        .args(build_options(platform));
    run_build(stop, command)?;
    // Before, that target built no more than the images.
    if node_files::is_since(version, (1, 21)) {
        return Ok(());
    }
    let mut command = Command::new(root.join("build/run.sh"));
    command
        .current_dir(root)
        .args(["make", "all", "WHAT=cmd/kubeadm cmd/kubectl cmd/kubelet"])
        .args(build_options(platform));
    run_build(stop, command)
}

fn build_here(stop: &Stop, root: &Path, platform: &str) -> Result<(), Error> {
    let what: Vec<String> = PROGRAMS
        .iter()
        .map(|program| format!("cmd/{program}"))
        .collect();
    let mut command = Command::new("make");
    command
        .arg("-C")
        .arg(root)
        .arg("all")
        .arg(format!("WHAT={}", what.join(" ")))
        .args(build_options(platform))
        // Programs that stand alone in their images need no libraries.
        .env("CGO_ENABLED", "0");
    run_build(stop, command)
}

/// Runs a build with the user's terminal. Its output is none of ours, so it is not on standard output.
fn run_build(stop: &Stop, mut command: Command) -> Result<(), Error> {
    let program = Path::new(command.get_program()).to_owned();
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::MissingTool {
            tool: program.display().to_string(),
            package: "make",
        },
        _ => Error::path("run", &program)(source),
    };
    set_apart(command.stdin(Stdio::null()).stdout(io::stderr()));
    let mut child = command.spawn().map_err(failed)?;
    let status = stop.await_end(&mut child).map_err(failed)?;
    stop.check()?;
    if status.success() {
        Ok(())
    } else {
        Err(Error::Unexpected {
            step: Step::Compile,
            what: format!("`{}` failed ({status})", program.display()),
        })
    }
}

/// Keeps the programs, under a key of what they are.
fn collect_programs(
    build_cache: &BuildCache<'_>,
    programs: &Path,
    version: &str,
) -> Result<StepOutput, Error> {
    let mut parts = vec!["tree 1".to_owned(), version.to_owned()];
    for program in PROGRAMS {
        parts.push(file_digest(&programs.join(program))?.hex().to_owned());
    }
    let key = CacheKey::of_parts(parts);
    let path = build_cache.cached_step(Step::Unpack, &key, |work| {
        for program in PROGRAMS {
            let to = work.directory.join("bin").join(program);
            tree::copy_program(&programs.join(program), &to)?;
        }
        tree::write_file(&work.directory.join("version"), 0o644, version)
    })?;
    Ok(StepOutput { path, key })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kind_testkit::machine::require_programs;

    use super::super::AddOns;
    use super::*;
    use crate::Code;
    use crate::build::Source;

    fn request(gopath: &Path) -> Request {
        let add_ons = AddOns {
            manifests: BTreeMap::new(),
            node_agent: PathBuf::new(),
        };
        let source = Source::Tree(PathBuf::new());
        let mut request = Request::new(source, "node".parse().unwrap(), add_ons, gopath);
        let gopath = gopath.display().to_string();
        request.environment = BTreeMap::from([("GOPATH".to_owned(), gopath)]);
        request
    }

    /// A tree whose `make` only notes what it was asked for and "builds" scripts.
    fn plant(root: &Path) {
        tree::write_file(&root.join("go.mod"), 0o644, "module k8s.io/kubernetes\n").unwrap();
        let status = "#!/bin/sh\necho STABLE_X y\necho gitVersion v1.33.0-alpha.1\n";
        tree::write_file(&root.join(STATUS), 0o755, status).unwrap();
        let bin = "_output/local/bin/$(KUBE_BUILD_PLATFORMS)";
        let makefile = format!(
            "all:\n\tmkdir -p {bin}\n\tfor p in $(WHAT); do echo $$CGO_ENABLED >{bin}/$${{p#cmd/}}; done\n\
             quick-release-images:\n\tfalse\n"
        );
        tree::write_file(&root.join("Makefile"), 0o644, &makefile).unwrap();
    }

    #[test]
    fn a_tree_is_found_in_gopath_and_its_programs_are_taken() {
        require_programs(&["make"]);
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join(PLACES[1]);
        plant(&tree);
        assert_eq!(
            find_tree(Path::new(""), &request(place.path())).unwrap(),
            tree
        );
        let cache = place.path().join("cache");
        let build_cache = BuildCache::open_directory(&cache, &|_| {}, &Stop::default()).unwrap();
        // Where docker answers, the product would take the other way.
        let made = make_here(&build_cache, &tree).unwrap();
        let version = fs::read_to_string(made.path.join("version")).unwrap();
        assert_eq!(version, "v1.33.0-alpha.1");
        assert_eq!(
            fs::read_to_string(made.path.join("bin/kubelet")).unwrap(),
            "0\n"
        );
    }

    #[test]
    fn what_is_no_tree_is_told() {
        let place = tempfile::tempdir().unwrap();
        let error = find_tree(Path::new(""), &request(place.path())).unwrap_err();
        let expected = format!(
            "error finding kuberoot: could not find Kubernetes source under current working \
             directory or GOPATH={}",
            place.path().display()
        );
        assert_eq!(error.to_string(), expected);
        let error = find_tree(place.path(), &request(place.path())).unwrap_err();
        assert_eq!(error.code(), Code::BuildSourceTree);
    }
}
