//! What `kind explain` and `docs/errors.md` tell of.

use kind::Explanation;

use crate::exit::Exit;

/// The topic of exit codes.
const EXIT_CODES: &str = "exit-codes";

/// Codes, causes, and exit codes.
pub(crate) fn all_topics() -> Vec<Explanation> {
    let mut topics = kind::explanations();
    topics.push(exit_codes());
    topics
}

/// The topic of that name; codes in any case and with or without `KIND-`.
pub(crate) fn find_topic(name: &str) -> Option<Explanation> {
    if name.eq_ignore_ascii_case(EXIT_CODES) {
        return Some(exit_codes());
    }
    kind::explain(name)
}

/// The topic that was probably meant: the first that begins so, or else the nearest.
pub(crate) fn nearest_topic(name: &str) -> Option<String> {
    let name = short_name(name);
    let topics = all_topics().into_iter().map(|topic| topic.topic);
    let judged = topics.map(|topic| {
        let known = short_name(&topic);
        let begins = !name.is_empty() && known.starts_with(&name);
        let distance = strsim::levenshtein(&name, &known);
        (if begins { 0 } else { distance }, topic)
    });
    let (distance, topic) = judged.min_by_key(|(distance, _)| *distance)?;
    // More mistakes than that make any word of any other.
    (distance <= name.len() / 3).then_some(topic)
}

fn short_name(name: &str) -> String {
    let name = name.to_uppercase();
    name.strip_prefix("KIND-").unwrap_or(&name).to_owned()
}

/// A topic as people read it.
pub(crate) fn render_topic(explanation: &Explanation) -> String {
    format!(
        "{}\n{}\n\nMeaning:\n  {}\n\nAppears:\n  {}\n\nWhat to do:\n  {}\n\nExample:\n  {}\n",
        explanation.topic,
        explanation.title,
        explanation.meaning,
        explanation.appears,
        explanation.remedy,
        explanation.example
    )
}

fn exit_codes() -> Explanation {
    let codes = Exit::ALL.map(|exit| format!("{}: {}", exit.code(), exit.meaning()));
    Explanation::new(
        EXIT_CODES,
        [
            "Exit codes of every command.",
            &codes.join(" "),
            "The end of every command. Nothing but 0, 1 and 130 is used, so that scripts for the original kind go on.",
            "Ask for 0. What failed is told by the code in `-o json`, which stays the same between releases.",
            "kind create cluster || echo \"$?\"",
        ],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_have_a_neighbour_and_nonsense_has_none() {
        for (name, near) in [
            ("kind-cluster-exist", Some("KIND-CLUSTER-EXISTS")),
            ("ENG-PORT-TAKN", Some("KIND-ENG-PORT-TAKEN")),
            ("unknown-flags", Some("unknown-flag")),
            ("exit-code", Some("exit-codes")),
            ("kind-clus", Some("KIND-CLUSTER-EXISTS")),
            ("whatever-else", None),
            ("", None),
        ] {
            assert_eq!(nearest_topic(name).as_deref(), near, "{name}");
        }
    }

    /// `KIND_WRITE_DOCS=1` writes it anew.
    #[test]
    fn the_published_list_is_current() {
        let text = render_reference();
        let path = kind_testkit::schema::path("../docs/errors").with_extension("md");
        if std::env::var_os("KIND_WRITE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            published == text,
            "docs/errors.md is old; write it with KIND_WRITE_DOCS=1 cargo test -p kind-cli"
        );
    }

    fn render_reference() -> String {
        let exits = Exit::ALL.map(|exit| format!("| {} | {} |\n", exit.code(), exit.meaning()));
        let topics: Vec<_> = kind::explanations();
        let (codes, causes): (Vec<_>, Vec<_>) = topics
            .iter()
            .partition(|topic| topic.topic.starts_with("KIND-"));
        let sections =
            |topics: Vec<&Explanation>| topics.into_iter().map(section).collect::<String>();
        format!(
            "{INTRODUCTION}{}\n{CODES}{}\n{CAUSES}{}",
            exits.concat(),
            sections(codes),
            sections(causes)
        )
    }

    fn section(topic: &Explanation) -> String {
        format!(
            "\n### {}\n\n{} {}\n\n- Appears: {}\n- What to do: {}\n- Example: ``{}``\n",
            topic.topic, topic.title, topic.meaning, topic.appears, topic.remedy, topic.example
        )
    }

    const INTRODUCTION: &str = "\
# Errors

What a failing command says, its exit code, and every code of a failure. This file is written by a test from the tables
that `kind explain` prints (`KIND_WRITE_DOCS=1 cargo test -p kind-cli`).

## Exit codes

| code | meaning |
|---|---|
";

    const CODES: &str = "\
Ctrl-C, SIGTERM and SIGHUP ask a command to stop: it begins nothing more, removes what it has made (`--retain` keeps
it) and ends with 130. A second signal ends it at once; what may be left then is told, with the command that removes it.

## Codes

A code stays the same between releases. It stands in `code` of an `Error` document (`-o json`) and, with `-v 1`, in the
text. After `KIND-` some say which part failed: `ENG-` the engine, `IMG-` an image, `REG-` a registry, `NET-` the host's
networks or a download, `BLD-` the build of a node image. `kind explain CODE` prints an entry; `KIND-` may be left out.
";

    const CAUSES: &str = "\
## Causes

What is found in the logs of a node that does not start. They stand in `causes` of an `Error` document.
";
}
