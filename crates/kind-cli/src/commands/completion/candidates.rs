//! Words that may stand at a place of a command line.

use kind::Code;

use crate::args::{Command, Flag, Kind};
use crate::help::flags_of;
use crate::topics::all_topics;

/// Things that exist only while the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Live {
    /// Names of clusters.
    Clusters,
    /// Names of nodes.
    Nodes,
    /// Names of images that the engine has.
    Images,
}

/// Candidates with their descriptions, and whether files are candidates too.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Candidates {
    pub(super) words: Vec<(String, &'static str)>,
    pub(super) files: bool,
}

impl Candidates {
    fn files() -> Self {
        Self {
            words: Vec::new(),
            files: true,
        }
    }

    fn of(words: impl IntoIterator<Item = (String, &'static str)>) -> Self {
        Self {
            words: words.into_iter().collect(),
            files: false,
        }
    }

    fn plain(words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::of(words.into_iter().map(|word| (word.into(), "")))
    }

    /// Those that begin with what is there already.
    fn beginning(mut self, start: &str) -> Self {
        self.words.retain(|(word, _)| word.starts_with(start));
        self
    }
}

/// What may stand where `last` stands behind `words`, for the commands below `root`. `live` says what exists.
pub(super) fn find_candidates(
    root: &'static Command,
    words: &[String],
    last: &str,
    live: impl Fn(Live) -> Vec<String>,
) -> Candidates {
    let mut path = vec![root];
    let mut positionals = Vec::new();
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        match path.last().and_then(|command| command.child(word)) {
            Some(child) => path.push(child),
            None => positionals.push(word.as_str()),
        }
    }
    let flags = flags_of(&path);
    if let Some(flag) = words.last().and_then(|word| open_flag(&flags, word)) {
        return complete_value(&path, flag, last, live);
    }
    if let Some((name, start)) = last.split_once('=')
        && let Some(flag) = open_flag(&flags, name)
    {
        let mut found = complete_value(&path, flag, start, live);
        for (word, _) in &mut found.words {
            *word = format!("{name}={word}");
        }
        return found;
    }
    if last.starts_with('-') {
        let long = |flag: &Flag| (format!("--{}", flag.name), flag.help);
        return Candidates::of(flags.iter().map(long)).beginning(last);
    }
    let found = match path_names(&path).as_slice() {
        ["kind", "load", "docker-image"] => others(live(Live::Images), &positionals),
        ["kind", "doctor"] if positionals.is_empty() => Candidates::plain(live(Live::Clusters)),
        ["kind", "delete", "clusters"] => others(live(Live::Clusters), &positionals),
        ["kind", "explain"] if positionals.is_empty() => list_topics(),
        ["kind", "help"] => list_children(find_help_topic(root, &positionals)),
        ["kind", "load", "image-archive"]
        | ["kind", "export", "logs"]
        | ["kind", "build", "node-image"]
        | ["kind", "config", "convert" | "defaults" | "validate"] => Candidates::files(),
        _ => path
            .last()
            .map_or_else(Candidates::default, |c| list_children(c)),
    };
    found.beginning(last)
}

