//! Kubernetes from a server tarball.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::process::Command;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::cache::{BuildCache, CacheKey, StepContext, StepOutput, file_digest};
use super::{Error, Event, Step, tree};

/// Where a server tarball has its programs.
const DIRECTORY: &str = "kubernetes/server/bin";

/// What a node image is made from.
pub(super) const PROGRAMS: &[&str] = &[
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
];

/// What a tarball for hosts without a registry has beside them; a release's has none.
const OPTIONAL: &[&str] = &[super::components::ETCD];

/// A program larger than this is none; real ones have up to 120 MB.
const MAX_PROGRAM: u64 = 1 << 30;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The programs in `bin/`, and the version in the file `version`.
pub(super) fn make_from_tarball(
    build_cache: &BuildCache<'_>,
    tarball: &Path,
) -> Result<StepOutput, Error> {
    let name = tarball.display().to_string();
    build_cache.report_note(&format!("Building using local file: {name:?}"));
    let key = CacheKey::of_parts(["tarball 2", file_digest(tarball)?.hex()]);
    make_keyed(build_cache, tarball, &name, key)
}

/// The same from a tarball that stands for `key`; `name` is what messages call it.
pub(super) fn make_keyed(
    build_cache: &BuildCache<'_>,
    tarball: &Path,
    name: &str,
    key: CacheKey,
) -> Result<StepOutput, Error> {
    let unpacking = |work: &StepContext<'_>| Unpacking { work, name }.unpack_programs(tarball);
    let path = build_cache.cached_step(Step::Unpack, &key, unpacking)?;
    Ok(StepOutput { path, key })
}

struct Unpacking<'a> {
    work: &'a StepContext<'a>,
    name: &'a str,
}

impl Unpacking<'_> {
    fn unpack_programs(&self, tarball: &Path) -> Result<(), Error> {
        let work = self.work;
        let bin = work.directory.join("bin");
        tree::make_directory(&bin)?;
        let file = File::open(tarball).map_err(Error::path("open", tarball))?;
        let found = self.take_programs(file, &bin)?;
        if let Some(missing) = PROGRAMS.iter().find(|program| !found.contains(program)) {
            return Err(self.bad_tarball(format!("it has no {DIRECTORY}/{missing}")));
        }
        let mut command = Command::new(bin.join("kubeadm"));
        command.args(["version", "--output", "short"]);
        let version = work.command_output(command)?;
        if !super::source::is_version(version.trim()) {
            let version = version.trim();
            return Err(
                self.bad_tarball(format!("its kubeadm says that it is version {version:?}"))
            );
        }
        tree::write_file(&work.directory.join("version"), 0o644, version.trim())
    }

    /// Takes the programs out. Where they go is decided here and never by the archive; one that tries to
    /// decide is refused all the same.
    fn take_programs(&self, file: File, bin: &Path) -> Result<Vec<&'static str>, Error> {
        let fail = |error: io::Error| self.bad_tarball(error.to_string());
        let mut file = BufReader::with_capacity(1 << 20, file);
        if !file.fill_buf().map_err(fail)?.starts_with(&GZIP) {
            return Err(self.bad_tarball("it is not compressed with gzip".to_owned()));
        }
        let mut archive = Archive::new(MultiGzDecoder::new(file));
        let mut found = Vec::new();
        for entry in archive.entries().map_err(fail)? {
            let mut entry = entry.map_err(fail)?;
            let path = entry.path().map_err(fail)?.into_owned();
            if leaves_directory(&path) {
                let path = path.display();
                return Err(self.bad_tarball(format!("its entry {path} leads out of it")));
            }
            let Some(program) = wanted_program(&path).filter(|program| !found.contains(program))
            else {
                continue;
            };
            if entry.header().entry_type() != EntryType::Regular || entry.size() > MAX_PROGRAM {
                return Err(self.bad_tarball(format!("its entry {} is no program", path.display())));
            }
            (self.work.observer)(Event::Progress {
                step: self.work.step,
                text: program,
            });
            self.write_program(&mut entry, &bin.join(program))?;
            found.push(program);
        }
        Ok(found)
    }

    fn write_program(&self, content: &mut dyn Read, path: &Path) -> Result<(), Error> {
        tree::write_file(path, 0o755, "")?;
        let file = File::options().write(true).open(path);
        let mut file = file.map_err(Error::path("write", path))?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            // What cannot be read is the archive's fault, what cannot be written is the disk's.
            let count = content
                .read(&mut buffer)
                .map_err(|error| self.bad_tarball(error.to_string()))?;
            if count == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..count])
                .map_err(Error::path("write", path))?;
        }
    }

    fn bad_tarball(&self, reason: String) -> Error {
        Error::Tarball {
            name: self.name.to_owned(),
            reason,
        }
    }
}

