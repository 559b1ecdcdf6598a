//! What a person at a terminal sees: a real pseudoterminal stands for it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use kind_testkit::machine::require_root;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::kubeconfig::clusters;
use crate::messages::{EMPTY_DOCKER, docker};
use crate::run::Stage;

/// Everything that the command writes to a terminal that is its stderr.
fn seen(stage: &Stage, arguments: &[&str]) -> String {
    let (mut terminal, end) = terminal();
    let mut child = stage
        .command(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::from(end))
        .spawn()
        .unwrap();
    let mut seen = Vec::new();
    // Reading fails once nobody holds the other end.
    let _ = terminal.read_to_end(&mut seen);
    child.wait().unwrap();
    // The terminal itself writes a carriage return before each newline.
    String::from_utf8(seen).unwrap().replace("\r\n", "\n")
}

/// A terminal: what is shown on it, and the end for programs.
pub(crate) fn terminal() -> (File, OwnedFd) {
    let shown = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&shown).unwrap();
    unlockpt(&shown).unwrap();
    let name = ptsname(&shown, Vec::new()).unwrap();
    let end = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    (File::from(shown), end)
}

fn create(stage: &Stage) -> String {
    seen(stage, &["--provider", "docker", "create", "cluster"])
}

#[test]
fn a_terminal_shows_a_spinner_and_colours() {
    let seen = create(&docker().with("TERM", "xterm"));
    let image = "Ensuring node image (kindest/node:v1.37.0) 🖼️";
    assert!(
        seen.starts_with("Creating cluster \"kind\" ...\n"),
        "{seen:?}"
    );
    let frame = format!("\x1b[?7l\r⠈⠁ {image} \x1b[?7h");
    assert!(seen.contains(&frame), "{seen:?}");
    assert!(
        seen.contains(&format!(" \x1b[32m✓\x1b[0m {image}\n")),
        "{seen:?}"
    );
    assert!(
        seen.contains(" \x1b[31m✗\x1b[0m Preparing nodes 📦 \n"),
        "{seen:?}"
    );
    assert!(
        !seen.contains("  ...\n"),
        "a line for a beginning: {seen:?}"
    );
    assert!(
        seen.contains("\x1b[31mERROR:\x1b[0m failed to create cluster: "),
        "{seen:?}"
    );
    // No empty line stands before this heading in colour.
    assert!(
        seen.contains("exit status 125\n\x1b[31mCommand Output:\x1b[0m boom"),
        "{seen:?}"
    );
}

/// Makes an archive with an image of 8 MB.
const ARCHIVE: &str = r#"
head -c 8000000 /dev/urandom > data
tar -cf layer.tar data
id=$(sha256sum layer.tar | cut -c 1-64)
echo '{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:'$id'"]}}' > config.json
echo '[{"Config":"config.json","RepoTags":["app:1"],"Layers":["layer.tar"]}]' > manifest.json
tar -cf app.tar manifest.json config.json layer.tar
"#;

#[test]
fn a_load_shows_its_bytes_its_rate_and_its_time() {
    let stage = clusters().with("TERM", "xterm");
    let mut shell = Command::new("sh");
    let made = shell
        .args(["-ec", ARCHIVE])
        .current_dir(stage.path(""))
        .status();
    assert!(made.unwrap().success());
    let load = "--provider docker load image-archive app.tar --name one";
    let load: Vec<_> = load.split(' ').collect();
    let shown = seen(&stage, &load);
    assert_bar(&shown, "one-control-plane");
    let (_, last) = shown.rsplit_once("\r\x1b[K").unwrap();
    let is_told = |text: &str| {
        text.starts_with("Image: \"docker.io/library/app:1\" with ID ")
            && text.contains(" loaded into node \"one-control-plane\"")
    };
    assert!(is_told(last), "the bar goes at the end: {shown:?}");
    let plain = stage.with("NO_COLOR", "1");
    let told = seen(&plain, &load);
    assert!(is_told(told.lines().next_back().unwrap()), "{told:?}");
    assert!(!told.contains('['), "nothing is drawn: {told:?}");
}

/// A registry with one image, whose only layer of 8 MB takes its time. Ends with the test's process.
fn slow_registry() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || serve(stream));
        }
    });
    port
}

