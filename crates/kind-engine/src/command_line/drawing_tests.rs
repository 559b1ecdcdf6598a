use std::cell::RefCell;

use super::*;

/// As docker 20.10 drew it on a terminal of 200 columns, with narrower bars and a second layer.
const DOCKER: &str = "v1: Pulling from big\r\n\
\r\n\x1b[1A\x1b[2K\rabb44cf38010: Pulling fs layer \r\x1b[1B\
\r\n\x1b[1A\x1b[2K\r0c0a1b2c3d4e: Waiting \r\x1b[1B\
\x1b[2A\x1b[2K\rabb44cf38010: Downloading [>      ]    553kB/62.93MB\r\x1b[2B\
\x1b[1A\x1b[2K\r0c0a1b2c3d4e: Downloading [=====> ]  1.2kB/2kB\r\x1b[1B\
\x1b[1A\x1b[2K\r0c0a1b2c3d4e: Download complete \r\x1b[1B\
\x1b[2A\x1b[2K\rabb44cf38010: Downloading [=====> ]  55.09MB/62.93MB\r\x1b[2B\
\x1b[2A\x1b[2K\rabb44cf38010: Verifying Checksum \r\x1b[2B\
\x1b[2A\x1b[2K\rabb44cf38010: Extracting [>      ]  557.1kB/62.93MB\r\x1b[2B\
\x1b[2A\x1b[2K\rabb44cf38010: Pull complete \r\x1b[2B\
Digest: sha256:3b973d2f40cf415f1132fa9c33a0c3ad3c94331f0f642b76d6332cd77db42ca1\r\n";

/// As podman 4.3 drew it.
const PODMAN: &str = "\x1b[33mWARN\x1b[0m[0000] a warning\r\n\
Trying to pull 127.0.0.1:5000/big:v1...\r\n\
Getting image source signatures\r\n\
Copying blob abb44cf38010 [===>----] 7.1MiB / 60.0MiB\r\n\
\x1b[1A\x1b[JCopying blob abb44cf38010 [=======>] 59.7MiB / 60.0MiB\r\n\
\x1b[1A\x1b[JCopying blob abb44cf38010 done  \r\n\
Copying config 8beb9f39a3 [========] 893.0b / 893.0b\r\n\
\x1b[1A\x1b[JCopying config 8beb9f39a3 done  \r\n\
Error: writing blob: no space left on device\r\n";

/// What is told of a drawing that comes in pieces, and its other lines.
fn read(drawn: &str) -> (Vec<(u64, Option<u64>)>, String) {
    let told = RefCell::new(Vec::new());
    let mut drawing = Drawing::new("big:v1");
    for piece in drawn.as_bytes().chunks(7) {
        drawing.read_drawn(piece, &|progress| {
            assert_eq!(progress.what, "big:v1");
            told.borrow_mut().push((progress.done, progress.total));
        });
    }
    (told.into_inner(), drawing.words().to_owned())
}

#[test]
fn bytes_of_a_pull_by_docker_are_told() {
    let (told, words) = read(DOCKER);
    assert_eq!(
        told,
        [
            (0, None),
            (553_000, None),
            (554_200, Some(62_932_000)),
            (555_000, Some(62_932_000)),
            (55_092_000, Some(62_932_000)),
            (62_932_000, Some(62_932_000)),
        ]
    );
    assert!(
        words.starts_with("v1: Pulling from big\nDigest: "),
        "{words}"
    );
}

#[test]
fn bytes_of_a_pull_by_podman_are_told() {
    const MIB: u64 = 1 << 20;
    let (told, words) = read(PODMAN);
    let all = 60 * MIB;
    assert_eq!(
        told,
        [
            (7 * MIB + MIB / 10, Some(all)),
            (59 * MIB + 7 * MIB / 10, Some(all)),
            (all, Some(all)),
            (all + 893, Some(all + 893)),
        ]
    );
    let failure = "Getting image source signatures\nError: writing blob: no space left on device\n";
    assert!(words.starts_with("WARN[0000] a warning\n"), "{words}");
    assert!(words.ends_with(failure), "{words}");
}

#[test]
fn lines_are_read_in_every_form() {
    for line in [
        "Error response from daemon: manifest for a:v1 not found",
        "abb44cf38010: Retrying in 5 seconds",
        "Digest: sha256:3b973d2f40cf415f",
        "Copying blob",
        "abb44cf38010: Downloading [=> ] much",
    ] {
        assert_eq!(read_line(line), None, "{line}");
    }
    // Podman 5 adds the rate.
    let line = "Copying blob abb44cf38010 [==>--] 34.6MiB / 60.0MiB | 605.2 MiB/s";
    let (done, total) = (34 * (1 << 20) + 6 * (1 << 20) / 10, 60 << 20);
    let moving = Some(("abb44cf38010", State::Moving { done, total }));
    assert_eq!(read_line(line), moving);
    let there = Some(("abb44cf38010", State::Here));
    assert_eq!(read_line("abb44cf38010: Already exists"), there);
    assert_eq!(
        read_line("Copying blob abb44cf38010 skipped: already exists"),
        there
    );
}
