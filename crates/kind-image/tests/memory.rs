//! How much memory hostile input costs: each runs in a process of its own, whose peak is measured.
#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::GzEncoder;
use kind_image::archive::Archive;
use kind_image::oci::{ImageConfig, Index, Manifest, Platform};
use kind_image::unpack::{self, Options, Ownership};
use tar::{EntryType, Header};

/// What any input may cost.
const LIMIT: u64 = 64 << 20;
/// Names the case that this process is for.
const CASE: &str = "KIND_MEMORY_CASE";
/// The file that says what it cost.
const REPORT: &str = "KIND_MEMORY_REPORT";

type Case = (&'static str, fn(&Path));

const CASES: [Case; 10] = [
    ("a long name in an archive", long_name_in_an_archive),
    ("a long name in a layer", long_name_in_a_layer),
    ("many extensions of one entry", many_extensions),
    ("many entries", many_entries),
    ("many directories", many_directories),
    ("a long index", |_| {
        parse::<Index>(&descriptors("manifests"))
    }),
    ("a manifest of many layers", |_| {
        parse::<Manifest>(&manifest())
    }),
    ("many labels", |_| parse::<ImageConfig>(&labels())),
    ("many images of many layers", many_docker_layers),
    ("a large window", large_window),
];

#[test]
fn no_input_costs_much_memory() {
    if let Ok(wanted) = env::var(CASE) {
        let (_, case) = CASES.iter().find(|(name, _)| *name == wanted).unwrap();
        let place = tempfile::tempdir().unwrap();
        let before = peak();
        case(place.path());
        let report = env::var(REPORT).unwrap();
        return fs::write(report, (peak() - before).to_string()).unwrap();
    }
    let place = tempfile::tempdir().unwrap();
    let report = place.path().join("report");
    for (name, _) in CASES {
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "no_input_costs_much_memory"])
            .env(CASE, name)
            .env(REPORT, &report)
            .status()
            .unwrap();
        assert!(status.success(), "{name}");
        let bytes: u64 = fs::read_to_string(&report).unwrap().parse().unwrap();
        assert!(bytes <= LIMIT, "{name} costs {} MiB", bytes >> 20);
    }
}

/// As much of this process as was ever in memory.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap();
    kib << 10
}

fn header(kind: EntryType, name: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size);
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_cksum();
    header
}

/// Writes an entry whose content repeats a byte.
fn write_entry(out: &mut impl Write, kind: EntryType, name: &str, size: u64) {
    out.write_all(header(kind, name, size).as_bytes()).unwrap();
    let mut content = io::repeat(b'n').take(size.next_multiple_of(512));
    io::copy(&mut content, out).unwrap();
}

fn open(path: &Path) -> Result<usize, kind_image::Error> {
    let spool = path.parent().unwrap();
    let archive = Archive::open_file(path, spool)?;
    Ok(archive.images(&Platform::new("linux", "amd64"))?.len())
}

const LONG: u64 = 100 << 20;

fn long_name_in_an_archive(place: &Path) {
    let path = place.join("archive.tar.gz");
    let mut out = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
    write_entry(&mut out, EntryType::GNULongName, "x", LONG);
    write_entry(&mut out, EntryType::Regular, "x", 0);
    out.finish().unwrap();
    assert!(open(&path).is_err());
}

fn unpack_stream(place: &Path, stream: impl Read) -> Result<(), kind_image::Error> {
    let options = Options {
        ownership: Ownership::Caller,
        ..Options::layer()
    };
    let root = unpack::open_root(place)?;
    unpack::into(&root, stream, &options).map(drop)
}

/// What `write` writes, without ever being in memory as a whole.
fn piped<R>(
    write: impl FnOnce(&mut io::BufWriter<io::PipeWriter>) + Send,
    read: impl FnOnce(io::PipeReader) -> R,
) -> R {
    let write = |writer| {
        let mut writer = io::BufWriter::new(writer);
        write(&mut writer);
    };
    kind_image::concurrent::run_piped(write, read).unwrap().1
}

/// Who reads no more is told by an error, which is no failure here.
fn try_entries(out: &mut impl Write, count: usize, entry: impl Fn(&mut Vec<u8>, usize)) {
    for number in 0..count {
        let mut bytes = Vec::new();
        entry(&mut bytes, number);
        if out.write_all(&bytes).is_err() {
            return;
        }
    }
}

fn long_name_in_a_layer(place: &Path) {
    let write = |out: &mut io::BufWriter<io::PipeWriter>| {
        let _ = out.write_all(header(EntryType::XHeader, "x", LONG).as_bytes());
        let _ = io::copy(&mut io::repeat(b'n').take(LONG), out);
    };
    assert!(piped(write, |reader| unpack_stream(place, reader)).is_err());
}

