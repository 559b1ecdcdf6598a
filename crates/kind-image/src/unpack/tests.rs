//! Unpacking: what it makes, and what it refuses.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::path::Path;

use kind_testkit::machine::require_root;
use proptest::prelude::*;
use tar::EntryType;
use tempfile::TempDir;

use super::testing::RawTar;
use super::{Lower, Options, Ownership, Summary, into, open_root};
use crate::{Error, Refusal};

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Options of a layer, as far as the caller may.
fn layer() -> Options {
    let mut options = Options::layer();
    if !is_root() {
        options.ownership = Ownership::Caller;
    }
    options
}

fn unpack(target: &Path, tar: RawTar, options: &Options) -> Result<Summary, Error> {
    into(open_root(target).unwrap(), tar.finish().as_slice(), options)
}

fn unpack_over(lower: &[&Path], target: &Path, tar: RawTar) -> Result<Summary, Error> {
    let (root, lower) = (
        open_root(target).unwrap(),
        Lower::open_layers(lower).unwrap(),
    );
    super::layer(root, &lower, tar.finish().as_slice(), &layer())
}

fn refusal(target: &Path, tar: RawTar) -> Refusal {
    match unpack_over(&[], target, tar) {
        Err(Error::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn everything_a_layer_holds_is_made() {
    let target = TempDir::new().unwrap();
    let long = format!("d/{}", "n".repeat(150));
    let tar = RawTar::default()
        .directory("./")
        .directory("./d/")
        .entry(EntryType::Regular, "d/tool", "", 0o4755, b"#!")
        .hard_link("d/again", "d/tool")
        .symlink("absolute", "/d")
        .file("absolute/through", b"a link")
        .entry(EntryType::Fifo, "pipe", "", 0o600, b"")
        .entry(
            EntryType::GNULongName,
            "long",
            "",
            0o644,
            format!("{long}\0").as_bytes(),
        )
        .file("short", b"long")
        .file("/rooted", b"root")
        .file("missing/parents/file", b"made");
    let summary = unpack(target.path(), tar, &layer()).unwrap();
    assert_eq!((summary.entries, summary.bytes > 20), (11, true));
    let tool = fs::metadata(target.path().join("d/tool")).unwrap();
    assert_eq!((tool.mode() & 0o7777, tool.nlink()), (0o4755, 2));
    assert_eq!(tool.mtime(), 1_700_000_000);
    assert_eq!(
        fs::metadata(target.path().join("d")).unwrap().mtime(),
        1_700_000_000
    );
    assert_eq!(
        fs::read(target.path().join("d/through")).unwrap(),
        b"a link"
    );
    assert_eq!(fs::read(target.path().join(long)).unwrap(), b"long");
    assert_eq!(fs::read(target.path().join("rooted")).unwrap(), b"root");
    assert!(target.path().join("missing/parents/file").is_file());
    assert!(
        fs::metadata(target.path().join("pipe"))
            .unwrap()
            .file_type()
            .is_fifo()
    );
}

/// A lower layer, and a directory for the one above it.
fn two_layers(lower: RawTar) -> (TempDir, TempDir) {
    let places = (TempDir::new().unwrap(), TempDir::new().unwrap());
    unpack_over(&[], places.0.path(), lower).unwrap();
    places
}

fn is_whiteout(path: &Path) -> bool {
    let metadata = fs::symlink_metadata(path).unwrap();
    metadata.file_type().is_char_device() && metadata.rdev() == 0
}

fn is_opaque(path: &Path) -> bool {
    let mut value = [0; 8];
    let length = rustix::fs::getxattr(path, "trusted.overlay.opaque", &mut value);
    length.is_ok_and(|length| value[..length] == *b"y")
}

#[test]
fn whiteouts_become_those_of_overlayfs() {
    require_root();
    let below = RawTar::default().file("etc/passwd", b"").file("opt/x", b"");
    let (lower, target) = two_layers(below);
    let tar = RawTar::default()
        .directory("etc")
        .file("etc/.wh.passwd", b"")
        .directory("opt")
        .file("opt/.wh..wh..opq", b"")
        .file(".wh..wh.plnk", b"");
    unpack_over(&[lower.path()], target.path(), tar).unwrap();
    assert!(is_whiteout(&target.path().join("etc/passwd")));
    assert!(is_opaque(&target.path().join("opt")));
    let names: Vec<_> = fs::read_dir(target.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "notes of aufs leave nothing");
}

#[test]
fn whiteouts_that_hide_nothing_leave_nothing() {
    let (lower, target) = two_layers(RawTar::default().file("a/x", b""));
    let tar = || {
        RawTar::default()
            .file(".wh.gone", b"")
            .file("a/.wh.gone", b"")
            .file("b/.wh.gone", b"")
            .directory("c")
            .file("c/.wh..wh..opq", b"")
            .file("c/.wh.gone", b"")
    };
    unpack_over(&[lower.path()], target.path(), tar()).unwrap();
    let lines = photograph(target.path());
    assert_eq!(lines.len(), 2, "{lines:?}");
    let lowest = TempDir::new().unwrap();
    unpack_over(&[], lowest.path(), tar()).unwrap();
    assert_eq!(fs::read_dir(lowest.path()).unwrap().count(), 1);
    assert!(!is_opaque(&lowest.path().join("c")));
}

#[test]
fn a_directory_that_is_not_listed_is_the_lower_one() {
    require_root();
    let below = RawTar::default()
        .extension(&[("uid", b"7"), ("gid", b"8"), ("mtime", b"1600000000")])
        .entry(EntryType::Directory, "home", "", 0o2711, b"")
        .extension(&[("SCHILY.xattr.user.note", b"kept")])
        .entry(EntryType::Directory, "home/tmp", "", 0o1777, b"");
    let (lower, target) = two_layers(below);
    let tar = RawTar::default()
        .file("home/tmp/file", b"")
        .file("new/file", b"");
    unpack_over(&[lower.path()], target.path(), tar).unwrap();
    let of = |path: &str| {
        let metadata = fs::metadata(target.path().join(path)).unwrap();
        let owner = (metadata.uid(), metadata.gid());
        (metadata.mode() & 0o7777, owner, metadata.mtime())
    };
    assert_eq!(of("home"), (0o2711, (7, 8), 1_600_000_000));
    assert_eq!(of("home/tmp"), (0o1777, (0, 0), 1_700_000_000));
    assert_eq!((of("new").0, of("new").1), (0o755, (0, 0)));
    let mut note = [0; 8];
    let path = target.path().join("home/tmp");
    // Not every filesystem of temporary files has user attributes.
    if let Ok(length) = rustix::fs::getxattr(lower.path().join("home/tmp"), "user.note", &mut note)
    {
        assert_eq!(note[..length], *b"kept");
        assert_eq!(rustix::fs::getxattr(path, "user.note", &mut note), Ok(4));
    }
}

#[test]
fn links_to_files_of_lower_layers_are_links_to_copies() {
    let below = RawTar::default()
        .entry(EntryType::Regular, "bin/tool", "", 0o4755, b"#!")
        .symlink("bin/link", "tool");
    let (lower, target) = two_layers(below);
    let tar = RawTar::default()
        .hard_link("sbin/tool", "bin/tool")
        .hard_link("again", "sbin/tool")
        .hard_link("link", "bin/link");
    unpack_over(&[lower.path()], target.path(), tar).unwrap();
    for name in ["bin/tool", "sbin/tool", "again"] {
        let metadata = fs::metadata(target.path().join(name)).unwrap();
        assert_eq!(
            (metadata.mode() & 0o7777, metadata.nlink()),
            (0o4755, 3),
            "{name}"
        );
        assert_eq!(metadata.mtime(), 1_700_000_000);
        assert_eq!(fs::read(target.path().join(name)).unwrap(), b"#!");
    }
    assert_eq!(
        fs::read_link(target.path().join("link")).unwrap(),
        Path::new("tool")
    );
    let refused = |tar: RawTar| {
        let target = TempDir::new().unwrap();
        match unpack_over(&[lower.path()], target.path(), tar) {
            Err(Error::Refused { name, reason }) => (name, reason),
            other => panic!("not refused: {other:?}"),
        }
    };
    let link = || RawTar::default().hard_link("x", "bin/tool");
    let bad = ("x".to_owned(), Refusal::BadLink);
    assert_eq!(
        refused(link().file("bin/.wh.tool", b"")),
        bad,
        "it is hidden later"
    );
    assert_eq!(refused(link().file(".wh.bin", b"")), bad);
    assert_eq!(
        refused(
            RawTar::default()
                .file("bin", b"")
                .hard_link("x", "bin/tool")
        ),
        bad
    );
    assert_eq!(refused(RawTar::default().hard_link("x", "bin")), bad);
    assert_eq!(
        refused(RawTar::default().hard_link("bin/tool", "bin/tool")).1,
        Refusal::BadLink
    );
}

#[test]
fn capabilities_survive_whatever_their_bytes() {
    require_root();
    let target = TempDir::new().unwrap();
    // Version 2, CAP_DAC_OVERRIDE and CAP_FOWNER: the byte 0x0a is a line feed.
    let capability = [
        1, 0, 0, 2, 0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let tar = RawTar::default()
        .extension(&[
            ("SCHILY.xattr.security.capability", &capability),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("mtime", b"1600000000.25"),
        ])
        .file("ping", b"");
    unpack(target.path(), tar, &Options::layer()).unwrap();
    let path = target.path().join("ping");
    let mut value = [0; 32];
    let length = rustix::fs::getxattr(&path, "security.capability", &mut value).unwrap();
    assert_eq!(value[..length], capability);
    assert!(rustix::fs::getxattr(&path, "trusted.overlay.redirect", &mut value).is_err());
    assert_eq!(fs::metadata(&path).unwrap().mtime(), 1_600_000_000);
}

#[test]
fn a_later_entry_replaces_an_earlier_one() {
    let target = TempDir::new().unwrap();
    let tar = RawTar::default()
        .directory("a")
        .file("a/deep", b"1")
        .file("a", b"now a file")
        .symlink("b", "/etc/passwd")
        .file("b", b"not through the link")
        .symlink("c", "a")
        .directory("c");
    unpack(target.path(), tar, &layer()).unwrap();
    assert_eq!(fs::read(target.path().join("a")).unwrap(), b"now a file");
    assert_eq!(
        fs::read(target.path().join("b")).unwrap(),
        b"not through the link"
    );
    assert!(
        fs::symlink_metadata(target.path().join("c"))
            .unwrap()
            .is_dir()
    );
}

#[test]
fn living_trees_keep_their_directories() {
    let target = TempDir::new().unwrap();
    fs::create_dir_all(target.path().join("run/lock")).unwrap();
    symlink("/run", target.path().join("var-run")).unwrap();
    let mut options = Options::files("/var-run");
    options.ownership = layer().ownership;
    let tar = RawTar::default()
        .directory("lock")
        .file("lock/held", b"x")
        .file("pid", b"1");
    unpack(target.path(), tar, &options).unwrap();
    assert_eq!(fs::read(target.path().join("run/lock/held")).unwrap(), b"x");
    let over = RawTar::default().file("lock", b"");
    assert!(unpack(target.path(), over, &options).is_err());
    assert!(target.path().join("run/lock/held").exists());
    options.directory = "/".into();
    unpack(
        target.path(),
        RawTar::default()
            .directory("var-run")
            .file("var-run/x", b""),
        &options,
    )
    .unwrap();
    assert!(
        fs::symlink_metadata(target.path().join("var-run"))
            .unwrap()
            .is_symlink()
    );
    assert!(target.path().join("run/x").exists());
    let device = RawTar::default().entry(EntryType::Char, "null", "", 0o666, b"");
    assert!(unpack(target.path(), device, &options).is_err());
}

#[test]
fn hostile_entries_are_refused_by_name() {
    let target = TempDir::new().unwrap();
    let at = target.path();
    let tar = RawTar::default;
    assert_eq!(
        refusal(at, tar().file("../x", b"")),
        Refusal::ParentComponent
    );
    assert_eq!(
        refusal(at, tar().file("a/../../x", b"")),
        Refusal::ParentComponent
    );
    assert_eq!(refusal(at, tar().file("./.", b"")), Refusal::EmptyName);
    assert_eq!(refusal(at, tar().symlink(".", "x")), Refusal::EmptyName);
    assert_eq!(
        refusal(at, tar().hard_link("x", "../x")),
        Refusal::ParentComponent
    );
    assert_eq!(
        refusal(at, tar().hard_link("x", "/etc/passwd")),
        Refusal::BadLink
    );
    assert_eq!(
        refusal(at, tar().directory("d").hard_link("x", "d")),
        Refusal::BadLink
    );
    let through = tar()
        .directory("d")
        .file("d/f", b"")
        .symlink("l", "d")
        .hard_link("x", "l/f");
    assert_eq!(refusal(at, through), Refusal::BadLink);
    let sparse = tar().entry(EntryType::GNUSparse, "s", "", 0o644, b"");
    assert_eq!(refusal(at, sparse), Refusal::UnsupportedType);
    let lie = tar()
        .extension(&[("size", b"1")])
        .file("x", b"twelve bytes");
    assert_eq!(refusal(at, lie), Refusal::SizeMismatch);
    let nonsense = tar()
        .entry(EntryType::XHeader, "x", "", 0o644, b"999 a=b\n")
        .file("x", b"");
    assert_eq!(refusal(at, nonsense), Refusal::BadHeader);
    let long = vec![b'n'; (1 << 20) + 1];
    let long = tar().entry(EntryType::GNULongName, "x", "", 0o644, &long);
    assert_eq!(refusal(at, long), Refusal::LongExtension);
    let nul = tar().extension(&[("path", b"a\0b")]).file("x", b"");
    assert_eq!(refusal(at, nul), Refusal::BadName);
}

#[test]
fn size_and_number_are_bounded() {
    let target = TempDir::new().unwrap();
    let tar = || RawTar::default().file("a", &[0; 600]).file("b", &[0; 600]);
    for (entries, bytes, expected) in [
        (1, 10_000, Refusal::TooManyEntries),
        (10, 1000, Refusal::TooLarge),
    ] {
        let options = Options {
            max_entries: entries,
            max_bytes: bytes,
            ..layer()
        };
        match unpack(target.path(), tar(), &options) {
            Err(Error::Refused { reason, .. }) => assert_eq!(reason, expected),
            other => panic!("not refused: {other:?}"),
        }
    }
}

#[test]
fn a_cut_archive_is_an_error() {
    let target = TempDir::new().unwrap();
    let bytes = RawTar::default().file("a", &[1; 5000]).finish();
    let cut = into(open_root(target.path()).unwrap(), &bytes[..2000], &layer());
    assert!(matches!(cut, Err(Error::Io { .. })), "{cut:?}");
}

/// One entry of a random archive.
#[derive(Debug, Clone)]
struct Wild {
    kind: EntryType,
    name: String,
    link: String,
}

fn wild() -> impl Strategy<Value = Wild> {
    let part = || {
        proptest::sample::select(vec![
            "a",
            "b",
            "c",
            "a",
            "b",
            "..",
            ".",
            "",
            ".wh.a",
            ".wh..wh..opq",
            ".wh...",
            "outside",
        ])
    };
    let path = move || proptest::collection::vec(part(), 1..4).prop_map(|parts| parts.join("/"));
    let start = proptest::sample::select(vec![
        "",
        "",
        "/",
        "../",
        "../../",
        "../outside/",
        "OUTSIDE/",
        "/proc/self/root/OUTSIDE/",
        "/proc/self/cwd/",
    ]);
    let kind = proptest::sample::select(vec![
        EntryType::Regular,
        EntryType::Regular,
        EntryType::Directory,
        EntryType::Symlink,
        EntryType::Symlink,
        EntryType::Link,
        EntryType::Fifo,
        EntryType::Char,
    ]);
    (kind, path(), start, path()).prop_map(|(kind, name, start, link)| Wild {
        kind,
        name,
        link: format!("{start}{link}"),
    })
}

/// Everything about a tree that an escape could change.
fn photograph(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(path) = left.pop() {
        let metadata = fs::symlink_metadata(&path).unwrap();
        lines.push(format!(
            "{} {:o} {} {} {} {:?}",
            path.display(),
            metadata.mode(),
            metadata.nlink(),
            metadata.mtime(),
            metadata.ctime_nsec(),
            fs::read(&path).ok(),
        ));
        if metadata.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
    lines.sort();
    lines
}

/// Whoever removes a tree keeps a directory open for each level, and a path may go on behind a link.
#[test]
fn trees_are_not_too_deep_to_be_removed() {
    let target = TempDir::new().unwrap();
    let long = |kind, text: &str| {
        RawTar::default().entry(kind, "long", "", 0o644, format!("{text}\0").as_bytes())
    };
    let deep = "a/".repeat(400);
    unpack(
        target.path(),
        long(EntryType::GNULongName, &deep).directory("x/"),
        &layer(),
    )
    .unwrap();
    let link = long(EntryType::GNULongLink, &deep).symlink("l", "x");
    unpack(target.path(), link, &layer()).unwrap();
    for kind in [EntryType::Directory, EntryType::Regular] {
        let deeper = long(EntryType::GNULongName, &format!("l/{}", "b/".repeat(200)));
        let tar = deeper.entry(kind, "x", "", 0o755, b"");
        let error = unpack(target.path(), tar, &layer()).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
    }
}

/// However many headers come before an entry, they are no larger together than one may be.
#[test]
fn extensions_do_not_add_up() {
    let target = TempDir::new().unwrap();
    let value = vec![b'v'; 600_000];
    let once = RawTar::default().extension(&[("SCHILY.xattr.user.a", &value)]);
    let twice = once
        .extension(&[("SCHILY.xattr.user.b", &value)])
        .file("x", b"");
    assert_eq!(refusal(target.path(), twice), Refusal::LongExtension);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn nothing_outside_changes(entries in proptest::collection::vec(wild(), 1..14), living: bool) {
        let place = TempDir::new().unwrap();
        let (outside, target) = (place.path().join("outside"), place.path().join("target"));
        fs::create_dir_all(outside.join("a/b")).unwrap();
        fs::write(outside.join("b"), "secret").unwrap();
        fs::write(outside.join("a/b/c"), "secret").unwrap();
        fs::create_dir(&target).unwrap();
        symlink(&outside, target.join("c")).unwrap();
        let lower = Lower::open_layers(&[&outside]).unwrap();
        let before = photograph(&outside);
        let options = if living {
            Options { ownership: layer().ownership, ..Options::files("") }
        } else {
            layer()
        };
        let here = outside.to_str().unwrap();
        // One archive an entry, so that a refusal does not keep later entries from trying.
        for entry in &entries {
            let link = entry.link.replace("OUTSIDE", here);
            let content: &[u8] = if entry.kind == EntryType::Regular { b"wild" } else { b"" };
            let tar = RawTar::default().entry(entry.kind, &entry.name, &link, 0o777, content);
            let _ = if living {
                unpack(&target, tar, &options)
            } else {
                super::layer(open_root(&target).unwrap(), &lower, tar.finish().as_slice(), &options)
            };
        }
        prop_assert_eq!(photograph(&outside), before);
        prop_assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
    }

    #[test]
    fn any_bytes_unpack_or_fail_without_a_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..2048),
        checksum: bool,
    ) {
        let target = TempDir::new().unwrap();
        if checksum && bytes.len() >= 512 {
            // Past the checksum, the rest of the header is reached.
            let mut header = tar::Header::from_byte_slice(&bytes[..512]).clone();
            header.set_cksum();
            bytes[..512].copy_from_slice(header.as_bytes());
        }
        let options = Options { ownership: Ownership::Caller, max_bytes: 1 << 20, ..Options::files("") };
        let _ = into(open_root(target.path()).unwrap(), bytes.as_slice(), &options);
    }
}
