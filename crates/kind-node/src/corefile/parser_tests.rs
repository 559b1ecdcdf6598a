//! Texts of Corefiles, right and wrong ones.

use proptest::prelude::*;

use super::*;

/// Variables and files of tests.
struct Surroundings;

impl Environment for Surroundings {
    fn variable(&self, name: &str) -> String {
        match name {
            "ZONE" => "example.org".to_owned(),
            _ => String::new(),
        }
    }

    fn files(&self, pattern: &str) -> Vec<(String, String)> {
        let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        match pattern {
            "custom/*.override" => {
                vec![file("a.override", "log"), file("b.override", "hosts {\n}")]
            }
            "more.server" => vec![file("more.server", "more.example {\n errors\n}")],
            "itself" => vec![file("itself", "import itself")],
            "twice" => vec![file("twice", "import twice\nimport twice")],
            _ => Vec::new(),
        }
    }
}

/// Server blocks in short: keys, then each directive with its arguments and its block.
fn read(text: &str) -> Result<Vec<String>, String> {
    let blocks = parse(text, "Corefile", &Surroundings).map_err(|error| error.to_string())?;
    Ok(blocks.iter().map(shorten).collect())
}

fn shorten(block: &ServerBlock) -> String {
    let keys: Vec<_> = block.keys.iter().map(|key| key.text.as_str()).collect();
    format!("{}: {}", keys.join("+"), lines(&block.directives))
}

fn lines(directives: &[Directive]) -> String {
    let line = |one: &Directive| {
        let mut words = vec![one.name.clone()];
        words.extend(one.arguments.iter().cloned());
        if !one.block.is_empty() {
            words.push(format!("({})", lines(&one.block)));
        }
        words.join(" ")
    };
    directives.iter().map(line).collect::<Vec<_>>().join("; ")
}

#[test]
fn server_blocks_of_texts() {
    for (text, expected) in [
        ("", &[][..]),
        (".:53 {\n errors\n}", &[".:53: errors"]),
        (".", &[".: "]),
        (
            ".\nerrors\nforward . 192.0.2.1",
            &[".: errors; forward . 192.0.2.1"],
        ),
        ("a b:54,c,\nd { log }", &["a+b:54+c+d: log"]),
        (
            ". {\n health {\n  lameduck 5s\n }\n ready\n}\nx {\n cache 30\n}",
            &[".: health (lameduck 5s); ready", "x: cache 30"],
        ),
        (
            "{$ZONE}:{$PORT}53 {\n log {%ZONE%}\n}",
            &["example.org:53: log example.org"],
        ),
        (
            "(common) {\n errors\n log\n}\n. {\n import common\n ready\n}",
            &[".: errors; log; ready"],
        ),
        (
            "(fall) {\n fallthrough\n}\n. {\n hosts {\n  192.0.2.1 a\n  import fall\n }\n}",
            &[".: hosts (192.0.2.1 a; fallthrough)"],
        ),
        (
            ". {\n import custom/*.override\n}\nimport more.server",
            &[".: log; hosts", "more.example: errors"],
        ),
        (". {\n import custom/*.none\n errors\n}", &[".: errors"]),
        (
            "rewrites {\n rewrite stop {\n  name regex (.*)\\.a {1}.b\n  answer name (.*)\\.b {1}.a\n }\n}",
            &["rewrites: rewrite stop (name regex (.*)\\.a {1}.b; answer name (.*)\\.b {1}.a)"],
        ),
        (
            ". {\n template IN A {\n  answer \"{{ .Name }} 60 IN A 192.0.2.1\"\n }\n}",
            &[".: template IN A (answer {{ .Name }} 60 IN A 192.0.2.1)"],
        ),
    ] {
        let expected = expected.iter().map(|text| (*text).to_owned()).collect();
        assert_eq!(read(text), Ok(expected), "{text}");
    }
}

#[test]
fn wrong_texts_are_refused_by_line() {
    for (text, expected) in [
        (". {\n errors", "Corefile:2: a brace is not closed"),
        (
            ". {\n errors\n}\n}",
            "Corefile:4: a brace is closed that was not opened",
        ),
        (
            "{\n errors\n}",
            "Corefile:2: a server block needs a zone before its braces",
        ),
        ("a,", "Corefile:1: another zone must follow the comma"),
        (
            ". {\n hosts\n {\n }\n}",
            "Corefile:3: a brace is opened in front of a directive",
        ),
        (
            ". {\n import nothing\n}",
            "Corefile:2: there is no snippet or file \"nothing\" to import",
        ),
        (
            ". {\n import\n}",
            "Corefile:2: import needs a snippet, a file or a pattern",
        ),
        (
            ". {\n import a b\n}",
            "Corefile:2: import takes only one argument",
        ),
        ("(a)\n", "Corefile:1: a snippet needs braces"),
        (
            "(a) {\n}\n(a) {\n}",
            "Corefile:3: snippet a is there already",
        ),
        ("(a) {\n log", "Corefile:2: a brace is not closed"),
        (
            "(a) {\n import a\n}\n. {\n import a\n}",
            "Corefile:2: too much is imported; does something import itself?",
        ),
        (
            "import itself",
            "itself:1: too much is imported; does something import itself?",
        ),
        (
            "import twice",
            "twice:1: too much is imported; does something import itself?",
        ),
    ] {
        assert_eq!(read(text), Err(expected.to_owned()), "{text}");
    }
}

proptest! {
    /// Pieces of Corefiles in any order: read or refused, in bounded time, and every line is one of the text.
    #[test]
    fn any_text_ends(pieces in proptest::collection::vec(
        prop_oneof![
            Just("{".to_owned()), Just("}".to_owned()), Just("\n".to_owned()), Just("\"".to_owned()),
            Just("import a".to_owned()), Just("(a)".to_owned()), Just(",".to_owned()), Just("{$".to_owned()),
            Just("import twice".to_owned()), "[ -~]{0,6}", "\\PC{0,4}",
        ],
        0..40,
    )) {
        let text = pieces.join(" ");
        let lines = text.lines().count().max(1);
        match parse(&text, "Corefile", &Surroundings) {
            Ok(blocks) => prop_assert!(blocks.iter().all(|block| !block.keys.is_empty())),
            Err(error) => prop_assert!(&*error.place.file != "Corefile" || error.place.line <= lines),
        }
    }
}