/// Whether an entry's name leads out of the directory that an archive is unpacked in.
fn leaves_directory(path: &Path) -> bool {
    let mut parts = path.components();
    parts.any(|part| matches!(part, Component::ParentDir | Component::RootDir))
}

/// The program that an entry of the tarball is.
fn wanted_program(path: &Path) -> Option<&'static str> {
    let path: PathBuf = path
        .components()
        .filter(|part| part.as_os_str() != ".")
        .collect();
    let matches = |program: &&&str| path == Path::new(DIRECTORY).join(program);
    let mut known = PROGRAMS.iter().chain(OPTIONAL);
    known.find(matches).copied()
}

/// Whether a file could be a server tarball at all; a message before long work is worth it.
pub(super) fn check_tarball(tarball: &Path) -> Result<(), Error> {
    fs::metadata(tarball)
        .and_then(|metadata| {
            if metadata.is_file() {
                Ok(())
            } else {
                Err(io::ErrorKind::InvalidInput.into())
            }
        })
        .map_err(Error::path("read", tarball))
}

#[cfg(test)]
pub(super) mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;
    use crate::Code;
    use crate::build::Stop;

    pub(in crate::build) fn tarball(place: &Path, programs: &[&str], kubeadm: &str) -> PathBuf {
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

    fn build(programs: &[&str], kubeadm: &str) -> Result<(StepOutput, tempfile::TempDir), Error> {
        let place = tempfile::tempdir().unwrap();
        let path = tarball(place.path(), programs, kubeadm);
        let build_cache =
            BuildCache::open_directory(&place.path().join("cache"), &|_| {}, &Stop::default())?;
        Ok((make_from_tarball(&build_cache, &path)?, place))
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
    fn an_etcd_comes_out_if_there_is_one() {
        let with_etcd = [PROGRAMS, OPTIONAL].concat();
        let (made, _place) = build(&with_etcd, "#!/bin/sh\necho v1.36.1\n").unwrap();
        assert!(made.path.join("bin/etcd").is_file());
    }

    fn failure(path: &Path) -> String {
        let cache = tempfile::tempdir().unwrap();
        let build_cache =
            BuildCache::open_directory(cache.path(), &|_| {}, &Stop::default()).unwrap();
        let error = make_from_tarball(&build_cache, path).unwrap_err();
        assert_eq!(error.code(), Code::BuildTarball, "{error}");
        drop(build_cache);
        assert!(
            !cache.path().join("tmp").exists(),
            "temporary files are removed"
        );
        assert!(!cache.path().join("unpack").exists());
        error.to_string()
    }

    #[test]
    fn files_that_are_no_tarballs_are_told_apart() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("x");
        fs::write(&path, "<html>not here</html>").unwrap();
        assert!(failure(&path).contains("not compressed with gzip"));
        let whole = tarball(place.path(), PROGRAMS, "#!/bin/sh\necho v1.33.4\n");
        let bytes = fs::read(&whole).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let text = failure(&path);
        assert!(text.contains("is no Kubernetes server tarball"), "{text}");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.as_mut_bytes()[..26].copy_from_slice(b"kubernetes/../../etc/evil\0");
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        let text = failure(&path);
        assert!(
            text.contains("kubernetes/../../etc/evil leads out"),
            "{text}"
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
