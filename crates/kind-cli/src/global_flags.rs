//! Flags that every command knows.

use crate::args::{Flag, Kind};

/// All of them.
pub(crate) const GLOBAL_FLAGS: &[Flag] = &[
    Flag::text(
        "provider",
        "where nodes run: native, docker, podman or nerdctl, overrides KIND_EXPERIMENTAL_PROVIDER",
    ),
    Flag::new(
        "output",
        Kind::OneOf(&["text", "json"]),
        "text for people, or json: results on stdout and events on stderr, for programs",
    )
    .short('o')
    .default("text"),
    Flag::new(
        "log-format",
        Kind::OneOf(&["text", "json"]),
        "how diagnostic lines of -v are written: text, or json: an object on each line",
    )
    .default("text"),
    Flag::switch("quiet", "silence all stderr output").short('q'),
    Flag::new(
        "verbosity",
        Kind::Int32,
        "info log verbosity, higher value produces more output",
    )
    .short('v'),
];