fn serve(mut stream: TcpStream) {
    // Encryption is tried first, and begins with no letter.
    let mut first = [0];
    if stream.peek(&mut first).is_err() || !first[0].is_ascii_alphabetic() {
        return;
    }
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut lines = lines.by_ref().map_while(Result::ok);
    let asked = lines.next().unwrap_or_default();
    while lines.next().is_some_and(|line| !line.is_empty()) {}
    let (kind, text) = match asked.split(' ').nth(1).unwrap_or_default() {
        path if path.contains("/manifests/") => (
            MANIFEST_TYPE,
            MANIFEST.replace("SIZE", &CONFIG.len().to_string()),
        ),
        path if path.ends_with(CONFIG_DIGEST) => ("application/json", CONFIG.to_owned()),
        path if path.contains("/blobs/") => ("application/octet-stream", "x".repeat(8_000_000)),
        _ => ("application/json", "{}".to_owned()),
    };
    let length = text.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    let parts = [head.as_bytes()].into_iter();
    for (number, part) in parts.chain(text.as_bytes().chunks(2_000_000)).enumerate() {
        // What fits into one part comes at once.
        if number > 1 {
            std::thread::sleep(Duration::from_secs(1));
        }
        // A client may have seen enough.
        let _ = stream.write_all(part);
    }
}

const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
const MANIFEST: &str = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":"application/vnd.oci.image.config.v1+json","size":SIZE,
"digest":"sha256:4edd45ccd89b92100bcc411924b6012605e845fb100fd210eeda760bd76f2a48"},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","size":8000000,
"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111"}]}"#;
const CONFIG_DIGEST: &str = "4edd45ccd89b92100bcc411924b6012605e845fb100fd210eeda760bd76f2a48";
const CONFIG: &str = r#"{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:0000000000000000000000000000000000000000000000000000000000000000"]}}"#;

#[test]
fn a_pull_shows_its_bytes_its_rate_and_its_time() {
    // The native engine is root's.
    require_root();
    let programs = "/usr/sbin:/usr/bin:/sbin:/bin";
    let stage = Stage::new().with("TERM", "xterm").with("PATH", programs);
    let image = format!("127.0.0.1:{}/app:v1", slow_registry());
    let create = [
        "--provider",
        "native",
        "create",
        "cluster",
        "--image",
        &image,
    ];
    assert_bar(
        &seen(&stage, &create),
        &format!("Ensuring node image ({image}) 🖼️"),
    );
    for left in ["state/nodes", "state/networks"] {
        let left = std::fs::read_dir(stage.path(left)).into_iter().flatten();
        assert_eq!(left.count(), 0, "a node of what came");
    }
}

/// There was a bar that was neither empty nor full, and how much of how much, how fast, and for how long.
fn assert_bar(shown: &str, title: &str) {
    let frames: Vec<_> = shown.split('\r').collect();
    let is_bar = |frame: &&str| {
        let parts = ["=>", "] ", " MB / 8.0 MB  ", "B/s\x1b[K"];
        let times = ["(2s)", "(3s)", "(4s)"].map(|time| format!(" {title} {time} ["));
        times.iter().any(|time| frame.contains(time))
            && parts.iter().all(|part| frame.contains(part))
    };
    assert!(frames.iter().any(is_bar), "{frames:#?}");
}

#[test]
fn a_long_phase_shows_its_time() {
    let stage = docker().with("TERM", "xterm");
    let slow = "case $2 in inspect | --type=image) /usr/bin/sleep 3.2 ;; esac\n";
    stage.program("docker", &format!("{slow}{EMPTY_DOCKER}"));
    let seen = create(&stage);
    let frame = "Ensuring node image (kindest/node:v1.37.0) 🖼️ (2s) \x1b[?7h";
    assert!(seen.contains(frame), "{seen:?}");
}

#[test]
fn plain_surroundings_get_plain_lines() {
    for (name, value) in [
        ("NO_COLOR", ""),
        ("NO_COLOR", "1"),
        ("TERM", "dumb"),
        ("TERM", "st-256color"),
    ] {
        let stage = docker().with("TERM", "xterm").with(name, value);
        let seen = create(&stage);
        assert!(!seen.contains('\x1b'), "{name}={value}: {seen:?}");
        assert!(
            seen.contains(" • Preparing nodes 📦   ...\n ✗ Preparing nodes 📦 \n"),
            "{seen:?}"
        );
    }
}

#[test]
fn programs_and_the_quiet_get_no_colours_on_a_terminal() {
    let stage = docker().with("TERM", "xterm");
    let json = seen(
        &stage,
        &["-ojson", "--provider=docker", "create", "cluster"],
    );
    for line in json.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    assert_eq!(
        seen(&stage, &["-q", "--provider=docker", "create", "cluster"]),
        ""
    );
}

#[test]
fn a_negative_verbosity_leaves_warnings_and_errors() {
    let stage = docker()
        .with("TERM", "xterm")
        .with("KIND_EXPERIMENTAL_PROVIDER", "docker");
    let seen = seen(&stage, &["-v=-1", "create", "cluster"]);
    let warning = "using docker due to KIND_EXPERIMENTAL_PROVIDER\n\x1b[31mERROR:\x1b[0m ";
    assert!(seen.starts_with(warning), "{seen:?}");
}