fn many_extensions(place: &Path) {
    let record = |value: usize| {
        let rest = "SCHILY.xattr.user.a".len() + value + 3;
        let length = rest + (rest + 6).to_string().len();
        format!("{length} SCHILY.xattr.user.a={}\n", "v".repeat(value))
    };
    let text = record(900_000);
    let write = |out: &mut io::BufWriter<io::PipeWriter>| {
        try_entries(out, 300, |bytes, _| {
            let size = text.len() as u64;
            bytes.extend_from_slice(header(EntryType::XHeader, "x", size).as_bytes());
            bytes.extend_from_slice(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        });
    };
    assert!(piped(write, |reader| unpack_stream(place, reader)).is_err());
}

fn many_entries(place: &Path) {
    let path = place.join("archive.tar");
    let mut out = io::BufWriter::new(File::create(&path).unwrap());
    for number in 0..110_000 {
        let name = format!("{number:080}");
        out.write_all(header(EntryType::Regular, &name, 0).as_bytes())
            .unwrap();
    }
    out.into_inner().unwrap();
    assert!(open(&path).is_err());
}

fn many_directories(place: &Path) {
    let above = vec!["d".repeat(250); 14].join("/");
    let write = |out: &mut io::BufWriter<io::PipeWriter>| {
        try_entries(out, 1_000_000, |bytes, number| {
            let name = format!("{above}/{number}");
            write_entry_named(bytes, EntryType::Directory, &name);
        });
    };
    assert!(piped(write, |reader| unpack_stream(place, reader)).is_err());
}

fn write_entry_named(bytes: &mut Vec<u8>, kind: EntryType, name: &str) {
    let size = name.len() as u64;
    bytes.extend_from_slice(header(EntryType::GNULongName, "x", size).as_bytes());
    bytes.extend_from_slice(name.as_bytes());
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes.extend_from_slice(header(kind, "x", 0).as_bytes());
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) {
    assert!(serde_json::from_str::<T>(text).is_err());
}

/// As many bytes as a document may have.
const DOCUMENT: usize = 4 << 20;

/// A list of as many descriptors as there is room for.
fn descriptors(name: &str) -> String {
    let one = format!(
        r#"{{"mediaType":"","digest":"sha256:{}","size":0,"annotations":{{"a":""}}}}"#,
        "0".repeat(64)
    );
    let list = vec![one.as_str(); DOCUMENT / (one.len() + 1)].join(",");
    format!(r#"{{"schemaVersion":2,"{name}":[{list}]}}"#)
}

fn manifest() -> String {
    let config = format!(
        r#""config":{{"mediaType":"","digest":"sha256:{}","size":0}},"#,
        "0".repeat(64)
    );
    descriptors("layers").replacen('{', &format!("{{{config}"), 1)
}

fn labels() -> String {
    let labels: Vec<_> = (0..DOCUMENT / 12)
        .map(|number| format!(r#""{number:06x}":"""#))
        .collect();
    format!(
        r#"{{"config":{{"Labels":{{{}}}}},"rootfs":{{}}}}"#,
        labels.join(",")
    )
}

fn many_docker_layers(place: &Path) {
    let layers = vec![r#""l""#; 500].join(",");
    let image = format!(r#"{{"Config":"c","Layers":[{layers}]}}"#);
    let images = vec![image.as_str(); DOCUMENT / 2 / (image.len() + 1)].join(",");
    let diff_ids = vec![format!(r#""sha256:{}""#, "0".repeat(64)); 500].join(",");
    let config = format!(r#"{{"rootfs":{{"diff_ids":[{diff_ids}]}}}}"#);
    let path = place.join("archive.tar");
    let mut tar = tar::Builder::new(File::create(&path).unwrap());
    for (name, content) in [
        ("manifest.json", format!("[{images}]")),
        ("c", config),
        ("l", String::new()),
    ] {
        let mut header = header(EntryType::Regular, name, content.len() as u64);
        tar.append_data(&mut header, name, content.as_bytes())
            .unwrap();
    }
    tar.into_inner().unwrap();
    assert!(open(&path).is_err());
}

/// A frame whose window is as large as is taken, filled many times over.
fn large_window(place: &Path) {
    let path = place.join("archive.tar.zst");
    let mut out = io::BufWriter::new(File::create(&path).unwrap());
    out.write_all(&[0x28, 0xb5, 0x2f, 0xfd, 0, 14 << 3])
        .unwrap();
    for _ in 0..400 {
        // One byte, 128 KiB of it.
        out.write_all(&[0x02, 0x00, 0x10, 0]).unwrap();
    }
    out.write_all(&[0x03, 0x00, 0x00, 0]).unwrap();
    out.into_inner().unwrap();
    let error = open(&path).unwrap_err();
    assert_eq!(error.code(), kind_image::Code::NotAnImage, "{error}");
}
