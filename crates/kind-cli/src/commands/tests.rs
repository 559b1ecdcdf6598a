//! Help of every command, and what command lines mean.

use crate::args::{self, Command};
use crate::global_flags::GLOBAL_FLAGS;
use crate::help::{flags_of, render_help};

use super::ROOT;

/// The command and the flags that a command line means, or what is wrong with it.
fn understood(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let understand = || {
        let found = args::find_command(&ROOT, GLOBAL_FLAGS, &words)?;
        let matches = args::parse_arguments(&flags_of(&found.path), &found.arguments)?;
        found
            .command()
            .rule
            .check_positionals(&found.name(), &matches.positionals)?;
        Ok::<_, args::UsageError>(format!(
            "{} {}",
            found.name(),
            matches.positionals.join(" ")
        ))
    };
    understand().unwrap_or_else(|error| format!("ERROR: {error}"))
}

#[test]
fn every_help() {
    let mut text = String::new();
    collect(&mut vec![&ROOT], &mut text);
    insta::assert_snapshot!(text);
}

fn collect(path: &mut Vec<&'static Command>, text: &mut String) {
    let names: Vec<_> = path.iter().map(|command| command.name).collect();
    text.push_str(&format!(
        "##### {}\n{}\n",
        names.join(" "),
        render_help(path)
    ));
    let children = path.last().map_or(&[][..], |command| command.children);
    for child in children.iter().filter(|child| !child.hidden) {
        path.push(child);
        collect(path, text);
        path.pop();
    }
}

#[test]
fn command_lines_mean_what_kind_says() {
    for (line, meaning) in GOOD_LINES.iter().chain(BAD_LINES) {
        assert_eq!(understood(line), *meaning, "kind {line}");
    }
}

/// Lines and the command they mean, with its arguments.
const GOOD_LINES: &[(&str, &str)] = &[
    ("", "kind "),
    ("get clusters", "kind get clusters "),
    ("-q get clusters", "kind get clusters "),
    ("--name x create cluster", "kind create cluster "),
    ("create --name x cluster", "kind create cluster "),
    ("-v 3 create cluster --wait 1m", "kind create cluster "),
    ("create cluster -v7 --config=-", "kind create cluster "),
    ("export logs dir", "kind export logs dir"),
    ("version anything at all", "kind version anything at all"),
    ("completion fish x", "kind completion fish x"),
    ("load image-archive a b", "kind load image-archive a b"),
    ("create nonsense", "kind create nonsense"),
    ("delete clusters a b", "kind delete clusters a b"),
    ("doctor", "kind doctor "),
    ("doctor dev --fix --yes", "kind doctor dev"),
];

/// Lines and what is wrong with them.
const BAD_LINES: &[(&str, &str)] = &[
    ("foo", "ERROR: unknown command \"foo\" for \"kind\""),
    (
        "creat cluster",
        "ERROR: unknown command \"creat\" for \"kind\"\n\nDid you mean this?\n\tcreate\n",
    ),
    (
        "lod x",
        "ERROR: unknown command \"lod\" for \"kind\"\n\nDid you mean this?\n\tload\n",
    ),
    (
        "--retain create cluster",
        "ERROR: unknown command \"cluster\" for \"kind\"",
    ),
    (
        "get clusters x",
        "ERROR: unknown command \"x\" for \"kind get clusters\"",
    ),
    ("doctor a b", "ERROR: accepts at most 1 arg(s), received 2"),
    (
        "create cluster x",
        "ERROR: unknown command \"x\" for \"kind create cluster\"",
    ),
    (
        "delete cluster x",
        "ERROR: unknown command \"x\" for \"kind delete cluster\"",
    ),
    (
        "export kubeconfig x",
        "ERROR: unknown command \"x\" for \"kind export kubeconfig\"",
    ),
    (
        "completion zsh x",
        "ERROR: unknown command \"x\" for \"kind completion zsh\"",
    ),
    (
        "load foo",
        "ERROR: unknown command \"foo\" for \"kind load\"",
    ),
    (
        "export logs a b",
        "ERROR: accepts at most 1 arg(s), received 2",
    ),
    (
        "build node-image a b",
        "ERROR: accepts at most 1 arg(s), received 2",
    ),
    (
        "load docker-image",
        "ERROR: a list of image names is required",
    ),
    (
        "load image-archive",
        "ERROR: name of image archive is required",
    ),
    ("get clusters --bogus", "ERROR: unknown flag: --bogus"),
    (
        "--loglevel debug version",
        "ERROR: unknown flag: --loglevel",
    ),
    ("-x", "ERROR: unknown shorthand flag: 'x' in -x"),
    ("version -v", "ERROR: flag needs an argument: 'v' in -v"),
    (
        "create cluster --config",
        "ERROR: flag needs an argument: --config",
    ),
    (
        "version -v 99999999999",
        "ERROR: invalid argument \"99999999999\" for \"-v, --verbosity\" flag: strconv.ParseInt: parsing \"99999999999\": value out of range",
    ),
    (
        "create cluster --wait 30",
        "ERROR: invalid argument \"30\" for \"--wait\" flag: time: missing unit in duration \"30\"",
    ),
];

/// Every command and every flag of kind 0.33.0 is there, with its default.
#[test]
fn nothing_of_kind_is_missing() {
    for (path, flags) in [
        ("kind", "version"),
        (
            "kind build node-image",
            "arch base-image image=kindest/node:latest type",
        ),
        (
            "kind create cluster",
            "config image kubeconfig name/n retain wait",
        ),
        ("kind delete cluster", "kubeconfig name/n=kind"),
        ("kind delete clusters", "all/A kubeconfig"),
        ("kind export kubeconfig", "internal kubeconfig name/n=kind"),
        ("kind export logs", "name/n=kind"),
        ("kind get clusters", ""),
        ("kind get nodes", "all-clusters/A name/n=kind"),
        ("kind get kubeconfig", "internal name/n=kind"),
        ("kind load docker-image", "name/n=kind nodes"),
        ("kind load image-archive", "name/n=kind nodes"),
        ("kind version", ""),
        ("kind completion bash", ""),
        ("kind completion fish", ""),
        ("kind completion powershell", ""),
        ("kind completion zsh", ""),
        ("kind help", ""),
    ] {
        let mut command = &ROOT;
        for name in path.split(' ').skip(1) {
            command = command.child(name).unwrap_or_else(|| panic!("{path}"));
        }
        let known: Vec<_> = command.flags.iter().map(flag_text).collect();
        for flag in flags.split_whitespace() {
            assert!(
                known.iter().any(|known| known == flag),
                "{path} --{flag}: {known:?}"
            );
        }
    }
}

/// A flag as `name/short=default`.
fn flag_text(flag: &args::Flag) -> String {
    let short = flag
        .short
        .map_or(String::new(), |short| format!("/{short}"));
    let default = match flag.default {
        "" => String::new(),
        default => format!("={default}"),
    };
    format!("{}{short}{default}", flag.name)
}
