//! Kubernetes from a release's server tarball.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::workshop::{Key, Made, Work, Workshop, file_digest};
use super::{Error, Event, Step, tree};

/// Where a server tarball has its programs.
const DIRECTORY: &str = "kubernetes/server/bin";

/// What a node image is made from.
const PROGRAMS: &[&str] = &[
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
];

/// A program larger than this is none; real ones have up to 120 MB.
const MAX_PROGRAM: u64 = 1 << 30;

/// The programs in `bin/`, and the version in the file `version`.
pub(super) fn make(workshop: &Workshop<'_>, tarball: &Path) -> Result<Made, Error> {
    let key = Key::of(["tarball 1", file_digest(tarball)?.hex()]);
    let path = workshop.step(Step::Unpack, &key, |work| unpack(work, tarball))?;
    Ok(Made { path, key })
}

fn unpack(work: &Work<'_>, tarball: &Path) -> Result<(), Error> {
    let bin = work.directory.join("bin");
    tree::make_directory(&bin)?;
    let found = take_programs(work, tarball, &bin)?;
    if let Some(missing) = PROGRAMS.iter().find(|program| !found.contains(program)) {
        return Err(Error::Unexpected {
            step: work.step,
            what: format!("{} has no {DIRECTORY}/{missing}", tarball.display()),
        });
    }
    let mut command = Command::new(bin.join("kubeadm"));
    command.args(["version", "--output", "short"]);
    let version = work.output(command)?;
    if !super::source::is_version(version.trim()) {
        return Err(Error::Unexpected {
            step: work.step,
            what: format!("its kubeadm says that it is version {:?}", version.trim()),
        });
    }
    tree::write_file(&work.directory.join("version"), 0o644, version.trim())
}

/// Takes the programs out of a tarball. Where they go is decided here and never by the archive.
fn take_programs(work: &Work<'_>, tarball: &Path, bin: &Path) -> Result<Vec<&'static str>, Error> {
    let fail = |error: io::Error| Error::path("read", tarball)(error);
    let file = File::open(tarball).map_err(fail)?;
    let mut archive = Archive::new(GzDecoder::new(BufReader::with_capacity(1 << 20, file)));
    let mut found = Vec::new();
    for entry in archive.entries().map_err(fail)? {
        let mut entry = entry.map_err(fail)?;
        let path = entry.path().map_err(fail)?.into_owned();
        let Some(program) = wanted(&path).filter(|program| !found.contains(program)) else {
            continue;
        };
        if entry.header().entry_type() != EntryType::Regular || entry.size() > MAX_PROGRAM {
            continue;
        }
        (work.observer)(Event::Progress {
            step: work.step,
            text: program,
        });
        write_program(&mut entry, &bin.join(program))?;
        found.push(program);
    }
    Ok(found)
}

/// The program that an entry of the tarball is.
fn wanted(path: &Path) -> Option<&'static str> {
    let path: PathBuf = path
        .components()
        .filter(|part| part.as_os_str() != ".")
        .collect();
    let matches = |program: &&&str| path == Path::new(DIRECTORY).join(program);
    PROGRAMS.iter().find(matches).copied()
}

fn write_program(content: &mut dyn Read, path: &Path) -> Result<(), Error> {
    tree::write_file(path, 0o755, "")?;
    File::options()
        .write(true)
        .open(path)
        .and_then(|mut file| io::copy(content, &mut file))
        .map(|_| ())
        .map_err(Error::path("write", path))
}

/// Whether a file could be a server tarball at all; a message before long work is worth it.
pub(super) fn check(tarball: &Path) -> Result<(), Error> {
    fs::metadata(tarball)
        .and_then(|metadata| match metadata.is_file() {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidInput.into()),
        })
        .map_err(Error::path("read", tarball))
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn tarball(place: &Path, programs: &[&str], kubeadm: &str) -> PathBuf {
        let path = place.join("server.tar.gz");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        let mut add = |name: &str, content: &str| {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            builder
                .append_data(&mut header, name, content.as_bytes())
                .unwrap();
        };
        add("kubernetes/LICENSES", "");
        for program in programs {
            let content = if *program == "kubeadm" { kubeadm } else { "" };
            add(&format!("./kubernetes/server/bin/{program}"), content);
            add(&format!("kubernetes/server/bin/{program}.tar"), "an image");
        }
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    fn build(programs: &[&str], kubeadm: &str) -> Result<(Made, tempfile::TempDir), Error> {
        let place = tempfile::tempdir().unwrap();
        let path = tarball(place.path(), programs, kubeadm);
        let workshop = Workshop::open(&place.path().join("cache"), &|_| {})?;
        Ok((make(&workshop, &path)?, place))
    }

    #[test]
    fn programs_and_version_come_out() {
        let (made, _place) = build(PROGRAMS, "#!/bin/sh\necho v1.33.4\n").unwrap();
        assert_eq!(
            fs::read_to_string(made.path.join("version")).unwrap(),
            "v1.33.4"
        );
        assert_eq!(
            fs::read_dir(made.path.join("bin")).unwrap().count(),
            PROGRAMS.len()
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let error = build(&PROGRAMS[1..], "").unwrap_err();
        assert!(error.to_string().contains("kube-apiserver"), "{error}");
        let error = build(PROGRAMS, "#!/bin/sh\necho unknown\n").unwrap_err();
        assert!(error.to_string().contains("unknown"), "{error}");
    }
}