fn path_names(path: &[&'static Command]) -> Vec<&'static str> {
    path.iter().map(|command| command.name).collect()
}

/// The command that `kind help` is asked about.
fn find_help_topic(root: &'static Command, words: &[&str]) -> &'static Command {
    words
        .iter()
        .fold(root, |command, word| command.child(word).unwrap_or(command))
}

/// What can be explained.
fn list_topics() -> Candidates {
    let topics = all_topics().into_iter().map(|topic| {
        let title = topic.topic.parse().map_or("", Code::title);
        (topic.topic, title)
    });
    Candidates::of(topics)
}

/// The commands below one, sorted.
fn list_children(command: &Command) -> Candidates {
    let shown = command.children.iter().filter(|child| !child.hidden);
    let mut words: Vec<_> = shown
        .map(|child| (child.name.to_owned(), child.summary))
        .collect();
    words.sort();
    Candidates::of(words)
}

/// What is not there yet.
fn others(all: Vec<String>, given: &[&str]) -> Candidates {
    Candidates::plain(
        all.into_iter()
            .filter(|word| !given.contains(&word.as_str())),
    )
}

/// The flag whose value comes next.
fn open_flag<'a>(flags: &'a [Flag], word: &str) -> Option<&'a Flag> {
    let flag = flags.iter().find(|flag| {
        let long = word.strip_prefix("--") == Some(flag.name);
        long || flag.short.is_some_and(|short| word == format!("-{short}"))
    });
    flag.filter(|flag| !flag.stands_alone())
}

/// Values of a flag that begin with `start`.
fn complete_value(
    path: &[&'static Command],
    flag: &Flag,
    start: &str,
    live: impl Fn(Live) -> Vec<String>,
) -> Candidates {
    let creates = path_names(path) == ["kind", "create", "cluster"];
    let found = match (flag.name, flag.kind) {
        (_, Kind::OneOf(words)) => Candidates::plain(words.iter().copied()),
        // A new cluster has a new name.
        ("name", _) if creates => Candidates::default(),
        ("name", _) => Candidates::plain(live(Live::Clusters)),
        ("nodes", _) => return complete_list(&live(Live::Nodes), start),
        ("image", _) if creates => Candidates::plain(live(Live::Images)),
        ("provider", _) => Candidates::plain(["native", "docker", "podman", "nerdctl"]),
        ("type", _) => Candidates::plain(["debian", "url", "file", "release", "ci", "source"]),
        ("config" | "kubeconfig" | "containerd-config" | "from" | "trace-file", _) => {
            return Candidates::files();
        }
        _ => Candidates::default(),
    };
    found.beginning(start)
}

/// Further items of a comma-separated list.
fn complete_list(all: &[String], start: &str) -> Candidates {
    let (before, item) = match start.rsplit_once(',') {
        Some((before, item)) => (format!("{before},"), item),
        None => (String::new(), start),
    };
    let given: Vec<_> = before.split(',').collect();
    let fitting = all
        .iter()
        .filter(|name| name.starts_with(item) && !given.contains(&name.as_str()));
    Candidates::plain(fitting.map(|name| format!("{before}{name}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(line: &str) -> Candidates {
        let words: Vec<_> = line.split(' ').map(str::to_owned).collect();
        let (last, words) = words.split_last().unwrap();
        find_candidates(&crate::commands::ROOT, words, last, |what| {
            let names: &[&str] = match what {
                Live::Clusters => &["one", "two"],
                Live::Nodes => &["one-control-plane", "one-worker"],
                Live::Images => &["busybox:1", "kindest/node:v1"],
            };
            names.iter().map(|name| (*name).to_owned()).collect()
        })
    }

    #[test]
    fn commands_flags_and_what_exists_are_candidates() {
        for (line, expected) in [
            ("get ", &["clusters", "kubeconfig", "nodes"][..]),
            ("de", &["delete"]),
            ("create cluster --w", &["--wait"]),
            ("delete cluster --name t", &["two"]),
            ("delete cluster --name=t", &["--name=two"]),
            ("export logs -n ", &["one", "two"]),
            ("create cluster --name ", &[]),
            ("create cluster --image k", &["kindest/node:v1"]),
            ("delete clusters one ", &["two"]),
            ("doctor t", &["two"]),
            ("doctor one ", &[]),
            ("doctor --f", &["--fix"]),
            ("load docker-image ", &["busybox:1", "kindest/node:v1"]),
            ("load docker-image busybox:1 ", &["kindest/node:v1"]),
            ("load docker-image x --nodes one-w", &["one-worker"]),
            (
                "load docker-image x --nodes one-worker,",
                &["one-worker,one-control-plane"],
            ),
            ("version -o ", &["text", "json"]),
            ("create cluster --log-format ", &["text", "json"]),
            ("create cluster --t", &["--timings", "--trace-file"]),
            ("--provider p", &["podman"]),
            ("help get k", &["kubeconfig"]),
            ("completion b", &["bash"]),
            ("explain KIND-CLUSTER-E", &["KIND-CLUSTER-EXISTS"]),
            ("explain exit-codes ", &[]),
        ] {
            let found = found(line);
            let words: Vec<_> = found.words.iter().map(|(word, _)| word.as_str()).collect();
            assert_eq!((words.as_slice(), found.files), (expected, false), "{line}");
        }
    }

    #[test]
    fn files_are_left_to_the_shell() {
        for line in [
            "create cluster --config ",
            "create cluster --kubeconfig=",
            "create cluster --trace-file ",
            "load image-archive ",
            "export logs ",
            "build node-image ",
            "config validate ",
        ] {
            assert_eq!(found(line), Candidates::files(), "{line}");
        }
    }
}
