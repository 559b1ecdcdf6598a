//! Kubernetes from a server tarball.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Component, Path};

use flate2::bufread::MultiGzDecoder;

use super::cache::{BuildCache, CacheKey, StepContext, StepOutput, file_digest};
use super::confined::ask_program;
use super::{Error, Event, Step, tree};
use crate::unpack::{Item, Kind, each_entry};

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

/// Has the version, as a tag of an image.
const TAG: &str = "kube-apiserver.docker_tag";

/// What a tarball for hosts without a registry has beside them; a release's has none.
const OPTIONAL: &[&str] = &[super::components::ETCD];

/// A program larger than this is none; real ones have up to 120 MB.
const MAX_PROGRAM: u64 = 1 << 30;

/// Real ones have ten bytes.
const MAX_TAG: u64 = 4 << 10;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The programs in `bin/`, and the version in the file `version`.
pub(super) fn make_from_tarball(
    build_cache: &BuildCache<'_>,
    tarball: &Path,
) -> Result<StepOutput, Error> {
    let name = tarball.display().to_string();
    build_cache.report_note(&format!("Building using local file: {name:?}"));
    let key = CacheKey::of_parts(["tarball 3", file_digest(tarball)?.hex()]);
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

/// What a tarball has.
#[derive(Default)]
struct Found {
    programs: Vec<&'static str>,
    version: Option<String>,
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
        let missing = |program: &&&str| !found.programs.contains(program);
        if let Some(missing) = PROGRAMS.iter().find(missing) {
            return Err(self.bad_tarball(format!("it has no {DIRECTORY}/{missing}")));
        }
        let version = match found.version {
            Some(version) => version,
            // Of programs that somebody has packed by hand.
            None => ask_program(
                work,
                &bin.join("kubeadm"),
                &["version", "--output", "short"],
            )?,
        };
        let version = version.trim();
        if !super::source::is_version(version) {
            return Err(self.bad_tarball(format!("it says that it is version {version:?}")));
        }
        tree::write_file(&work.directory.join("version"), 0o644, version)
    }

    /// Takes the programs out. Where they go is decided here and never by the archive; one that tries to
    /// decide is refused all the same.
    fn take_programs(&self, file: File, bin: &Path) -> Result<Found, Error> {
        let fail = |error: io::Error| self.bad_tarball(error.to_string());
        let mut file = BufReader::with_capacity(1 << 20, file);
        if !file.fill_buf().map_err(fail)?.starts_with(&GZIP) {
            return Err(self.bad_tarball("it is not compressed with gzip".to_owned()));
        }
        let mut found = Found::default();
        let taken = each_entry(MultiGzDecoder::new(file), |item, content| {
            self.take_entry(item, content, bin, &mut found)
        });
        taken.map_err(|error| match error {
            Error::Image(error) => fail(error.into()),
            other => other,
        })?;
        Ok(found)
    }

    fn take_entry(
        &self,
        item: &Item,
        content: &mut dyn Read,
        bin: &Path,
        found: &mut Found,
    ) -> Result<(), Error> {
        let path = &item.path;
        if leaves_directory(path) {
            let path = path.display();
            return Err(self.bad_tarball(format!("its entry {path} leads out of it")));
        }
        if is_at(path, TAG) {
            let mut tag = String::new();
            let read = content.take(MAX_TAG).read_to_string(&mut tag);
            read.map_err(|error| self.bad_tarball(error.to_string()))?;
            // What a version may have is more than a tag may.
            found.version = Some(tag.replace('_', "+"));
            return Ok(());
        }
        let wanted = wanted_program(path);
        let Some(program) = wanted.filter(|program| !found.programs.contains(program)) else {
            return Ok(());
        };
        if item.kind != Kind::File || item.size > MAX_PROGRAM {
            return Err(self.bad_tarball(format!("its entry {} is no program", path.display())));
        }
        (self.work.observer)(Event::Progress {
            step: self.work.step,
            text: program,
        });
        self.write_program(content, &bin.join(program))?;
        found.programs.push(program);
        Ok(())
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

/// Whether an entry is the file of that name beside the programs.
fn is_at(path: &Path, name: &str) -> bool {
    let parts = path.components().filter(|part| part.as_os_str() != ".");
    parts.eq(Path::new(DIRECTORY).join(name).components())
}

/// The program that an entry of the tarball is.
fn wanted_program(path: &Path) -> Option<&'static str> {
    let mut known = PROGRAMS.iter().chain(OPTIONAL);
    known.find(|program| is_at(path, program)).copied()
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

    use std::path::PathBuf;

    use super::*;
    use crate::Code;
    use crate::build::Stop;

    /// A tarball whose programs must not run: they would leave a file on the host.
    pub(in crate::build) fn tarball(place: &Path, programs: &[&str], tag: &str) -> PathBuf {
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
        let evil = format!("#!/bin/sh\necho v6.6.6\n: >{}/evil\n", place.display());
        add(&format!("kubernetes/server/bin/{TAG}"), tag);
        for program in programs {
            add(&format!("./kubernetes/server/bin/{program}"), &evil);
            add(&format!("kubernetes/server/bin/{program}.tar"), "an image");
        }
        builder.into_inner().unwrap().finish().unwrap();
        path
    }

    fn build(programs: &[&str], tag: &str) -> Result<(StepOutput, tempfile::TempDir), Error> {
        let place = tempfile::tempdir().unwrap();
        let path = tarball(place.path(), programs, tag);
        let build_cache =
            BuildCache::open_directory(&place.path().join("cache"), &|_| {}, &Stop::default())?;
        let made = make_from_tarball(&build_cache, &path)?;
        assert!(!place.path().join("evil").exists(), "a download has run");
        Ok((made, place))
    }

    #[test]
    fn programs_and_version_come_out() {
        let (made, _place) = build(PROGRAMS, "v1.33.4\n").unwrap();
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
    fn a_tag_is_a_version_with_other_signs() {
        let (made, _place) = build(PROGRAMS, "v1.34.0-alpha.1.5_abcdef").unwrap();
        let version = fs::read_to_string(made.path.join("version")).unwrap();
        assert_eq!(version, "v1.34.0-alpha.1.5+abcdef");
    }

    #[test]
    fn an_etcd_comes_out_if_there_is_one() {
        let with_etcd = [PROGRAMS, OPTIONAL].concat();
        let (made, _place) = build(&with_etcd, "v1.36.1").unwrap();
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
        let whole = tarball(place.path(), PROGRAMS, "v1.33.4\n");
        let bytes = fs::read(&whole).unwrap();
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let text = failure(&path);
        assert!(text.contains("is no Kubernetes server tarball"), "{text}");
        let encoder = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        let mut builder = tar::Builder::new(encoder);
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
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
        let error = build(PROGRAMS, "unknown\n").unwrap_err();
        assert!(error.to_string().contains("unknown"), "{error}");
    }
}
